"""A pickle of MMSA, imported once: afterwards its labels are a table, and nobody needs the pickle."""

import pickle
import sys

import numpy as np
import pandas as pd
import pytest

from toolkit.cache import Cache, verify
from toolkit.cli import run
from toolkit.corpus import load_corpus


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(line):
        monkeypatch.setattr(sys, "argv", ["toolkit", *line.split()])
        with pytest.raises(SystemExit) as end:
            run()
        return end.value.code, capsys.readouterr().out

    return call


def test_import_of_a_pickle(call, tmp_path):
    vision = np.zeros((3, 4, 2), np.float32)
    vision[0, :2], vision[1, :4] = [[1, 2], [3, 4]], 5
    train = {
        "id": ["v$_$1", "v$_$2", "w$_$1"],
        "raw_text": ["one", "two", "three"],
        "vision": vision,
        "vision_lengths": [2, 4, 1],
        "annotations": ["Positive", "Negative", "Neutral"],
        "regression_labels": np.array([2.0, -1.0, 0.0]),
    }
    (tmp_path / "mine.pkl").write_bytes(pickle.dumps({"train": train}))
    line = "cache import --from mine.pkl --corpus {} --modality visual --encoder openface --cache work {}"
    code, out = call(line.format("mmsa:mine.pkl", "--rate 30"))
    assert code == 0
    assert out.splitlines() == [
        "work/mine/visual/openface.frames.h5: 3 clips, 2 ok, 1 failed",
        "1 no_face, such as 'w_1': all numbers are zero, which stands for nothing found",
        "labels: work/mine/labels.csv; name it as --corpus from now on, and the pickle is not read again",
    ]
    cache = Cache(tmp_path / "work" / "mine" / "visual" / "openface.frames.h5")
    assert verify(cache.path) == []
    assert cache.ragged("frames/values", "v_1").tolist() == [[1, 2], [3, 4]]
    np.testing.assert_allclose(cache.ragged("frames/time", "v_1"), [0.5 / 30, 1.5 / 30])
    assert cache.row("utterance", ["v_1", "v_2"]).tolist() == [[2, 3], [5, 5]]
    corpus, again = load_corpus("mmsa:mine.pkl"), load_corpus("work/mine/labels.csv")
    (tmp_path / "mine.pkl").rename(tmp_path / "other.pkl")
    assert (again.name, again.emotions, again.valence) == (corpus.name, corpus.emotions, corpus.valence)
    pd.testing.assert_frame_equal(again.table, corpus.table, check_dtype=False)
    code, out = call(line.replace("mine.pkl", "other.pkl").format("work/mine/labels.csv", "--level utterance"))
    assert code == 0
    assert "labels" not in out
    assert Cache(tmp_path / "work" / "mine" / "visual" / "openface.h5").status == ["ok", "ok", "no_face"]
