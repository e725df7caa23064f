import numpy as np
import pytest
import torch

from baseline.config import TrainingSettings
from baseline.crossvalidation import Recipe, cross_validate
from baseline.dataset import Examples, load_inputs, open_features, read_targets
from baseline.fold_models import FoldEnsemble
from baseline.protocol import make_folds
from baseline.task import EmotionTask, Truth
from baseline.vocabulary import VocabularyTask, learn_vocabulary, words_of_clips
from toolkit.errors import UserError
from toolkit.metrics.wheel import load_wheels


@pytest.fixture
def case(tiny):
    corpus, cache = tiny
    train = corpus.select("train")
    inputs = load_inputs(open_features(cache, corpus, ["face", "words"]), list(train.table["name"]))
    examples = Examples(inputs, read_targets(train))
    return examples, make_folds(train, 3, seed=0).to_numpy(), EmotionTask(train.emotions, combined=True)


def recipe(select="fold", epochs=15, **options):
    network = {"name": "mlp", "hidden": 8, "dropout": 0.1}
    return Recipe(network, TrainingSettings(epochs=epochs, learning_rate=1e-2), select, 0, (-5.0, 5.0), **options)


def same(first, second):
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True))


def test_held_out_is_predicted_by_the_network_that_never_saw_it(case):
    examples, folds, task = case
    result = cross_validate(examples, folds, task, recipe())
    for fold in range(3):
        alone = result.ensemble.predict(examples.inputs, [fold])
        rows = folds == fold
        assert same(alone.take(rows), result.held_out.take(rows))
    assert [one.clips for one in result.results] == [12, 12, 12]
    assert result.scores["accuracy"] > 0.8
    scores = [one.scores["weighted_f1"] for one in result.results]
    spread = np.sqrt(sum((score - np.mean(scores)) ** 2 for score in scores) / 2)
    assert result.validation["weighted_f1"] == pytest.approx({"mean": np.mean(scores), "std": spread})


def test_the_merit_is_the_score_of_the_fold_that_chose(case):
    """Valence in its unit and kept within the range, as in predictions."""
    result = cross_validate(*case, recipe(epochs=4)._replace(valence_range=(-1.0, 1.5)))
    assert result.merits == pytest.approx([one.scores["score"] for one in result.results], abs=1e-6)


def test_same_seed_same_predictions(case):
    first, second = (cross_validate(*case, recipe()).held_out for _ in range(2))
    assert same(first, second)


@pytest.mark.parametrize("select", ["inner", "last"])
def test_held_out_labels_change_nothing_but_their_score(case, select):
    """Without the choice of epoch on the validation fold, the prediction of a fold never sees its labels."""
    examples, folds, task = case
    before = cross_validate(examples, folds, task, recipe(select, epochs=5))
    rows = torch.from_numpy(folds == 0)
    emotion = torch.where(rows, (examples.targets.emotion + 1) % 3, examples.targets.emotion)
    valence = torch.where(rows, -examples.targets.valence, examples.targets.valence)
    turned = Examples(examples.inputs, examples.targets._replace(emotion=emotion, valence=valence))
    after = cross_validate(turned, folds, task, recipe(select, epochs=5))
    inside = folds == 0
    assert same(before.held_out.take(inside), after.held_out.take(inside))
    assert not same(before.held_out.take(~inside), after.held_out.take(~inside))


def test_what_is_said_of_a_fold_is_settled_by_the_others(tiny):
    corpus, cache = tiny
    train = corpus.select("train")
    names, folds = list(train.table["name"]), make_folds(train, 3, seed=0).to_numpy()
    words = words_of_clips(train)
    task = VocabularyTask(learn_vocabulary(list(words.values()), 3), words, load_wheels())
    inputs = load_inputs(open_features(cache, corpus, ["voice"]), names)
    examples = Examples(inputs, task.targets(train, "cpu"))
    result = cross_validate(examples, folds, task, recipe(epochs=2))
    truth, said = Truth.of(examples.targets), result.task.said(result.held_out, names)
    for fold, one in enumerate(result.results):
        own, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        parts = result.held_out.take(others), truth.take(others), [names[row] for row in others]
        settled = task.settle(*parts, np.zeros(len(others), int))
        clips, new = result.held_out.take(own), [f"new {row}" for row in own]
        assert settled.said(clips, new) == [said[row] for row in own]
        apart = settled.scores(clips, truth.take(own), [names[row] for row in own])
        assert one.scores == apart
    assert result.task.scores(result.held_out, truth, names) == result.scores
    assert len(set(result.task.by_clip.values()) | {result.task.threshold}) > 1


def test_clip_without_any_feature_gets_the_prior(case):
    examples, folds, task = case
    inputs = examples.inputs.only(["face"])  # train_004 has no face
    result = cross_validate(Examples(inputs, examples.targets), folds, task, recipe(epochs=3))
    assert result.held_out.known.tolist() == [row != 4 for row in range(36)]
    np.testing.assert_allclose(result.held_out.probabilities[4], [1 / 3] * 3, rtol=1e-6)  # the other folds: 8 of each
    others = torch.from_numpy(folds != folds[4])
    assert result.held_out.valence[4] == pytest.approx(examples.targets.valence[others].mean().item())
    changed = inputs.values["face"].clone()
    changed[4] = 1e6
    changed = Examples(type(inputs)(inputs.names, {"face": changed}, inputs.present), examples.targets)
    assert same(cross_validate(changed, folds, task, recipe(epochs=3)).held_out, result.held_out)


def test_clip_without_any_feature_does_not_see_its_own_fold(case):
    """The class shares it gets are those of the clips its network was trained on, without its own label among them."""
    examples, folds, task = case
    inputs = examples.inputs.only(["face"])  # train_004 has no face
    emotion = torch.where(torch.from_numpy(folds == folds[4]), torch.tensor(2), examples.targets.emotion)
    turned = Examples(inputs, examples.targets._replace(emotion=emotion))
    held_out = cross_validate(turned, folds, task, recipe("last", epochs=1)).held_out
    np.testing.assert_allclose(held_out.probabilities[4], [1 / 3] * 3, rtol=1e-6)


def test_fold_that_learnt_no_valence_leaves_it_to_the_others(case):
    """Only clips of fold 0 are rated: its own network learns no valence, the other two decide on new clips."""
    examples, folds, task = case
    valence = examples.targets.valence.where(torch.from_numpy(folds == 0), torch.tensor(float("nan")))
    examples = Examples(examples.inputs, examples.targets._replace(valence=valence))
    result = cross_validate(examples, folds, task, recipe())
    np.testing.assert_array_equal(np.isnan(result.held_out.valence), folds == 0)
    assert np.isfinite(result.ensemble.predict(examples.inputs).valence).all()
    assert "mse" not in result.scores


def test_additions_train_one_fold_only(case):
    examples, folds, task = case
    extra = examples.take(torch.arange(6))
    before, after = (
        cross_validate(examples, folds, task, recipe("last", epochs=3), additions=additions).held_out
        for additions in (None, {1: extra})
    )
    inside = folds == 1
    assert not same(before.take(inside), after.take(inside))
    assert same(before.take(~inside), after.take(~inside))


def test_valence_stays_in_the_range_of_the_corpus(case):
    examples, folds, task = case
    narrow = recipe(epochs=5)._replace(valence_range=(-0.5, 0.25))
    valence = cross_validate(examples, folds, task, narrow).held_out.valence
    assert valence.min() >= -0.5
    assert valence.max() <= 0.25


def test_saved_and_loaded(case, tmp_path):
    examples, folds, task = case
    ensemble = cross_validate(examples, folds, task, recipe(epochs=3)).ensemble
    ensemble.save(tmp_path / "model.safetensors")
    loaded = FoldEnsemble.load(tmp_path / "model.safetensors")
    assert same(loaded.predict(examples.inputs), ensemble.predict(examples.inputs))
    assert loaded.labels == ("neutral", "angry", "happy")
    assert loaded.features == ["face", "words"]
    assert loaded.valence_range == (-5.0, 5.0)


def test_loading_another_file(tmp_path):
    (tmp_path / "model.safetensors").write_text("nothing")
    with pytest.raises(UserError, match=r"holds no model of a run"):
        FoldEnsemble.load(tmp_path / "model.safetensors")
