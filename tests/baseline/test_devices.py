"""Training and predicting on a device that is not the CPU."""

from pathlib import Path

import pandas as pd
import pytest
import torch

from baseline.config import TrainingSettings
from baseline.course import Course
from baseline.dataset import Examples, Inputs, Targets
from baseline.fold_models import FoldEnsemble
from baseline.lesson import Lesson
from baseline.ragged import Ragged
from baseline.reading import Reading
from baseline.task import EmotionTask
from baseline.trainer import Job, fit_all
from pretend_device import THERE, PretendDevice
from toolkit.corpus import corpus_from_table
from toolkit.errors import UserError
from toolkit.models.network import build_network, networks

CPU = torch.device("cpu")
TASK = EmotionTask(("a", "b", "c"))
CLIPS, DIMS = 48, {"text": 16, "voice": 16}
SETTINGS = TrainingSettings(epochs=2, batch_size=16, modality_dropout=0.2, gradient_clip=1.0)


def pool(device: torch.device, *, frames: bool) -> Examples:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 5, (CLIPS,), generator=generator)
    values, present = {}, {}
    for number, (key, dim) in enumerate(DIMS.items()):
        rows = torch.randn(int(lengths.sum()) if frames else CLIPS, dim, generator=generator).to(device)
        values[key] = Ragged.end_to_end(rows, lengths.to(device)) if frames else rows
        present[key] = (torch.arange(CLIPS) % 7 != number).to(device)
    emotion = (torch.arange(CLIPS) % 3).to(device)
    targets = Targets(emotion, emotion - 1.0, torch.zeros(CLIPS, 0).to(device))
    return Examples(Inputs(tuple(map(str, range(CLIPS))), values, present), targets)


def lessons(device: torch.device, *, frames: bool = False) -> list[Lesson]:
    clips, rows = pool(device, frames=frames), torch.arange(CLIPS)
    folds = [(rows[rows % 4 != fold].to(device), rows[rows % 4 == fold].to(device)) for fold in range(2)]
    return [Lesson(clips, train, valid, seed) for seed, (train, valid) in enumerate(folds)]


def jobs(device: torch.device, name: str, *, frames: bool) -> list[Job]:
    told = {"frames": frames} if "utterance" in networks.get(name).levels and frames else {}
    network = {"name": name, "inputs": DIMS, "classes": 3, "hidden": 16, **told}
    rates = (3e-3, 1e-3)
    all_of = [(lesson, rate) for lesson in lessons(device, frames=frames) for rate in rates]
    return [Job(one, network, SETTINGS.model_copy(update={"learning_rate": rate})) for one, rate in all_of]


def trained(device: torch.device, name: str, *, frames: bool) -> tuple[dict[str, torch.Tensor], list[object]]:
    """Weights of all networks, and what they predict."""
    given = jobs(device, name, frames=frames)
    fits = fit_all(given, TASK)
    ensemble = FoldEnsemble([fit.model for fit in fits], given[0].network, TASK.labels, "softmax", (-1, 1), 4)
    states = [fit.model.network.state_dict().items() for fit in fits]
    weights = {f"{number}/{key}": value.cpu() for number, state in enumerate(states) for key, value in state}
    return weights, [*ensemble.predict(given[0].lesson.pool.inputs), *(fit.merit for fit in fits)]


@pytest.mark.parametrize(("name", "frames"), [("attention", False), ("mlp", False), ("ef_lstm", True)])
def test_same_as_on_the_cpu(name, frames):
    """Nothing is mixed with tensors on the CPU, and only rounding differs."""
    weights, said = trained(CPU, name, frames=frames)
    with PretendDevice() as device:
        ours, told = trained(THERE, name, frames=frames)
    assert device.calls["_fused_adam_"] > 0
    torch.testing.assert_close(ours, weights, rtol=1e-4, atol=1e-5)
    for theirs, one in zip(said, told, strict=True):
        torch.testing.assert_close(torch.as_tensor(one), torch.as_tensor(theirs), rtol=1e-4, atol=1e-4)


def test_no_step_asks_for_a_number():
    """Or the device would stand still while Python prepares the next step."""
    with PretendDevice() as device:
        own = lessons(THERE)
        networks_of = [build_network("attention", DIMS, 3, hidden=16) for _ in own]
        course = Course(networks_of, own, [SETTINGS] * 2, TASK)
        before = device.asked
        course._teach()
    assert device.calls["_fused_adam_"] == 3, "steps"
    assert device.asked == before


def test_what_an_epoch_asks_for_does_not_grow_with_the_models():
    asked = []
    for models in (1, 4):
        with PretendDevice() as device:
            own = lessons(THERE)[0]
            networks_of = [build_network("attention", DIMS, 3, hidden=16) for _ in range(models)]
            course = Course(networks_of, [own] * models, [SETTINGS] * models, TASK)
            course._judge()
            before = device.asked
            course._judge()
        asked.append(device.asked - before)
    assert asked[0] == asked[1]


def test_models_of_one_learning_rate_move_together():
    """Two folds at two rates: the optimiser is called twice a step, not four times."""
    with PretendDevice() as device:
        fit_all(jobs(THERE, "attention", frames=False), TASK)
    assert device.calls["_fused_adam_"] == SETTINGS.epochs * 3 * 2


@pytest.mark.parametrize("frames", [False, True])
def test_devices_without_float64(monkeypatch, frames):
    with PretendDevice() as device:
        lesson = lessons(THERE, frames=frames)[0]
        with_doubles = lesson.standard.mean["text"].cpu()
        assert device.doubles
    monkeypatch.setattr("baseline.standard.WITHOUT_DOUBLES", ("meta",))
    with PretendDevice() as device:
        given = jobs(THERE, "lf_dnn", frames=frames)
        fit_all(given, TASK)
        assert torch.equal(given[0].lesson.standard.mean["text"].cpu(), with_doubles)
    assert not device.doubles


def ended(*_, **__):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


def test_memory_that_ends_is_said_in_a_line(monkeypatch):
    monkeypatch.setattr("baseline.trainer.Course", ended)
    with pytest.raises(UserError, match=r"^The training of 4 networks does not fit on cpu\. Use smaller networks, .*$"):
        fit_all(jobs(CPU, "mlp", frames=False), TASK)
    monkeypatch.setattr("baseline.reading.load_inputs", ended)
    corpus = corpus_from_table("tiny", Path("clips"), pd.DataFrame({"name": ["a", "b"]}))
    with pytest.raises(UserError, match=r"^What is read of 2 clips does not fit on cuda\. Use fewer features, .*$"):
        Reading().load({}, corpus, "cuda")
