"""Runs the command line of stage 1."""

from feature_extraction.cli import run

if __name__ == "__main__":
    run()
