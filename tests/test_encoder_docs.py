"""The tables of docs/encoders.md, made from the registry; ``python -P tests/test_encoder_docs.py`` prints them anew.

Without ``-P`` Python would take the folder of tests ``feature_extraction`` for a part of the package.
"""

import re
import runpy
from pathlib import Path

from feature_extraction.catalogue import _rows
from feature_extraction.encoder import all_specs
from feature_extraction.spec import MODALITIES, EncoderSpec, Modality
from toolkit.console import say

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "encoders.md"
RANKED = runpy.run_path(str(ROOT / "tests" / "feature_extraction" / "test_catalogue.py"))["RANKED"]

ANEW = "python -P tests/test_encoder_docs.py prints the tables anew"
HEAD = [
    "| name | checkpoint | numbers | layers | licence | in the rank lists |",
    "| --- | --- | --- | --- | --- | --- |",
]
PAIRS = ["| pair | what MERTools does instead |", "| --- | --- |"]
# What the settings of a `NAME@mertools` mean; the page explains each under these words.
DIFFERENCES = {
    "chunks=padded10": "zeros counted",
    "states=decoder": "decoder states",
    "token_types=True": "token types",
    "special_tokens=True": "special tokens counted",
    "precision=float16": "half precision",
    "faces=organisers": "organisers' crops",
    "tokens=sum": "sum over tokens",
    "layers=-1": "not normalised",
    "frames=64": "64 frames",
    "windows=uniform": "16 frames",
    "views=mertools": "two ends in BGR",
}


def encoder_row(spec: EncoderSpec) -> str:
    """Returns the row of a spec; of a commit on the hub the first seven digits."""
    checkpoint = spec.checkpoint
    if checkpoint.startswith(("hf:", "timm:", "funasr:")):
        checkpoint += "#" + (spec.revision[:7] if re.fullmatch("[0-9a-f]{40}", spec.revision) else spec.revision)
    layers = f"{spec.combine} of {','.join(map(str, spec.layers))}" if spec.layers else ""
    ranks = ", ".join(theirs for theirs, ours in RANKED.get(spec.modality, {}).items() if ours == spec.name)
    return f"| `{spec.name}` | `{checkpoint}` | {spec.dim} | {layers} | {spec.licence} | {ranks} |"


def encoder_rows(*modalities: Modality, tiny: bool = False) -> list[str]:
    """Returns the rows of encoders, without the variants of MERTools, which have a table of their own."""
    specs = [spec for modality in modalities for spec in all_specs(modality).values()]
    return [encoder_row(spec) for spec in specs if spec.is_tiny == tiny and not spec.name.endswith("@mertools")]


def pair_rows() -> list[str]:
    """Returns a row for every encoder with a variant of MERTools."""
    rows = [row for modality in MODALITIES for row in _rows(modality) if row["mertools"]]
    return [f"| `{row['name']}` | {', '.join(DIFFERENCES[part] for part in row['mertools'].split())} |" for row in rows]


def page_rows(first: str) -> list[str]:
    """Returns the rows of the page's tables whose first column has that head."""
    rows, inside = [], False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        inside = line.startswith("|") and (inside or line.startswith(f"| {first} |"))
        if inside and line.startswith("| `"):
            rows.append(line)
    return rows


def test_the_page_has_every_encoder_as_it_is():
    assert sorted(page_rows("name")) == sorted(encoder_rows(*MODALITIES) + encoder_rows(*MODALITIES, tiny=True)), ANEW


def test_the_page_has_every_pair_and_explains_each_difference():
    assert page_rows("pair") == pair_rows(), ANEW
    explained = re.findall(r"^\| \*\*(.+?)\*\* \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(explained) == sorted(DIFFERENCES.values())


def test_theirs_has_as_many_numbers_as_ours():
    specs = all_specs()
    theirs = {name: spec.dim for name, spec in specs.items() if name.endswith("@mertools")}
    assert theirs == {name: specs[name.removesuffix("@mertools")].dim for name in theirs}
    assert None not in theirs.values()


if __name__ == "__main__":
    for kind in MODALITIES:
        if rows := encoder_rows(kind):
            say("\n".join([f"\n### {kind.capitalize()}\n", *HEAD, *rows]))
    say("\n".join(["\n### Small random networks\n", *HEAD, *encoder_rows(*MODALITIES, tiny=True)]))
    say("\n".join(["\n### Pairs\n", *PAIRS, *pair_rows()]))
