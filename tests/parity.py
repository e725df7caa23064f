"""Ours beside the reference implementations: ``python tests/parity.py FILE ...``.

Takes vector files of ``../shared/parity`` (``.safetensors`` or the ``.json`` beside it) and prints the largest
difference of every output beside its tolerance. Ends with 1 if one is over it or a file is damaged, with 2 if there is
nothing to compare a file with.
"""

import argparse
import sys
from pathlib import Path

# Before this file's own folder, in which there are folders called toolkit, baseline and feature_extraction as well.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from references.compare import DamagedVectors, differences
from toolkit.console import aligned, say
from toolkit.errors import UserError

HEADER = ("", "largest difference", "tolerance", "")


def main(arguments: list[str]) -> int:
    """Prints the tables and returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    over: list[str] = []
    damaged: list[str] = []
    failed: list[str] = []
    for path in parser.parse_args(arguments).files:
        say(path.stem)
        try:
            found = differences(path)
        except UserError as error:
            (damaged if isinstance(error, DamagedVectors) else failed).append(path.stem)
            say(f"  not compared: {error}")
            continue
        rows = [(one.output, f"{one.largest:.1e}", f"{one.tolerance:.1e}", "OVER" * (one.share > 1)) for one in found]
        for line in aligned([HEADER, *rows]):
            say(f"  {line}")
        if any(one.share > 1 for one in found):
            over.append(path.stem)
    parts = {"over the tolerance": over or ["none"], "damaged": damaged, "not compared": failed}
    say("; ".join(f"{part}: {', '.join(names)}" for part, names in parts.items() if names))
    return 1 if over or damaged else 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
