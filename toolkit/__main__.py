"""Runs the command line of the shared ground."""

from toolkit.cli import run

if __name__ == "__main__":
    run()
