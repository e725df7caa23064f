"""Ensembles of networks whose outputs are known: a head's bias and nothing else."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from baseline.dataset import Inputs
from baseline.fold_models import FoldEnsemble, FoldModel, mean_of_some
from baseline.standard import Standard
from toolkit.errors import UserError
from toolkit.models.network import build_network

NAN, INF = float("nan"), float("inf")
ARGUMENTS = {"name": "mlp", "inputs": {"x": 1, "y": 1}, "classes": 2, "hidden": 4}


def model(odds=0.0, valence=0.0, *, untaught="", standard=(1.0, 2.0), prior=(0.5, 0.5), usual=None) -> FoldModel:
    """Says that the second label is so much more probable (log of the odds), and a standardised valence."""
    network = build_network(**ARGUMENTS).eval()
    for weight in network.parameters():
        weight.data.zero_()
    network.emotion_head.bias.data[1], network.valence_head.bias.data[0] = odds, valence
    deviation = {key: torch.tensor([INF if key in untaught else 1.0]) for key in "xy"}
    usual = None if usual is None else torch.tensor(usual)
    measured = Standard({key: torch.zeros(1) for key in "xy"}, deviation, torch.tensor(standard), 5.0, usual)
    return FoldModel(network, measured, torch.tensor(prior))


def ensemble(*models: FoldModel, valence_range=(-9.0, 9.0), **options) -> FoldEnsemble:
    return FoldEnsemble(list(models), ARGUMENTS, ("a", "b"), "softmax", valence_range, folds=len(models), **options)


# With both features, with x alone, with y alone, with none.
CLIPS = Inputs(
    tuple("bxyn"),
    {key: torch.ones(4, 1) for key in "xy"},
    {"x": torch.tensor([True, True, False, False]), "y": torch.tensor([True, False, True, False])},
)
LOG3 = 1.0986123  # odds of 3 to 1


def test_mean_of_probabilities_and_valences():
    found = ensemble(model(LOG3, 1.0), model(0.0, 0.0)).predict(CLIPS)
    assert found.probabilities[:3, 1].tolist() == pytest.approx([(0.75 + 0.5) / 2] * 3)
    assert found.valence.tolist() == pytest.approx([2.0, 2.0, 2.0, 1.0])  # (3 + 1) / 2, and the training mean
    assert found.known.tolist() == [True, True, True, False]


def test_mean_of_logits():
    found = ensemble(model(2 * LOG3), model(0.0), mean_of="logits").predict(CLIPS)
    assert found.probabilities[0, 1] == pytest.approx(0.75)


def test_valence_stays_in_the_range():
    assert ensemble(model(valence=9.0), valence_range=(-1.0, 4.0)).predict(CLIPS).valence.tolist() == [4, 4, 4, 1]


def test_a_model_has_no_say_where_it_was_taught_nothing():
    """The first never saw y: of the clip that has nothing else, the second alone decides."""
    two = ensemble(
        model(LOG3, 1.0, untaught="y", prior=(0.9, 0.1)), model(-LOG3, 0.0, standard=(5.0, 1.0), prior=(0.7, 0.3))
    )
    found = two.predict(CLIPS)
    assert found.probabilities[:, 1].tolist() == pytest.approx([0.5, 0.5, 0.25, 0.2])
    assert found.valence.tolist() == pytest.approx([4.0, 4.0, 5.0, 3.0])
    alone = two.predict(CLIPS, [0])
    assert alone.known.tolist() == [True, True, False, False]
    assert alone.probabilities[2:].tolist() == [pytest.approx([0.9, 0.1])] * 2
    assert alone.valence.tolist() == [3.0, 3.0, 1.0, 1.0]


def test_valence_of_those_that_learnt_it():
    """The first learnt none, and is the only one that was taught x."""
    found = ensemble(model(standard=(NAN, NAN)), model(valence=1.0, untaught="x")).predict(CLIPS)
    assert found.valence.tolist() == [3.0, 1.0, 3.0, 1.0]
    assert ensemble(model(standard=(NAN, NAN))).predict(CLIPS).valence.tolist() == pytest.approx([NAN] * 4, nan_ok=True)


def test_mean_valence_where_nothing_is_standardised():
    found = ensemble(model(valence=1.0, standard=(0.0, 1.0), usual=2.5)).predict(CLIPS)
    assert found.valence.tolist() == [1.0, 1.0, 1.0, 2.5]


def test_numbers_that_ran_off_show():
    assert ensemble(model(NAN), model(0.0)).predict(CLIPS).probabilities[:3, 1].tolist() == pytest.approx(
        [NAN] * 3, nan_ok=True
    )


def test_mean_of_some():
    values = torch.tensor([[[1.0], [2.0], [NAN]], [[3.0], [NAN], [NAN]]])
    counts = torch.tensor([[True, True, False], [True, False, False]])
    assert mean_of_some(values, counts).tolist() == [[2.0], [2.0], [0.0]]


def test_saved_and_loaded(tmp_path):
    path = tmp_path / "model.safetensors"
    before = ensemble(model(LOG3, 1.0, standard=(0.0, 1.0), usual=2.5), model(untaught="y"), facts={"threshold": 0.25})
    before.save(path)
    after = FoldEnsemble.load(path)
    for one, other in zip(before.predict(CLIPS), after.predict(CLIPS), strict=True):
        assert one.tolist() == other.tolist()
    assert after.facts == {"threshold": 0.25}
    assert after.models[1].standard.usual is None


def test_files_of_before_have_no_usual_valence(tmp_path):
    path = tmp_path / "model.safetensors"
    ensemble(model(standard=(0.0, 1.0), usual=2.5)).save(path)
    rewrite(path, drop="usual_valence")
    assert FoldEnsemble.load(path).predict(CLIPS).valence.tolist() == [0.0] * 4


def rewrite(path, drop="", metadata=None, **tensors):
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        told = file.metadata()
    kept = {key: value for key, value in load_file(path).items() if not drop or drop not in key}
    save_file(kept | tensors, path, metadata=metadata or told)


@pytest.mark.parametrize(
    "damage",
    [
        {"metadata": {"model": "{not json"}},
        {"metadata": {"model": "[]"}},
        {"metadata": {"model": json.dumps({"limit": "many", "models": 1})}},
        {"metadata": {"other": "1"}},
        {"drop": "prior"},
        {"drop": "emotion_head"},
        {"model0/network/emotion_head.bias": torch.zeros(7)},
    ],
    ids=str,
)
def test_damaged(tmp_path, damage):
    path = tmp_path / "model.safetensors"
    ensemble(model()).save(path)
    rewrite(path, **damage)
    with pytest.raises(UserError, match=r"holds no model of a run \("):
        FoldEnsemble.load(path)
