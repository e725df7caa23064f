"""What every command shares: plain lines out, a user's mistake in two lines and exit code 2."""

import errno
import logging
import sys
from collections.abc import Callable, Collection, Sequence

import typer

from toolkit.errors import UserError

# What the system says of a path that somebody should not have named; anything else is no user's mistake.
_UNUSABLE = {
    errno.EACCES, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EPERM, errno.EROFS,
}  # fmt: skip


def say(text: str = "") -> None:
    """Writes one line for the user to standard output."""
    typer.echo(text)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns the lines of a plain table, its columns padded to their widest cell.

    Examples:
        >>> aligned([("clip", "status"), ("a", "ok")])
        ['clip  status', 'a     ok']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def spread(arguments: Sequence[str], options: Collection[str]) -> list[str]:
    """Returns arguments in which ``--option a b`` has become ``--option a --option b``.

    Args:
        arguments: the command line
        options: options that take any number of values

    Examples:
        >>> spread(["--encoder", "egemaps", "prosody", "--level", "frame"], {"--encoder"})
        ['--encoder', 'egemaps', '--encoder', 'prosody', '--level', 'frame']
    """
    result: list[str] = []
    current = None  # the option whose values are being read
    for argument in arguments:
        if argument.startswith("-"):
            current = argument if argument in options else None
            result.append(argument)
        elif current is not None and result[-1] != current:
            result += [current, argument]
        else:
            result.append(argument)
    return result


def main(app: Callable[..., None], *, many: Collection[str] = ()) -> None:
    """Runs a typer app; a user's mistake becomes a line on standard error and exit code 2.

    Args:
        app: the app
        many: options that take any number of values, see `spread`
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        app(spread(sys.argv[1:], many))
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
    except OSError as error:
        if error.filename is None or error.errno not in _UNUSABLE:
            raise
        expected = "Expected a file or folder that is free and that you may write."
        typer.echo(f"error: {error.filename} cannot be used: {error.strerror}. {expected}", err=True)
    else:
        return
    sys.exit(2)


def option(metavar: str, text: str, *names: str) -> "typer.models.OptionInfo":
    """Returns an option of a typer command that is not given unless it is typed.

    Args:
        metavar: what stands for its value in the help
        text: its help
        names: as it is typed, made of the parameter's name if absent
    """
    return typer.Option(*names, metavar=metavar, help=text, show_default=False)
