from collections import Counter

import numpy as np
import pandas as pd
import pytest

from baseline.protocol import make_folds, read_folds, write_folds
from toolkit.corpus import corpus_from_table
from toolkit.errors import UserError


def corpus_of(emotions, **columns):
    table = pd.DataFrame({"name": [f"c{n:03d}" for n in range(len(emotions))], "emotion": emotions, **columns})
    return corpus_from_table("own", None, table)


def test_counts_of_a_class_differ_by_one_at_most():
    corpus = corpus_of(["happy"] * 17 + ["sad"] * 5 + ["angry"] * 11)
    folds = make_folds(corpus, 5, seed=1)
    counts = pd.crosstab(folds.to_numpy(), corpus.table["emotion"].to_numpy())
    assert sorted(counts["sad"]) == [1, 1, 1, 1, 1]
    assert sorted(counts["happy"]) == [3, 3, 3, 4, 4]
    assert sorted(counts["angry"]) == [2, 2, 2, 2, 3]
    assert sorted(counts.sum(axis=1)) == [6, 6, 7, 7, 7]
    assert list(folds.index) == list(corpus.table["name"])


def test_seed_decides():
    corpus = corpus_of(["happy", "sad"] * 20)
    assert make_folds(corpus, 5, seed=3).equals(make_folds(corpus, 5, seed=3))
    assert not make_folds(corpus, 5, seed=3).equals(make_folds(corpus, 5, seed=4))


def test_a_group_is_never_split():
    generator = np.random.default_rng(0)
    speakers = [f"s{n}" for n in generator.integers(0, 23, 200)]
    corpus = corpus_of(list(generator.choice(["happy", "sad", "angry"], 200)), speaker=speakers)
    folds = make_folds(corpus, 5, seed=0, group="speaker")
    assert folds.groupby(np.array(speakers)).nunique().max() == 1
    assert set(folds) == {0, 1, 2, 3, 4}
    share = pd.crosstab(folds.to_numpy(), corpus.table["emotion"].to_numpy(), normalize="columns")
    assert share.to_numpy().min() > 0.12
    assert share.to_numpy().max() < 0.28


@pytest.mark.parametrize("folds", [0, 4])
def test_as_many_folds_as_groups_leaves_one_group_out(folds):
    corpus = corpus_of(["happy", "sad"] * 10, speaker=["a"] * 11 + ["b"] * 4 + ["c"] * 4 + ["d"])
    result = make_folds(corpus, folds, seed=0, group="speaker")
    assert result.groupby(corpus.table["speaker"].to_numpy()).unique().map(len).tolist() == [1, 1, 1, 1]
    assert sorted(Counter(result).values()) == [1, 4, 4, 11]


def test_class_with_fewer_clips_than_folds():
    corpus = corpus_of(["happy"] * 9 + ["sad"] * 3)
    with pytest.raises(UserError, match=r"'sad' has 3 training clips, fewer than the 5 folds: use --folds 3, or add"):
        make_folds(corpus, 5, seed=0)


def test_class_of_one_clip():
    with pytest.raises(UserError, match=r"'sad' has 1 training clip, fewer than the 2 folds: add clips"):
        make_folds(corpus_of(["happy"] * 9 + ["sad"]), 2, seed=0)


def test_rare_class_with_a_group_is_a_warning(caplog):
    corpus = corpus_of(["happy"] * 9 + ["sad"], speaker=list("aabbccddee"))
    make_folds(corpus, 5, seed=0, group="speaker")
    assert "sad (1)" in caplog.text


def test_single_clip():
    with pytest.raises(
        UserError, match=r"Number of training clips: 1, fewer than the 5 folds.*nothing can be held out"
    ):
        make_folds(corpus_of(["happy"]), 5, seed=0)


def test_fewer_groups_than_folds():
    corpus = corpus_of(["happy"] * 10, speaker=list("aaaaabbbbb"))
    with pytest.raises(UserError, match=r"values of 'speaker': 2, fewer than the 5 folds.*use --folds 2"):
        make_folds(corpus, 5, seed=0, group="speaker")


def test_unknown_group():
    with pytest.raises(UserError, match=r"has no column 'speeker'. Did you mean 'speaker'\?"):
        make_folds(corpus_of(["happy"] * 10, speaker=["a"] * 10), 5, seed=0, group="speeker")


def test_clip_without_group():
    corpus = corpus_of(["happy"] * 3, speaker=["a", None, "b"])
    with pytest.raises(UserError, match=r"1 training clips have no speaker, such as 'c001'"):
        make_folds(corpus, 2, seed=0, group="speaker")


@pytest.mark.parametrize("folds", [0, 1, -3])
def test_too_few_folds(folds):
    with pytest.raises(UserError, match=f"Got {folds} folds. Expected 2 or more"):
        make_folds(corpus_of(["happy"] * 9), folds, seed=0)


def test_clip_without_emotion_is_spread_too():
    folds = make_folds(corpus_of(["happy"] * 4 + [np.nan] * 3), 4, seed=0)
    assert sorted(Counter(folds).values()) == [1, 2, 2, 2]


def test_written_and_read_back(tmp_path):
    corpus = corpus_of(["happy", "sad"] * 6)
    folds = make_folds(corpus, 3, seed=0)
    write_folds(folds, tmp_path / "folds.csv")
    assert (tmp_path / "folds.csv").read_text().splitlines()[:2] == ["name,fold", f"c000,{folds.iloc[0]}"]
    shuffled = pd.read_csv(tmp_path / "folds.csv").sample(frac=1, random_state=0)
    shuffled.to_csv(tmp_path / "folds.csv", index=False)
    assert read_folds(tmp_path / "folds.csv", corpus).equals(folds)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,fold\nc000,0\nc001,1\n", r"has no fold for 1 training clips, such as 'c002'"),
        ("name,fold\nc000,0\nc001,1\nc009,1\n", r"row 4: 'c009' is no training clip of corpus 'own'"),
        ("name,fold\nc000,0\nc001,1\nc001,1\n", r"row 4: 'c001' is there twice"),
        ("name,fold\nc000,0\nc001,x\nc002,1\n", r"row 3: the fold of 'c001' is 'x'"),
        ("name,fold\nc000,0\nc001,\nc002,1\n", r"row 3: the fold of 'c001' is ''"),
        ("name,fold\nc000,0\nc001,2\nc002,2\n", r"has the folds \[0, 2\]"),
        ("name,part\nc000,0\n", r"has the columns name, part. Expected name,fold"),
        ("name,fold\nc000,0\nc001,1\nc002,1\n", r"puts the speaker 'a' into the folds \[0, 1\]"),
    ],
)
def test_wrong_file(tmp_path, text, message):
    (tmp_path / "folds.csv").write_text(text)
    corpus = corpus_of(["happy"] * 3, speaker=["a", "a", "b"])
    with pytest.raises(UserError, match=message):
        read_folds(tmp_path / "folds.csv", corpus, group="speaker")


def test_absent_file(tmp_path):
    with pytest.raises(UserError, match="cannot be read as folds"):
        read_folds(tmp_path / "none.csv", corpus_of(["happy"] * 3))
