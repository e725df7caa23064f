"""One draw of a search and what came of it."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

DIVERGED = "diverged: the training ran off to numbers that are not finite"


class Trial(NamedTuple):
    """Some settings, and how good they are.

    Attributes:
        number: counted from 1 in the order of the draws
        settings: value by option, such as ``network.hidden``
        merits: ``(seeds, folds)`` what the epoch of each network was chosen by; nothing of a trial that failed
        note: why it failed
    """

    number: int
    settings: dict[str, Any]
    merits: Sequence[Sequence[float]] = ()
    note: str = ""

    @property
    def key(self) -> str:
        """The settings as a word: trials of the same settings are the same trial."""
        return key_of(self.settings)

    @property
    def merit(self) -> float:
        """Mean over seeds and folds; minus infinity of one that failed."""
        return float(np.mean(self.merits)) if self.merits else -math.inf

    @property
    def by_seed(self) -> list[float]:
        """Mean over the folds, by seed."""
        return [float(np.mean(folds)) for folds in self.merits]

    @property
    def by_fold(self) -> list[float]:
        """Mean over the seeds, by fold."""
        return [float(np.mean(seeds)) for seeds in zip(*self.merits, strict=True)]

    def with_record(self, record: Mapping[str, Any]) -> Self:
        """Returns the trial with what the log says of it."""
        return self._replace(merits=record["merits"], note=record["note"])

    def record(self) -> dict[str, Any]:
        """Returns what the log is to say of it."""
        return {"settings": self.settings, "merits": self.merits, "note": self.note}


def key_of(settings: Mapping[str, Any]) -> str:
    """Returns settings as a word.

    Examples:
        >>> key_of({"network.hidden": 64, "training.gradient_clip": None})
        'network.hidden=64 training.gradient_clip=null'
    """
    return " ".join(f"{option}={json.dumps(value)}" for option, value in settings.items())


def ranked(trials: Iterable[Trial]) -> list[Trial]:
    """Returns trials from the best merit down, the earlier of equals first, those that failed last."""
    return sorted(trials, key=lambda trial: (-trial.merit, trial.number))
