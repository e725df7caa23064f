"""The exported graph gives what the run's networks give; what cannot be exported says so."""

import importlib.util
import json
import sys
from dataclasses import replace

import pytest
import torch

from baseline import export as subject
from baseline.cli import run as command_line
from baseline.fold_models import FoldEnsemble, FoldModel, Standard
from toolkit.errors import UserError
from toolkit.models.network import build_network, networks

INPUTS = {"face.1": 3, "voice-x": 5, "words": 4}
VECTORS = [name for name in networks.names() if "utterance" in networks.get(name).levels]
ABSENT = [name for name in subject.PACKAGES if importlib.util.find_spec(name) is None]
needs_onnx = pytest.mark.skipif(bool(ABSENT), reason=f"needs the extra onnx: {', '.join(ABSENT)} not installed")


def ensemble_of(name="mlp", *, labels=3, never=(), unrated=(), **facts):
    """Two folds of random networks; in the second no clip had the features ``never``, ``unrated`` learnt no valence."""
    generator, models, arguments = torch.Generator().manual_seed(0), [], {"name": name, "inputs": INPUTS, "hidden": 8}
    for fold in range(2):
        torch.manual_seed(fold)
        network = build_network(classes=labels + 1, **arguments).eval()  # one output beside the labels
        mean = {key: 3 * torch.randn(dim, generator=generator) for key, dim in INPUTS.items()}
        spread = {key: 0.5 + torch.rand(dim, generator=generator) for key, dim in INPUTS.items()}
        spread |= {key: torch.full_like(spread[key], torch.inf) for key in never if fold == 1}
        valence = torch.full((2,), torch.nan) if fold in unrated else torch.tensor([0.5 - fold, 2.0])
        models.append(FoldModel(network, Standard(mean, spread, valence), torch.tensor([0.2, 0.5, 0.3])))
    arguments |= {"classes": labels + 1}
    return FoldEnsemble(models, arguments, ("a", "b", "c"), "softmax", (-1.0, 1.5), **({"folds": 2} | facts))


def assert_deployed(ensemble):
    """The graph, still in torch, beside the predictions of the networks."""
    graph = subject.Deployed(ensemble)
    for inputs in subject._random_batches(ensemble):
        expected = ensemble.predict(inputs)
        outputs = graph(inputs.values, inputs.present)
        for name, ours in zip(graph.outputs, outputs, strict=True):
            torch.testing.assert_close(ours.detach(), torch.from_numpy(getattr(expected, name)), rtol=1e-5, atol=1e-6)
    return outputs


@pytest.mark.parametrize("name", VECTORS)
def test_deployed_networks(name):
    assert len(assert_deployed(ensemble_of(name))) == 2


@pytest.mark.parametrize(
    "facts",
    [{"activation": "sigmoid"}, {"mean_of": "logits"}, {"valence_range": (-0.1, 0.1)}],
    ids=lambda facts: next(iter(facts)),
)
def test_deployed_as_the_run_decides(facts):
    ensemble = ensemble_of()
    changed = replace(ensemble, **facts)
    outputs = assert_deployed(changed)
    inputs = next(subject._random_batches(ensemble))
    assert not torch.equal(subject.Deployed(ensemble)(inputs.values, inputs.present)[0], outputs[0])


def test_deployed_where_a_fold_never_had_a_feature_or_a_valence():
    assert len(assert_deployed(ensemble_of(never=["words"], unrated=[0]))) == 2
    assert len(assert_deployed(ensemble_of(unrated=[0, 1]))) == 1


def test_deployed_where_each_fold_knows_other_clips():
    """The second fold has no say in clips that have nothing but what it never saw."""
    for mean_of in ("probabilities", "logits"):
        assert len(assert_deployed(ensemble_of(never=["words", "face.1"], mean_of=mean_of))) == 2


def test_deployed_without_standardisation():
    ensemble = ensemble_of()
    usual = torch.tensor(0.75)
    models = [m._replace(standard=m.standard._replace(limit=torch.inf, usual=usual)) for m in ensemble.models]
    _, valence = assert_deployed(replace(ensemble, models=models))
    assert valence.tolist() == [0.75] * 600, "the last batch has no features"


def test_deployed_sentiment():
    """There are no labels, and no probabilities either."""
    ensemble = ensemble_of()
    models = [model._replace(prior=torch.zeros(0)) for model in ensemble.models]
    sentiment = replace(ensemble, models=models, labels=(), activation="sigmoid")
    assert len(assert_deployed(sentiment)) == 1
    assert subject.Deployed(sentiment).outputs == ["valence"]


def test_random_batches_have_clips_with_all_some_and_no_features():
    batches = list(subject._random_batches(ensemble_of(), (1, 40)))
    counts = [torch.stack(list(inputs.present.values())).sum(0) for inputs in batches]
    assert [len(inputs) for inputs in batches] == [1, 1, 1, 40, 40, 40]
    assert all(bool((count == have).all()) for count, have in zip(counts[::3], (3, 3), strict=True))
    assert counts[4].unique().tolist() == [0, 1, 2, 3]
    assert all(bool((count == 0).all()) for count in counts[2::3])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    ensemble_of("attention", never=["words"], facts={"threshold": 0.5}).save(folder / "model.safetensors")
    return folder


@needs_onnx
def test_exported_file(folder, tmp_path, monkeypatch, capfd, caplog):
    import onnxruntime

    caplog.set_level("INFO")  # as on the command line
    path = tmp_path / "run.onnx"
    monkeypatch.setattr(sys, "argv", ["baseline", "export", str(folder), "--onnx", str(path)])
    with pytest.raises(SystemExit) as end:
        command_line()
    out, error = capfd.readouterr()
    assert (end.value.code, error, caplog.messages) == (0, "", [])
    assert out.startswith(f"{path}: at most ")
    assert [file.name for file in tmp_path.iterdir()] == ["run.onnx"]

    session = onnxruntime.InferenceSession(str(path))
    names = ["face.1", "voice-x", "words"]
    assert [part.name for part in session.get_inputs()] == [*names, *(f"{name}.present" for name in names)]
    assert [part.name for part in session.get_outputs()] == ["probabilities", "valence"]
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["labels"]) == ["a", "b", "c"]
    assert json.loads(metadata["features"]) == INPUTS
    assert json.loads(metadata["facts"]) == {"threshold": 0.5}
    assert metadata["activation"] == "softmax"

    ensemble = FoldEnsemble.load(folder / "model.safetensors")
    assert subject.largest_difference(ensemble, path) <= 1e-5
    other = replace(ensemble, models=[m._replace(prior=m.prior.flip(0) + 2e-5) for m in ensemble.models])
    assert subject.largest_difference(other, path) > 1e-5, "clips without any feature are compared"


def test_a_graph_that_differs_is_not_written(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(subject, "PACKAGES", ())
    monkeypatch.setattr(subject, "_write", lambda _, path: path.write_bytes(b"a graph"))
    monkeypatch.setattr(subject, "largest_difference", lambda *_: float("nan"))
    with pytest.raises(UserError, match=r"differs from the networks of .* by nan, expected at most 1e-05"):
        subject.export_run(folder, tmp_path / "run.onnx")
    assert list(tmp_path.iterdir()) == []


def test_absent_packages(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(subject, "PACKAGES", ("json", "no_such_package"))
    with pytest.raises(UserError, match=r"ONNX needs no_such_package, not installed here. .*\.\[onnx\]"):
        subject.export_run(folder, tmp_path / "run.onnx")


def test_no_folder_to_write_to(folder, tmp_path):
    with pytest.raises(UserError, match="There is no folder"):
        subject.export_run(folder, tmp_path / "absent" / "run.onnx")


def test_no_run(tmp_path, monkeypatch):
    monkeypatch.setattr(subject, "PACKAGES", ())
    with pytest.raises(UserError, match="holds no model of a run"):
        subject.export_run(tmp_path, tmp_path / "run.onnx")


def test_networks_that_read_sequences(tmp_path, monkeypatch):
    monkeypatch.setattr(subject, "PACKAGES", ())
    ensemble_of("ef_lstm").save(tmp_path / "model.safetensors")
    with pytest.raises(UserError, match="reads sequences of frames"):
        subject.export_run(tmp_path, tmp_path / "run.onnx")


def test_more_weights_than_a_file_holds(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(subject, "PACKAGES", ())
    monkeypatch.setattr(subject, "LARGEST", 5000)
    with pytest.raises(UserError, match=r"have 0\.0 GB of weights; an ONNX file holds less than 2\.1"):
        subject.export_run(folder, tmp_path / "run.onnx")
