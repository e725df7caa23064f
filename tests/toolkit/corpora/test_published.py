"""Published sizes: asserted by one reader, let pass by the other."""

import pandas as pd
import pytest

from toolkit.corpora.published import published
from toolkit.corpus import corpus_from_table, readers
from toolkit.errors import UserError

SIZES = {"train": 2, "test": 1}


@pytest.fixture
def release(tmp_path, monkeypatch):
    readers.names()  # found before the copy is made, or they would be lost with it
    monkeypatch.setattr(readers, "_items", dict(readers._items))

    @published("tiny", SIZES)
    def read(path):
        table = pd.read_csv(path / "clips.csv")
        return corpus_from_table("tiny", path, table)

    def write(*splits):
        rows = [f"clip{number},{split}" for number, split in enumerate(splits)]
        (tmp_path / "clips.csv").write_text("\n".join(["name,split", *rows]) + "\n")
        return tmp_path

    return write


def test_whole(release):
    corpus = readers.get("tiny")(release("train", "test", "train"))
    assert (corpus.name, len(corpus)) == ("tiny", 3)


def test_incomplete(release):
    path = release("train")
    with pytest.raises(UserError, match=r"not the whole release: train 1 of 2, test 0 of 1 clips.*tiny-partial:"):
        readers.get("tiny")(path)
    corpus = readers.get("tiny-partial")(path)
    assert (corpus.name, len(corpus)) == ("tiny-partial", 1)


@pytest.mark.parametrize("reader", ["tiny", "tiny-partial"])
def test_empty(release, reader):
    with pytest.raises(UserError, match="holds no clips and no labels"):
        readers.get(reader)(release())
