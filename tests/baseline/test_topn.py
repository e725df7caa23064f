"""Fusion of the best encoders: what comes of them, and by whose scores they were chosen."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from baseline.basis import HELD_OUT, open_labelled
from baseline.rank import ALL, rank
from baseline.topn import summary_lines, topn
from toolkit.errors import UserError


@pytest.fixture
def start(quick):
    def begin(*, overwrite=False, fusions=("AV",), most=6, ranking=None, **given):
        config = quick(**{"features": [ALL], "model": "attention_topn", **given})
        return topn(config, fusions=fusions, most=most, ranking=ranking, overwrite=overwrite)

    return begin


@pytest.fixture
def tone(tiny, make_cache):
    """A second encoder of the audio, a poor one."""
    corpus, cache = tiny
    voice = cache / "tiny/audio/voice.h5"
    before = voice.read_bytes()
    make_cache(cache, corpus, "voice", spread=9.0)
    voice.rename(voice.with_name("tone.h5"))
    voice.write_bytes(before)


def test_table(start, quick, tmp_path, tone):
    folder = start(fusions=["AV", "AVT"])
    assert folder == tmp_path / "runs/topn/multi/attention_topn-all-seed0"
    assert (tmp_path / "runs/rank/multi/attention-all-seed0/ranking.csv").is_file(), "the ranking it is made by"
    table = pd.read_csv(folder / "fusion.csv")
    assert table[["fusion", "n", "encoders", "sets"]].to_numpy().tolist() == [
        ["AV", 1, "voice+face", 1],
        ["AV", 2, "voice+tone+face", 1],
        ["AVT", 1, "voice+face+words", 1],
        ["AVT", 2, "voice+tone+face+words", 1],
    ]
    study = open_labelled(quick(features=["voice", "face"], model="attention_topn"))
    result = study.cross_validate()
    assert table["validation"][0] == pytest.approx(np.mean(result.merits))
    assert table["score"][0] == pytest.approx(study.test_scores(result)["test_multi"]["scores"]["score"], abs=1e-7)
    facts = table[["protocol", "corpus", "clips_chose", "clips_scored", "scored_on"]].drop_duplicates()
    assert facts.to_numpy().tolist() == [["honest", "tiny", 36, 12, "test_multi"]]
    assert "36 clips chose" in (folder / "fusion.md").read_text()
    assert summary_lines(folder)[1].split()[:3] == ["AV", "1", "voice+face"]
    assert "36 clips chose, 12 clips of test_multi are scored. Protocol honest" in summary_lines(folder)[5]


@pytest.mark.usefixtures("without_tests")
def test_without_test_clips_each_fold_has_its_own_encoders(start, quick, tmp_path, tone):
    """A ranking in which fold 1 was chosen another encoder for: its clips are predicted by that one."""
    own = rank(quick(features=[ALL], model="attention"))
    table = pd.read_csv(own / "ranking.csv").set_index("encoder")
    table.loc["tone", "fold_1"], table.loc["tone", ["fold_0", "fold_2"]] = 2.0, -9.0
    path = tmp_path / "turned.csv"
    table.reset_index().to_csv(path, index=False)
    folder = start(most=1, ranking=path)
    row = pd.read_csv(folder / "fusion.csv").iloc[0]
    assert row["scored_on"] == HELD_OUT
    assert row["sets"] == 2

    study = open_labelled(quick(features=["voice", "tone", "face"], model="attention_topn"))
    results = [study.cross_validate(names) for names in (["voice", "face"], ["tone", "face"], ["voice", "face"])]
    assert row["validation"] == pytest.approx(np.mean([results[k].results[k].merit for k in range(3)]))
    guess, truth = np.empty(len(study.train), object), study.train.table["emotion"].to_numpy()
    valence = np.empty(len(study.train))
    for fold, result in enumerate(results):
        held = np.flatnonzero(study.folds == fold)
        guess[held] = np.array(study.task.labels)[result.held_out.probabilities[held].argmax(1)]
        valence[held] = result.held_out.valence[held]
    squares = (valence - study.train.table["valence"].to_numpy()) ** 2
    expected = f1_score(truth.tolist(), guess.tolist(), average="weighted") - 0.25 * squares.mean()
    assert row["score"] == pytest.approx(expected, abs=1e-6)


def test_goes_on_where_it_was_ended(start, monkeypatch):
    from baseline.study import Study

    folder = start(fusions=["AV", "VT"])
    before = (folder / "fusion.csv").read_bytes()

    def never(*arguments, **options):
        raise AssertionError("trained again")

    monkeypatch.setattr(Study, "cross_validate", never)
    start(fusions=["AV", "VT"])
    assert (folder / "fusion.csv").read_bytes() == before
    start(fusions=["VT"])
    assert pd.read_csv(folder / "fusion.csv")["fusion"].tolist() == ["VT"]


def test_what_is_said_meanwhile(start, caplog, tmp_path):
    caplog.set_level("INFO")
    path = tmp_path / "runs/rank/multi/attention-all-seed0/ranking.csv"
    table = pd.read_csv(start(fusions=["AV"], most=1) / "fusion.csv")
    first, *encoders, by, fused = caplog.messages
    assert first == f"There is no {path} yet: first of all each encoder alone, with network attention."
    assert [message.split(":")[0] for message in encoders] == ["1 of 3, face", "2 of 3, voice", "3 of 3, words"]
    assert by == f"Fusing the best encoders by {path}."
    assert fused == f"1 of 1, AV 1: validation {table['validation'][0]:.4f}"
    caplog.clear()
    start(fusions=["AV"], most=1)
    assert caplog.messages == [by, fused], "the ranking is there"


def test_fusion_that_diverges_leaves_the_others(start, monkeypatch, caplog):
    from baseline.study import Study

    real = Study.cross_validate

    def diverges(study, features=None):
        if features and "words" in features:
            raise UserError("Training diverged at learning rate 9.")
        return real(study, features)

    monkeypatch.setattr(Study, "cross_validate", diverges)
    caplog.set_level("INFO")
    table = pd.read_csv(start(fusions=["AV", "AT"], most=1) / "fusion.csv", keep_default_na=False)
    assert table["note"].tolist() == ["", "Training diverged at learning rate 9."]
    assert table["validation"][1] == ""
    assert caplog.messages[-1] == "2 of 2, AT 1: Training diverged at learning rate 9."


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seed": 1}, r"was made with folds \w+, here it is \w+. Rank again"),
        ({"protocol": "mertools"}, "was made with protocol honest, here it is mertools"),
    ],
)
def test_ranking_of_something_else(start, quick, given, message):
    path = rank(quick(features=[ALL])) / "ranking.csv"
    with pytest.raises(UserError, match=message):
        start(ranking=path, **given)
