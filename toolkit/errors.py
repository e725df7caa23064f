"""The two kinds of trouble: a user's mistake ends the command in two lines, a bad clip ends only itself."""

import difflib
from collections.abc import Iterable

from toolkit.status import Status


class UserError(Exception):
    """A mistake the user can mend; the text says what was got, what was expected and what to do next.

    Commands print it without a traceback and end with exit code 2.
    """


class ClipError(Exception):
    """One clip that cannot be used; it becomes a row with its status and reason, and the run goes on.

    Args:
        status: what became of the clip, anything but ``Status.OK``
        reason: one line for ``failures.csv``
    """

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(status, reason)  # both in args, so that the error survives pickling between workers
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.status}: {self.reason}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Returns the tail of an "unknown name" message: the nearest known name if there is one, then all of them.

    Args:
        word: what was got
        known: every name that would have been right

    Examples:
        >>> did_you_mean("prosodi", ["egemaps", "prosody"])
        "Did you mean 'prosody'? Known: egemaps, prosody."
    """
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1)
    hint = f"Did you mean '{near[0]}'? " if near else ""
    return f"{hint}Known: {', '.join(names) or 'none'}."
