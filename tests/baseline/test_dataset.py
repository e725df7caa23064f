import numpy as np
import pytest
import torch

from baseline.dataset import Examples, coverage, load_inputs, open_features, read_targets
from toolkit.errors import UserError


def test_joined_by_name_in_the_order_asked_for(tiny):
    tiny_corpus, cache = tiny
    sources = open_features(cache, tiny_corpus, ["words", "face"])
    assert list(sources) == ["face", "words"]
    assert [source.modality for source in sources.values()] == ["visual", "text"]
    names = ["train_005", "train_004", "test_multi_000"]
    inputs = load_inputs(sources, names)
    assert inputs.names == tuple(names)
    assert inputs.dims == {"face": 4, "words": 6}
    expected = sources["words"].cache.row("utterance", ["test_multi_000"])[0]
    np.testing.assert_array_equal(inputs.values["words"][2].numpy(), expected)


def test_failed_clip_is_not_present(tiny):
    tiny_corpus, cache = tiny
    inputs = load_inputs(open_features(cache, tiny_corpus, ["face", "voice"]), ["train_003", "train_004"])
    assert inputs.present["face"].tolist() == [True, False]
    assert inputs.present["voice"].tolist() == [True, True]
    assert inputs.values["face"][1].tolist() == [0, 0, 0, 0]
    assert inputs.usable.tolist() == [True, True]
    assert inputs.only(["face"]).usable.tolist() == [True, False]


def test_not_finite(tmp_path, make_corpus, make_cache):
    corpus = make_corpus(tmp_path, train=3)
    make_cache(tmp_path, corpus, "voice", broken=("train_002", "train_005"))
    with pytest.raises(UserError, match=r"voice.h5: 'train_002' has features that are not finite \(2 clips\)"):
        load_inputs(open_features(tmp_path, corpus, ["voice"]), list(corpus.table["name"]))


def test_clip_absent_from_the_cache(tmp_path, make_corpus, make_cache):
    corpus = make_corpus(tmp_path, train=3)
    make_cache(tmp_path, corpus, "voice", leave_out=("train_002", "train_005"))
    with pytest.raises(
        UserError, match=r"lacks 2 of 9 clips, such as 'train_002'.*feature_extraction audio .*--encoder voice"
    ):
        load_inputs(open_features(tmp_path, corpus, ["voice"]), list(corpus.table["name"]))


def test_every_clip_failed(tmp_path, make_corpus, make_cache):
    corpus = make_corpus(tmp_path, train=1)
    make_cache(tmp_path, corpus, "face", failed=tuple(corpus.table["name"]))
    with pytest.raises(UserError, match=r"holds no usable clip.*Leave 'face' out"):
        load_inputs(open_features(tmp_path, corpus, ["face"]), list(corpus.table["name"]))


def test_no_cache(tmp_path, make_corpus):
    with pytest.raises(UserError, match="--encoder egemaps"):
        open_features(tmp_path, make_corpus(tmp_path, train=1), ["egemaps"])


@pytest.mark.parametrize(("features", "message"), [(["voice", "voice"], "'voice' is named twice"), ([], "No features")])
def test_wrong_features(tiny, features, message):
    with pytest.raises(UserError, match=message):
        open_features(tiny[1], tiny[0], features)


def test_targets(tmp_path, make_corpus):
    targets = read_targets(make_corpus(tmp_path, train=1, unlabelled=1))
    assert targets.emotion.tolist() == [0, 1, 2, -1, -1, -1]
    assert targets.valence.isfinite().tolist() == [True] * 3 + [False] * 3
    assert targets.words.shape == (6, 0)


def test_unknown_emotion(tmp_path, make_corpus):
    corpus = make_corpus(tmp_path, train=1)
    corpus.table.loc[1, "emotion"] = "angri"
    with pytest.raises(UserError, match=r"'train_001' has the emotion 'angri'. Did you mean 'angry'\?"):
        read_targets(corpus)


def test_take_and_join(tiny):
    corpus, cache = tiny
    corpus = corpus.select("train")
    sources = open_features(cache, corpus, ["voice"])
    examples = Examples(load_inputs(sources, list(corpus.table["name"])), read_targets(corpus))
    first, last = examples.take(torch.tensor([2, 0])), examples.take(torch.arange(36) == 35)
    both = first.join(last)
    assert both.inputs.names == ("train_002", "train_000", "train_035")
    assert both.targets.emotion.tolist() == [2, 0, 2]
    assert torch.equal(both.inputs.values["voice"][1], examples.inputs.values["voice"][0])


def test_coverage(tiny):
    corpus, cache = tiny
    counts = coverage(open_features(cache, corpus, ["face", "voice"]), list(corpus.select("train").table["name"]))
    assert counts == {"face": {"ok": 35, "no_face": 1}, "voice": {"ok": 36}}
