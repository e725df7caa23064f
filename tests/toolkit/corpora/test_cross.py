"""Pairs of corpora: trained on one, tested on the other."""

import numpy as np
import pytest

from toolkit.corpus import load_corpus
from toolkit.errors import UserError

MELD = {
    "train_corpus": {"train_dia0_utt0": (0, -10), "train_dia0_utt1": (4, -10), "train_dia0_utt2": (1, -10)},
    "val_corpus": {"val_dia0_utt0": (2, -10)},
    "test_corpus": {"test_dia0_utt0": (3, -10), "test_dia0_utt1": (6, -10)},
}
IEMOCAP = {
    "whole_corpus": {
        "Ses01F_impro01_F000": (0, -10), "Ses02F_impro01_F000": (4, -10), "Ses02F_impro01_M000": (1, -10),
    }
}  # fmt: skip
MOSI = {"train_corpus": {"v_1": (0, -3.0)}, "val_corpus": {"v_2": (0, 1.5)}, "test_corpus": {"v_3": (0, 0.0)}}
SIMS = {"train_corpus": {"v_1": (0, -1.0)}, "val_corpus": {"v_2": (0, 0.2)}, "test_corpus": {"v_3": (0, 0.6)}}


@pytest.fixture
def corpora(processed):
    """A reference of each corpus."""
    made = {
        "meld": processed("label.npz", MELD, "name,english\ntrain_dia0_utt0,no\n", folder="m,e,l,d"),
        "iemocap6": processed("label_6way.npz", IEMOCAP, folder="iemocap"),
        "mosi": processed("label.npz", MOSI, folder="mosi"),
        "sims": processed("label.npz", SIMS, folder="sims: a copy"),
    }
    return {name: f"{name}-partial:{root}" for name, root in made.items()}


def columns(corpus, *names):
    return corpus.table[list(names)].to_numpy().tolist()


def test_emotions(corpora):
    corpus = load_corpus(f"cross:{corpora['meld']},{corpora['iemocap6']}")
    assert corpus.name == "meld-partial-to-iemocap-partial"
    assert corpus.emotions == ("happy", "sad", "neutral", "angry")
    assert corpus.group is None
    assert columns(corpus, "name", "split", "emotion", "corpus", "source_name") == [
        ["meld-partial_train_dia0_utt0", "train", "angry", "meld-partial", "train_dia0_utt0"],
        ["meld-partial_train_dia0_utt2", "train", "happy", "meld-partial", "train_dia0_utt2"],
        ["meld-partial_val_dia0_utt0", "val", "sad", "meld-partial", "val_dia0_utt0"],
        ["iemocap-partial_Ses01F_impro01_F000", "test", "happy", "iemocap-partial", "Ses01F_impro01_F000"],
        ["iemocap-partial_Ses02F_impro01_M000", "test", "sad", "iemocap-partial", "Ses02F_impro01_M000"],
    ]
    assert corpus.table["text"].fillna("").tolist() == ["no", "", "", "", ""]


def test_folds_are_those_of_the_first(corpora):
    corpus = load_corpus(f"cross:{corpora['iemocap6']},{corpora['meld']}")
    assert corpus.group == "session"
    assert columns(corpus, "split", "emotion", "source_name") == [
        ["train", "happy", "Ses01F_impro01_F000"],
        ["train", "sad", "Ses02F_impro01_M000"],
        ["test", "neutral", "test_dia0_utt0"],
    ]
    assert corpus.table["session"].tolist()[:2] == ["Ses01", "Ses02"]


@pytest.mark.parametrize(
    ("pair", "ratings"),
    [(("mosi", "sims"), [-3, 1.5, 1.8]), (("sims", "mosi"), [-3, 0.6, 0])],
    ids=["stretched_test", "stretched_train"],
)
def test_sentiment_is_brought_to_one_range(corpora, pair, ratings):
    first, second = pair
    corpus = load_corpus(f"cross:{corpora[first]},{corpora[second]}")
    assert (corpus.emotions, corpus.valence) == ((), (-3, 3))
    assert corpus.table["split"].tolist() == ["train", "val", "test"]
    assert corpus.table["source_name"].tolist() == ["v_1", "v_2", "v_3"]
    np.testing.assert_allclose(corpus.table["valence"], ratings, rtol=1e-12)


def test_test_clips_of_the_challenges(tmp_path, corpora):
    rows = "name,split,emotion,valence,video\na,train,sad,-4,a.mp4\nb,test_multi,happy,1,b.mp4\nc,test_semi,happy,1,\n"
    (tmp_path / "mer.csv").write_text(rows)
    for name in "ab":
        (tmp_path / f"{name}.mp4").touch()
    corpus = load_corpus(f"cross:{corpora['iemocap6']},folder:{tmp_path / 'mer.csv'}")
    test = corpus.select("test").table
    assert test[["name", "video"]].to_numpy().tolist() == [["mer_b", str(tmp_path / "b.mp4")]]
    assert corpus.path(test["video"][0]) == tmp_path / "b.mp4"
    assert corpus.table["valence"].isna().all()


@pytest.mark.parametrize("pair", ["{meld}", "{meld},somewhere", "{meld},{mosi},{sims}", "nothing"])
def test_no_pair(corpora, pair):
    with pytest.raises(UserError, match=r"is no pair of corpora. Expected cross:READER:PATH,READER:PATH, as in cross:"):
        load_corpus("cross:" + pair.format(**corpora))


def test_unlike_corpora(corpora):
    expected = "'meld-partial' has classes and 'mosi-partial' has only valence. Expected two of a kind"
    for pair in ("{meld},{mosi}", "{mosi},{meld}"):
        with pytest.raises(UserError, match=expected):
            load_corpus("cross:" + pair.format(**corpora))


def test_a_corpus_with_itself(corpora):
    with pytest.raises(UserError, match="both corpora are 'mosi-partial'"):
        load_corpus(f"cross:{corpora['mosi']},{corpora['mosi']}")


def test_nothing_in_common(tmp_path, corpora):
    (tmp_path / "own.csv").write_text("name,split,emotion,text\na,train,bored,hm\n")
    with pytest.raises(UserError, match=r"none of the 1 clips taken from 'own' is one of the classes happy, sad"):
        load_corpus(f"cross:{corpora['meld']},folder:{tmp_path / 'own.csv'}")
