"""The ranking of encoders: what it says of each cache, and that it goes on where it was."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest

from baseline.basis import HELD_OUT, open_labelled
from baseline.rank import ALL, encoders_of, rank, summary_lines
from toolkit.errors import UserError


@pytest.fixture
def start(quick):
    return lambda *, overwrite=False, **given: rank(quick(**{"features": [ALL], **given}), overwrite=overwrite)


def ranking_of(folder):
    return pd.read_csv(folder / "ranking.csv", keep_default_na=False)


def test_every_cache_is_ranked_by_its_validation(start, quick, tmp_path):
    folder = start(seeds=2)
    assert folder == tmp_path / "runs/rank/multi/mlp-all-seed0to1"
    table = ranking_of(folder).set_index("encoder")
    assert sorted(table.index) == ["face", "voice", "words"]
    assert table["validation"].is_monotonic_decreasing
    assert table.loc["face", ["modality", "dim", "failed", "clips"]].tolist() == ["visual", 4, 2, 48]
    assert table.loc["words", ["modality", "dim", "failed", "clips"]].tolist() == ["text", 6, 0, 48]

    study = open_labelled(quick(features=["face"], seeds=2))
    result = study.cross_validate()
    merits = np.array([[fold.merit for fold in seed.results] for seed in result.seeds])
    row = table.loc["face"]
    assert row["validation"] == pytest.approx(merits.mean())
    assert row["over_seeds"] == pytest.approx(merits.mean(axis=1).std(ddof=1))
    assert [row[f"fold_{fold}"] for fold in range(3)] == pytest.approx(merits.mean(axis=0))
    assert row["score"] == pytest.approx(study.test_scores(result)["test_multi"]["scores"]["score"], abs=1e-7)
    assert row["low"] < row["score"] < row["high"]


def test_every_output_says_what_it_rests_on(start):
    folder = start()
    table = ranking_of(folder)
    facts = table[["protocol", "corpus", "seeds", "clips_chose", "clips_scored", "scored_on"]].drop_duplicates()
    assert facts.to_numpy().tolist() == [["honest", "tiny", 0, 36, 12, "test_multi"]]
    for name in ("ranking.md", "ranking.svg"):
        text = (folder / name).read_text().replace("\n", " ")
        for word in ("Protocol honest", "corpus tiny", "seed 0", "36 clips chose", "12 clips of test_multi", "voice"):
            assert word in text, (name, word)
    assert summary_lines(folder)[0].split()[:4] == ["rank", "encoder", "modality", "validation"]
    assert summary_lines(folder)[1].split()[:2] == ["1", table["encoder"][0]]
    assert "36 clips chose, 12 clips of test_multi are scored. Protocol honest" in summary_lines(folder)[4]


def test_every_labelled_test_split_is_scored(start, quick):
    table = ranking_of(start(features=["voice"], test=["test_noise", "unlabelled", "test_multi"]))
    assert table["scored_on"][0] == "test_noise, test_multi"
    assert table["clips_scored"][0] == "12 12"
    study = open_labelled(quick(features=["voice"], test=["test_noise", "test_multi"]))
    scores = {split: entry["scores"]["score"] for split, entry in study.test_scores(study.cross_validate()).items()}
    assert table["score"][0] == pytest.approx(scores["test_noise"], abs=1e-7)
    assert table["test_multi"][0] == pytest.approx(scores["test_multi"], abs=1e-7)
    assert table["test_multi_low"][0] < table["test_multi"][0] < table["test_multi_high"][0]


@pytest.mark.usefixtures("without_tests")
def test_without_test_clips_validation_is_of_other_folds(start, quick):
    table = ranking_of(start()).set_index("encoder")
    assert set(table["scored_on"]) == {HELD_OUT}
    study = open_labelled(quick(features=["voice"]))
    result = study.cross_validate()
    assert table.loc["voice", "validation"] == pytest.approx(np.mean(result.merits))
    assert table.loc["voice", "score"] == pytest.approx(result.scores["score"], abs=1e-7)


def test_cache_that_cannot_be_used_is_left_out_with_its_reason(start, tiny, make_cache):
    corpus, cache = tiny
    make_cache(cache, corpus, "voice", leave_out=("train_003",))
    folder = start()
    table = ranking_of(folder)
    assert sorted(table["encoder"][:2]) == ["face", "words"]
    assert table["encoder"][2] == "voice"
    assert "lacks 1 of 36 clips, such as 'train_003'" in table["note"][2]
    assert "voice" not in (folder / "ranking.svg").read_text()
    make_cache(cache, corpus, "voice")
    assert sorted(ranking_of(start())["note"]) == ["", "", ""]


def test_cache_without_a_clip_that_chooses_is_left_out(start, tiny, make_cache, tmp_path):
    corpus, cache = tiny
    names = list(corpus.select("train").table["name"])
    make_cache(cache, corpus, "face", failed=names[12:24])
    lines = [f"{name},{place // 12}" for place, name in enumerate(names)]
    (tmp_path / "folds.csv").write_text("\n".join(["name,fold", *lines]) + "\n")
    table = ranking_of(start(folds_file=tmp_path / "folds.csv", folds=None))
    assert table["encoder"][2] == "face"
    assert table["note"][2].startswith("Nothing chose the epoch of fold 1")


def test_goes_on_where_it_was_ended(start, monkeypatch, tiny):
    from baseline import rank as module

    real, trained = module._trained, []

    def stopped(study, encoder):
        trained.append(encoder)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return real(study, encoder)

    monkeypatch.setattr(module, "_trained", stopped)
    with pytest.raises(KeyboardInterrupt):
        start()
    folder = start()
    assert trained == ["face", "voice", "voice", "words"]
    start()
    assert len(trained) == 4
    before = (folder / "ranking.csv").read_bytes()

    path = tiny[1] / "tiny/text/words.h5"
    with h5py.File(path, "r+") as file:
        file.attrs["identity"] = "another"
    start()
    assert trained[4:] == ["words"]
    assert (folder / "ranking.csv").read_bytes() == before


def test_other_settings_are_refused(start):
    start(name="mine", features=["face"])
    with pytest.raises(UserError, match=r"rank/multi/mine was begun with other settings: 'seed' was 0 and is now 1"):
        start(name="mine", features=["face"], seed=1)
    start(name="mine", features=["face", "voice"])  # more encoders are no other settings


def test_mistake_in_all_of_them_is_one(start):
    with pytest.raises(UserError, match=r"None of 3 caches can be ranked. face: Unknown network 'atention'"):
        start(model="atention")


def test_encoders(quick, tiny, tmp_path):
    folder = tiny[1] / "tiny"
    (folder / "audio/slow.frames.h5").write_bytes(b"")
    (folder / "faces").mkdir()
    (folder / "faces/mtcnn.h5").write_bytes(b"")
    assert encoders_of(quick(features=[ALL])) == ["face", "slow", "voice", "words"]
    assert encoders_of(quick(features=["voice"])) == ["voice"]
    with pytest.raises(UserError, match=r"Corpus 'tiny' has no cache under .*empty"):
        encoders_of(quick(features=[ALL], cache=tmp_path / "empty"))


def test_log_is_json(start):
    lines = (start(features=["voice"]) / "encoders.jsonl").read_text().splitlines()
    assert json.loads(lines[1])["basis"]["chose"] == 36
