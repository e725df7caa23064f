"""What every command shares: plain lines out, a user's mistake in two lines and exit code 2."""

import logging
import sys
from collections.abc import Callable

import typer

from toolkit.errors import UserError


def say(text: str = "") -> None:
    """Writes one line for the user to standard output."""
    typer.echo(text)


def main(app: Callable[[], None]) -> None:
    """Runs a typer app; a `UserError` becomes its message on standard error and exit code 2."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        app()
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
