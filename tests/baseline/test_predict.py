"""Predicting on clips: the same numbers as the cached path, whatever is missing of a clip."""

import json
import shutil
import sys

import numpy as np
import pandas as pd
import pytest

from baseline.cli import run as command_line
from baseline.config import load_config
from baseline.own_clips import corpus_of
from baseline.predict import load_run, predict
from baseline.run import run
from feature_extraction.encoder import all_specs
from feature_extraction.extract import extract_features
from toolkit.corpus import load_corpus
from toolkit.demo.make import make_demo
from toolkit.errors import UserError
from toolkit.status import Status

FEATURES = ["char-hash", "egemaps", "face-hog"]
TESTS = ["test_multi", "test_semi"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A tiny demo corpus, its caches, and runs on it: MULTI, OV, SENTIMENT, and MULTI on frames and aligned frames."""
    pytest.importorskip("opensmile", reason="needs the extra opensmile")
    root = tmp_path_factory.mktemp("demo")
    reference = f"demo:{make_demo(root / 'demo', scale='tiny', workers=1)}"
    corpus = load_corpus(reference)
    for name in FEATURES:
        extract_features(corpus, [all_specs()[name]], root / "cache", levels=("utterance", "frame"))
    given = {"corpus": reference, "cache": root / "cache", "features": FEATURES, "folds": 2, "group": "speaker"}
    given |= {"test": TESTS, "compare": False, "training": {"epochs": 3}}
    given |= {"device": "cpu", "out": root / "runs", "name": "r"}
    options = {"multi": {}, "ov": {"min_count": 2}, "sentiment": {}}
    runs = {t: run(load_config(None, given | {"track": t, "options": options[t]})) for t in options}
    for level, model in (("frame", "attention"), ("aligned", "ef_lstm")):
        own = {"track": "multi", "level": level, "model": model, "name": level}
        runs[level] = run(load_config(None, given | own, ["compress=2", "network.hidden=16"]))
    return corpus, runs


def rows_of(folder, names):
    table = pd.read_csv(folder / "predictions.csv").set_index("name")
    return table.loc[names]


def probabilities_of(clips):
    return np.array([list(clip.probabilities.values()) for clip in clips])


def clip_of(corpus, hostile):
    row = corpus.table[corpus.table["hostile"] == hostile].iloc[0]
    return str(corpus.path(row["video"])), row["text"]


@pytest.mark.parametrize("name", ["multi", "frame", "aligned"])
def test_equals_the_cached_path(demo, name):
    corpus, runs = demo
    clips = predict(load_run(runs[name]), corpus.select(*TESTS))
    expected = rows_of(runs[name], [clip.name for clip in clips])
    columns = [f"probability_{label}" for label in corpus.emotions]
    assert len(clips) == 4
    assert list(clips[0].probabilities) == list(corpus.emotions)
    np.testing.assert_allclose(probabilities_of(clips), expected[columns], atol=1e-6, rtol=0)
    np.testing.assert_allclose([clip.valence for clip in clips], expected["valence"], atol=1e-6, rtol=0)
    assert [clip.emotion for clip in clips] == list(expected["emotion"])
    assert [clip.missing for clip in clips] == [[]] * 4
    assert all(clip.known and clip.words == [] for clip in clips)


def test_files_with_transcripts_equal_the_corpus(demo):
    corpus, runs = demo
    tests = corpus.select("test_multi")
    files = [str(corpus.path(video)) for video in tests.table["video"]]
    trained = load_run(runs["multi"])
    from_files = predict(trained, corpus_of(files, list(tests.table["text"])))
    np.testing.assert_allclose(
        probabilities_of(from_files), probabilities_of(predict(trained, tests)), atol=1e-6, rtol=0
    )


def test_words_equal_the_cached_path(demo):
    corpus, runs = demo
    clips = predict(load_run(runs["ov"]), corpus.select("test_multi"))
    expected = rows_of(runs["ov"], [clip.name for clip in clips])
    assert [str(clip.words) for clip in clips] == list(expected["openset"])
    assert all(clip.emotion is None and clip.valence is None for clip in clips)
    labels = list(clips[0].probabilities)
    shares = expected[[f"probability_{label}" for label in labels]]
    np.testing.assert_allclose(probabilities_of(clips), shares, atol=1e-6, rtol=0)


def test_sentiment_equals_the_cached_path(demo):
    corpus, runs = demo
    clips = predict(load_run(runs["sentiment"]), corpus.select("test_multi"))
    expected = rows_of(runs["sentiment"], [clip.name for clip in clips])
    np.testing.assert_allclose([clip.valence for clip in clips], expected["valence"], atol=1e-6, rtol=0)
    assert all(clip.emotion is None and clip.words == [] and clip.probabilities == {} for clip in clips)


@pytest.mark.parametrize("name", ["multi", "frame", "aligned"])
def test_no_transcript(demo, name):
    corpus, runs = demo
    video = str(corpus.path(corpus.select("test_multi").table["video"][0]))
    (clip,) = predict(load_run(runs[name]), corpus_of([video]))
    assert clip.missing == [("char-hash", "text", Status.EMPTY_TEXT, "no transcript in column 'text'")]
    assert clip.known
    assert sum(clip.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_no_face(demo):
    corpus, runs = demo
    video, text = clip_of(corpus, "no_face")
    (clip,) = predict(load_run(runs["multi"]), corpus_of([video], [text]))
    assert [(missing.feature, missing.status) for missing in clip.missing] == [("face-hog", Status.NO_FACE)]
    assert clip.known


def test_silent(demo):
    corpus, runs = demo
    video, text = clip_of(corpus, "silent")
    (clip,) = predict(load_run(runs["multi"]), corpus_of([video], [text]))
    assert [(missing.feature, missing.status) for missing in clip.missing] == [("egemaps", Status.SILENT)]


@pytest.mark.parametrize("name", ["multi", "frame", "aligned"])
def test_nothing_usable_gets_the_share_of_each_class(demo, name):
    corpus, runs = demo
    video, _ = clip_of(corpus, "truncated")
    trained = load_run(runs[name])
    (clip,) = predict(trained, corpus_of([video]))
    assert not clip.known
    assert {missing.status for missing in clip.missing} == {Status.UNREADABLE, Status.EMPTY_TEXT}
    counts = corpus.select("train").table["emotion"].value_counts(normalize=True)
    assert clip.probabilities == pytest.approx({label: counts.get(label, 0) for label in corpus.emotions}, abs=0.01)


def test_encoder_of_another_identity(demo, tmp_path):
    folder = shutil.copytree(demo[1]["multi"], tmp_path / "run")
    facts = json.loads((folder / "environment.json").read_text())
    facts["caches"]["egemaps"]["identity"] = "0123456789abcdef"
    (folder / "environment.json").write_text(json.dumps(facts))
    here = all_specs()["egemaps"].identity
    with pytest.raises(UserError, match=f"trained on 'egemaps' with identity 0123456789abcdef; here it has {here}"):
        load_run(folder)


def test_encoder_that_is_not_here(demo, tmp_path):
    folder = shutil.copytree(demo[1]["multi"], tmp_path / "run")
    facts = json.loads((folder / "environment.json").read_text())
    facts["caches"]["egemaps"]["modality"] = "text"
    (folder / "environment.json").write_text(json.dumps(facts))
    with pytest.raises(UserError, match=r"trained on 'egemaps', which is not to be had here\. Unknown text encoder"):
        load_run(folder)


def test_folder_that_is_no_run(tmp_path):
    with pytest.raises(UserError, match=r"has no model.safetensors with environment.json beside it"):
        load_run(tmp_path)


def test_damaged_environment(demo, tmp_path):
    folder = shutil.copytree(demo[1]["multi"], tmp_path / "run")
    (folder / "environment.json").write_text('{"caches": {}}')
    with pytest.raises(UserError, match=r"environment.json is damaged"):
        load_run(folder)


def test_command_line(demo, tmp_path, monkeypatch, capsys):
    corpus, runs = demo
    video, _ = clip_of(corpus, "silent")
    out = tmp_path / "predictions.csv"
    arguments = ["predict", "--run", str(runs["multi"]), video, "--text", "很好", "--device", "cpu", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["baseline", *arguments])
    with pytest.raises(SystemExit) as end:
        command_line()
    assert end.value.code == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["clip", "emotion", *corpus.emotions, "valence", "missing"]
    written = pd.read_csv(out).iloc[0]
    assert line.split()[:2] == [written["name"], written["emotion"]]
    assert line.split()[2] == f"{written['probability_neutral']:.3f}"
    assert "audio (egemaps): " in line
    monkeypatch.setattr(sys, "argv", ["baseline", *arguments, "--json"])
    with pytest.raises(SystemExit):
        command_line()
    (facts,) = json.loads(capsys.readouterr().out)
    assert facts["probabilities"]["happy"] == pytest.approx(written["probability_happy"], abs=1e-6)
    assert facts["missing"][0]["status"] == "silent"
