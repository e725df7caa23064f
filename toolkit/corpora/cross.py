"""Two corpora as one: trained on the first, tested on the second (MERBench, arXiv 2401.03429)."""

import re
from pathlib import Path

import pandas as pd

from toolkit.corpus import Corpus, corpus_from_table, load_corpus, readers
from toolkit.errors import UserError

# MERTools' order. The classes that all corpora of emotions share; clips of others are left out.
EMOTIONS = ("happy", "sad", "neutral", "angry")
VALENCE = (-3.0, 3.0)  # onto which sentiment is stretched, that of SIMS threefold
TRAIN = ("train", "val")
TEST = ("test", "test_multi", "test_semi")  # the first that is there; without any, every clip of the corpus


@readers.add("cross")
def read(path: Path) -> Corpus:
    """Returns training and validation clips of one corpus and test clips of another, ``cross:READER:PATH,READER:PATH``.

    Two corpora of emotions are reduced to their four common classes, two of sentiment are brought to one range. Clips
    are called ``<corpus>_<name>``, with columns ``corpus`` and ``source_name`` for the two, by which their caches are
    found: features are extracted of each corpus alone. Paths of media are absolute.

    Args:
        path: both references; the comma between them is the one that a reader's name and a colon follow

    Raises:
        UserError: no two references, twice the same corpus, or two that have nothing in common
    """
    first, second = (load_corpus(reference) for reference in pair_of(str(path)))
    if first.name == second.name:
        raise UserError(f"cross: both corpora are '{first.name}'. Expected two, one to train on and one to test on.")
    classes = _has_classes(first)
    if classes != _has_classes(second):
        with_classes, without = (first, second) if classes else (second, first)
        raise UserError(
            f"cross: '{with_classes.name}' has classes and '{without.name}' has only valence. Expected two of a kind."
        )
    train = first.select(*(split for split in TRAIN if split in first.splits))
    tested = next(((split,) for split in TEST if split in second.splits), second.splits)
    test = second.select(*tested)
    table = pd.concat([_part(train, classes), _part(test, classes).assign(split="test")], ignore_index=True)
    shared = {"emotions": EMOTIONS} if classes else {"emotions": (), "valence": VALENCE}
    return corpus_from_table(f"{first.name}-to-{second.name}", first.root, table, group=first.group, **shared)


def pair_of(pair: str) -> tuple[str, str]:
    """Returns both references of ``READER:PATH,READER:PATH``, whose paths may hold commas.

    Raises:
        UserError: they are not two
    """
    commas = [
        comma.start() for comma in re.finditer(",", pair) if pair[comma.end() :].partition(":")[0] in readers.names()
    ]
    if len(commas) != 1:
        example = "cross:mosi:data/mosi,sims:data/sims"
        raise UserError(f"'{pair}' is no pair of corpora. Expected cross:READER:PATH,READER:PATH, as in {example}.")
    return pair[: commas[0]], pair[commas[0] + 1 :]


def _has_classes(corpus: Corpus) -> bool:
    return bool(corpus.table["emotion"].notna().any())


def _part(corpus: Corpus, classes: bool) -> pd.DataFrame:
    """Returns the clips of one side that have a label of use."""
    table = corpus.table
    if classes:
        table = table[table["emotion"].isin(EMOTIONS)].assign(valence=float("nan"))
    else:
        scaled = table["valence"] * (VALENCE[1] / corpus.valence[1])
        table = table.assign(valence=scaled)[scaled.notna()]
    if table.empty:
        wanted = f"of the classes {', '.join(EMOTIONS)}" if classes else "with a rating"
        raise UserError(f"cross: none of the {len(corpus)} clips taken from '{corpus.name}' is one {wanted}.")
    media = {
        column: [None if (file := corpus.path(cell)) is None else str(file.absolute()) for cell in table[column]]
        for column in ("video", "audio")
    }
    own = table["name"]
    return table.assign(name=corpus.name + "_" + own, corpus=corpus.name, source_name=own, **media)
