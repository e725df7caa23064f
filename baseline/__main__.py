"""Runs the command line of stage 2's tools."""

from baseline.cli import run

if __name__ == "__main__":
    run()
