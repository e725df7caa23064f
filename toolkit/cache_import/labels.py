"""Labels of a corpus as a table of their own, which any later command reads in place of a large file."""

from pathlib import Path

import yaml

from toolkit.corpus import COLUMNS, Corpus
from toolkit.whole_file import whole_file

FILE = "labels.csv"


def write_labels(corpus: Corpus, folder: Path) -> Path:
    """Writes a corpus as a CSV with its YAML, from which the reader ``folder`` gives the same corpus.

    Args:
        corpus: the clips, without media
        folder: where to

    Returns:
        the CSV
    """
    facts = {"name": corpus.name, "emotions": list(corpus.emotions), "valence": list(corpus.valence)}
    with whole_file((folder / FILE).with_suffix(".yaml")) as target:
        target.write_text(yaml.safe_dump(facts, sort_keys=False, allow_unicode=True), encoding="utf-8")
    filled = [column for column in corpus.table if column in ("name", "split", "text") or _is_filled(corpus, column)]
    with whole_file(folder / FILE) as target:
        corpus.table[filled].to_csv(target, index=False)
    return folder / FILE


def _is_filled(corpus: Corpus, column: str) -> bool:
    return column not in COLUMNS or bool(corpus.table[column].notna().any())
