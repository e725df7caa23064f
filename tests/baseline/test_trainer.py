import numpy as np
import pytest
import torch

from baseline.config import TrainingSettings
from baseline.course import Course
from baseline.dataset import Examples, Inputs, Targets
from baseline.task import EmotionTask
from baseline.trainer import fit
from toolkit.metrics.classification import weighted_f1

NETWORK = {"name": "mlp", "inputs": {"x": 3}, "classes": 2, "hidden": 8, "dropout": 0.2}
TASK = EmotionTask(("a", "b"))
SHORT = TrainingSettings(epochs=6, batch_size=8)


def examples(count=40, seed=0, shift=0.0):
    generator = torch.Generator().manual_seed(seed)
    emotion = torch.arange(count) % 2
    values = torch.randn(count, 3, generator=generator) + (emotion[:, None] * 4 - 2) + shift
    inputs = Inputs(tuple(map(str, range(count))), {"x": values}, {"x": torch.ones(count, dtype=torch.bool)})
    return Examples(inputs, Targets(emotion, emotion * 4.0 - 1, torch.zeros(count, 0)))


def weights(fit_result):
    return torch.cat([value.flatten() for value in fit_result.model.network.state_dict().values()])


def test_same_seed_same_weights():
    first, second, other = (fit(NETWORK, TASK, examples(), SHORT, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(weights(first), weights(second))
    assert not torch.equal(weights(first), weights(other))


def test_global_generator_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    fit(NETWORK, TASK, examples(8), SHORT, seed=1)
    assert torch.equal(torch.rand(1), expected)


def test_learns():
    result = fit(NETWORK, TASK, examples(), TrainingSettings(epochs=40, learning_rate=1e-2), seed=0)
    output = result.model.run(examples(seed=9).inputs)
    assert (output.emotion_logits.argmax(1) == torch.arange(40) % 2).float().mean() > 0.9
    assert (output.valence - examples().targets.valence).square().mean() < 0.5


def turned(count: int = 40) -> Examples:
    """Validation clips whose labels contradict those of training: who learns gets worse there."""
    valid = examples(count, seed=3)
    return Examples(valid.inputs, valid.targets._replace(emotion=1 - valid.targets.emotion))


def test_epoch_with_the_best_validation_score_is_kept():
    settings = TrainingSettings(epochs=8, patience=8, batch_size=8, learning_rate=3e-3)
    best = fit(NETWORK, TASK, examples(), settings, seed=1, valid=turned())
    merits = []
    for epochs in range(1, 9):
        model = fit(NETWORK, TASK, examples(), settings.model_copy(update={"epochs": epochs}), seed=1).model
        guess = model.run(turned().inputs).emotion_logits.argmax(1)
        merits.append(weighted_f1(turned().targets.emotion.numpy(), guess.numpy(), (0, 1)))
    assert best.merit == max(merits) > merits[-1]
    assert merits[best.epoch - 1] == max(merits)
    again = fit(NETWORK, TASK, examples(), settings.model_copy(update={"epochs": best.epoch}), seed=1)
    assert torch.equal(weights(best), weights(again))


@pytest.mark.parametrize("patience", [2, 4])
def test_patience_ends_training(monkeypatch, patience):
    """The first epochs are the best, so that training ends so many epochs after them."""
    looked = []
    judge = Course._judge
    monkeypatch.setattr(Course, "_judge", lambda course: looked.append(judge(course)) or looked[-1])
    patient = TrainingSettings(epochs=50, patience=patience, learning_rate=1e-2)
    result = fit(NETWORK, TASK, examples(), patient, seed=1, valid=turned())
    assert len(looked) == result.epoch + patience < 50


def test_without_validation_the_last_epoch_is_kept():
    assert fit(NETWORK, TASK, examples(), SHORT, seed=1).epoch == 6
    empty = examples().take(torch.zeros(40, dtype=torch.bool))
    assert fit(NETWORK, TASK, examples(), SHORT, seed=1, valid=empty).epoch == 6


def test_batch_of_one_clip():
    assert fit(NETWORK, TASK, examples(9), SHORT, seed=1).epoch == 6  # 9 clips in batches of 8


def test_standardised_on_the_training_fold_only():
    train = examples(shift=100.0)
    standard = fit(NETWORK, TASK, train, SHORT, seed=1, valid=examples()).model.standard
    np.testing.assert_allclose(standard.mean["x"], train.inputs.values["x"].mean(0), rtol=1e-5)
    np.testing.assert_allclose(standard.deviation["x"], train.inputs.values["x"].std(0, correction=0), rtol=1e-4)
    assert standard.valence.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("setting", [{"epochs": 0}, {"learning_rate": 0}, {"batch_size": 0}, {"epoch": 3}])
def test_wrong_settings(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        TrainingSettings(**setting)
