"""IEMOCAP as MERTools prepares it, made small."""

import pytest

from toolkit.corpora import iemocap
from toolkit.corpus import load_corpus
from toolkit.errors import UserError

CLIPS = {
    "Ses01F_impro01_F000": (2, -10),
    "Ses01F_impro01_M000": (0, -10),
    "Ses05M_script03_2_FXX0": (3, -10),
    "Ses02M_script01_1b_M011": (1, -10),
}
WORDS = "name,chinese,english\nSes01F_impro01_F000,对不起。,Excuse me.\nSes03M_impro01_F000,不。,No.\n"


@pytest.fixture
def four(processed):
    return processed("label_4way.npz", {"whole_corpus": CLIPS}, WORDS)


def test_four_classes(four):
    corpus = load_corpus(f"iemocap4-partial:{four}")
    table = corpus.table
    assert corpus.name == "iemocap-partial"
    assert corpus.emotions == ("happy", "sad", "neutral", "angry")
    assert table["name"].tolist() == list(CLIPS)
    assert table["emotion"].tolist() == ["neutral", "happy", "angry", "sad"]
    assert corpus.splits == ["train"]
    assert table["text"].tolist()[0] == "Excuse me."
    assert table["chinese"].tolist()[0] == "对不起。"
    assert table["valence"].isna().all()


def test_people_are_known_from_the_names(four):
    corpus = load_corpus(f"iemocap4-partial:{four}")
    assert corpus.group == "session"
    assert corpus.table[["session", "speaker", "dialogue"]].to_numpy().tolist() == [
        ["Ses01", "Ses01_F", "Ses01F_impro01"],
        ["Ses01", "Ses01_M", "Ses01F_impro01"],
        ["Ses05", "Ses05_F", "Ses05M_script03_2"],
        ["Ses02", "Ses02_M", "Ses02M_script01_1b"],
    ]


def test_six_classes(processed):
    clips = {f"Ses01F_impro01_F00{number}": (number, -10) for number in range(6)}
    corpus = load_corpus(f"iemocap6-partial:{processed('label_6way.npz', {'whole_corpus': clips})}")
    assert corpus.emotions == ("happy", "sad", "neutral", "angry", "excited", "frustrated")
    assert corpus.table["emotion"].tolist() == list(corpus.emotions)


def test_both_share_their_caches(processed, monkeypatch):
    root = processed("label_4way.npz", {"whole_corpus": CLIPS})
    (root / "label_6way.npz").write_bytes((root / "label_4way.npz").read_bytes())
    for sizes in (iemocap.FOUR_SIZES, iemocap.SIX_SIZES):
        monkeypatch.setitem(sizes, "train", 4)
    assert {load_corpus(f"{reader}:{root}").name for reader in ("iemocap4", "iemocap6")} == {"iemocap"}


def test_published_sizes(four):
    assert (iemocap.FOUR_SIZES, iemocap.SIX_SIZES) == ({"train": 5531}, {"train": 7433})
    with pytest.raises(UserError, match=r"train 4 of 5531 clips. .*iemocap4-partial:"):
        load_corpus(f"iemocap4:{four}")


def test_other_number_of_classes(four):
    with pytest.raises(UserError, match=r"no labels of IEMOCAP. Expected a folder with label_6way.npz in it"):
        load_corpus(f"iemocap6:{four}")


@pytest.mark.parametrize("name", ["sample_00000001", "Ses06F_impro01_F000", "Ses01F_impro01_X000", "Ses01F_impro01"])
def test_a_name_of_another_corpus(processed, name):
    root = processed("label_4way.npz", {"whole_corpus": CLIPS | {name: (0, -10)}})
    with pytest.raises(UserError, match=rf"label_4way.npz: '{name}' is no clip of IEMOCAP. Expected names as Ses01F"):
        load_corpus(f"iemocap4:{root}")
