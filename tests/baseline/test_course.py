"""Models that train side by side, each as if it were alone."""

import pytest
import torch

from baseline.config import TrainingSettings
from baseline.dataset import Examples, Inputs, Targets
from baseline.lesson import Lesson
from baseline.task import EmotionTask
from baseline.trainer import Fit, Job, fit_all
from toolkit.models.network import networks

TASK = EmotionTask(("a", "b", "c"))
STACKING = [name for name in networks.names() if networks.get(name).stacks or "utterance" in networks.get(name).levels]


def pool(clips: int = 90) -> Examples:
    generator = torch.Generator().manual_seed(0)
    emotion = torch.arange(clips) % 3
    values = {"x": torch.randn(clips, 5, generator=generator), "y": torch.randn(clips, 4, generator=generator)}
    values["x"][:, 0] += emotion
    present = {"x": torch.arange(clips) % 7 != 0, "y": torch.ones(clips, dtype=torch.bool)}
    return Examples(
        Inputs(tuple(map(str, range(clips))), values, present), Targets(emotion, emotion - 1.0, torch.zeros(clips, 0))
    )


POOL = pool()


def lesson(fold: int, seed: int = 0) -> Lesson:
    rows = torch.arange(len(POOL))
    return Lesson(POOL, rows[rows // 3 % 3 != fold], rows[rows // 3 % 3 == fold], seed)


def network(name: str, **options) -> dict:
    return {"name": name, "inputs": POOL.inputs.dims, "classes": 3, **options}


def settings(**options) -> TrainingSettings:
    return TrainingSettings(**{"epochs": 4, "batch_size": 16, "learning_rate": 3e-3, **options})


def same(one: Fit, other: Fit) -> bool:
    first, second = one.model.network.state_dict(), other.model.network.state_dict()
    equal = all(torch.equal(first[key], second[key]) for key in first)
    return equal and one.epoch == other.epoch and one.merit == other.merit


@pytest.mark.parametrize("name", STACKING)
def test_alone_or_with_others_bit_for_bit(name):
    """Two folds, two seeds, dropout and learning rates of their own: each as if nobody trained beside it."""
    lessons = [lesson(0), lesson(1), lesson(1, seed=5)]
    jobs = [
        Job(one, network(name, hidden=16, dropout=dropout), settings(learning_rate=rate, epochs=epochs))
        for one in lessons
        for dropout, rate, epochs in ((0.0, 1e-2, 4), (0.4, 3e-3, 3))
    ]
    together = fit_all(jobs, TASK)
    alone = [fit_all([job], TASK)[0] for job in jobs]
    assert all(map(same, together, alone))
    assert len({one.merit for one in together}) > 1


def test_patience_of_one_does_not_end_the_others():
    worse = Lesson(POOL, lesson(0).train, lesson(0).valid, 3)
    jobs = [
        Job(one, network("mlp", hidden=16), settings(epochs=12, patience=2)) for one in (lesson(0), lesson(1), worse)
    ]
    together = fit_all(jobs, TASK)
    assert all(map(same, together, [fit_all([job], TASK)[0] for job in jobs]))


def test_without_validation_clips_each_has_its_own_last_epoch():
    last = Lesson(POOL, lesson(0).train, None, 0)
    jobs = [Job(last, network("mlp", hidden=16), settings(epochs=epochs)) for epochs in (1, 4)]
    first, second = fit_all(jobs, TASK)
    assert (first.epoch, second.epoch) == (1, 4)
    assert first.merit is second.merit is None
    assert same(second, fit_all(jobs[1:], TASK)[0])
    assert not same(first, second)


def test_the_slow_way():
    """Against a plain loop in torch: one network, Adam, the same order of clips, no dropout."""
    one, plain = lesson(0), settings(epochs=3, gradient_clip=0.01, label_smoothing=0.1, class_weights="balanced")
    fitted = fit_all([Job(one, network("attention", hidden=16, dropout=0.0), plain)], TASK)[0]
    expected = slow(one, plain, fitted.epoch)
    for key, weight in fitted.model.network.state_dict().items():
        torch.testing.assert_close(weight, expected[key], rtol=1e-5, atol=1e-6)


def slow(one: Lesson, plain: TrainingSettings, epochs: int) -> dict[str, torch.Tensor]:
    import numpy as np

    from toolkit.models.network import build_network

    torch.manual_seed(one.seed)
    net = build_network(**network("attention", hidden=16, dropout=0.0))
    optimizer = torch.optim.Adam(net.parameters(), lr=plain.learning_rate, weight_decay=plain.weight_decay)
    inputs = one.standard.apply(one.pool.inputs)
    counts = torch.bincount(POOL.targets.emotion[one.train])
    weights = len(one.train) / (3 * counts)
    entropy = torch.nn.CrossEntropyLoss(weights, label_smoothing=plain.label_smoothing)
    source = np.random.Generator(np.random.SFC64([one.seed, 1]))
    for _ in range(epochs):
        for rows in one.train[torch.from_numpy(source.permutation(len(one.train)))].split(plain.batch_size):
            taken = inputs.take(rows)
            output = net(taken.values, taken.present)
            loss = entropy(output.emotion_logits, POOL.targets.emotion[rows])
            loss = loss + (output.valence - one.targets.valence[rows]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_value_(net.parameters(), plain.gradient_clip)
            optimizer.step()
    return net.state_dict()
