"""Models that train side by side, each as if it were alone."""

import numpy as np
import pytest
import torch

from baseline.config import TrainingSettings
from baseline.course import Course, _better
from baseline.dataset import Examples, Inputs, Targets
from baseline.lesson import Lesson
from baseline.task import EmotionTask, Prediction, Truth
from baseline.trainer import Fit, Job, fit_all
from baseline.vocabulary import VocabularyTask
from toolkit.metrics.wheel import load_wheels
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


def test_judged_in_batches_bit_for_bit(monkeypatch):
    """Alone and in a stack, and the merit is that of all clips together."""
    jobs = [Job(lesson(fold), network("attention", hidden=16), settings()) for fold in range(3)]
    whole = fit_all(jobs, TASK)
    monkeypatch.setattr("baseline.dataset.BATCH", 16)
    jobs = [job._replace(lesson=lesson(fold)) for fold, job in enumerate(jobs)]
    assert [len(part) for part in jobs[0].lesson.shown()] == [16, 14]
    together = fit_all(jobs, TASK)
    assert all(map(same, together, [fit_all([job], TASK)[0] for job in jobs]))
    assert [one.merit for one in together] == pytest.approx([one.merit for one in whole])


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


def poisoned(monkeypatch, bad: set[int]) -> None:
    """Epochs in place of training: after each, all weights are another number, none at all after bad ones."""
    passes: dict[int, int] = {}

    def teach(course: Course) -> None:
        passes[id(course)] = epoch = passes.get(id(course), 0) + 1
        for weight in course.stack.parameters():
            weight.data.fill_(float("nan") if epoch in bad else 0.01 * epoch)

    monkeypatch.setattr(Course, "_teach", teach)


@pytest.mark.parametrize(("bad", "kept"), [({2, 3, 4}, {1}), ({1}, {2, 3, 4}), ({1, 2, 4}, {3})])
def test_numbers_that_are_none_lose(monkeypatch, bad, kept):
    """Under the combined score, which is lowered by the error of the valence, they would win: their error is none."""
    poisoned(monkeypatch, bad)
    one = fit_all([Job(lesson(0), network("mlp", hidden=16), settings())], EmotionTask(TASK.labels, combined=True))[0]
    assert one.epoch in kept
    assert np.isfinite(one.merit)
    assert all(weight.isfinite().all() for weight in one.model.network.parameters())


def test_a_model_that_runs_off_at_once_shows_it(monkeypatch):
    poisoned(monkeypatch, {1, 2, 3, 4})
    one = fit_all([Job(lesson(0), network("mlp", hidden=16), settings())], TASK)[0]
    assert (one.epoch, one.merit) == (1, -np.inf)
    assert not one.model.network.emotion_head.bias.isfinite().any()


@pytest.mark.parametrize(
    ("ties", "better"), [("loss", [True, True, False, False]), ("first", [True, False, False, False])]
)
def test_ties(ties, better):
    judged = np.array([[0.6, -9.0], [0.5, -0.9], [0.5, -1.1], [0.4, -0.1]])
    assert _better(judged, np.array([[0.5, -1.0]] * 4), ties).tolist() == better


@pytest.mark.parametrize("ties", ["loss", "first"])
def test_which_of_equals_is_kept(monkeypatch, ties):
    """All epochs say the same of every clip; the loss is the lowest after the third."""
    poisoned(monkeypatch, set())
    losses = iter((3.0, 2.0, 1.0, 2.5))
    monkeypatch.setattr(EmotionTask, "loss", lambda *_: torch.tensor([next(losses)]))
    one = fit_all([Job(lesson(0), network("mlp", hidden=16), settings(ties=ties))], TASK)[0]
    assert one.epoch == {"loss": 3, "first": 1}[ties]


def test_judged_in_the_unit_of_the_corpus_and_its_range():
    rows = torch.arange(90)
    narrow = Lesson(POOL, rows[:60], rows[60:], 0, valence_range=(-0.1, 0.05))
    task = EmotionTask(TASK.labels, combined=True)
    one = fit_all([Job(narrow, network("mlp", hidden=16), settings())], task)[0]
    output = one.model.run(POOL.inputs.take(rows[60:]))
    valence = output.valence.clamp(-0.1, 0.05).numpy()
    assert not np.array_equal(valence, output.valence.numpy())
    said = Prediction(output.emotion_logits.softmax(1).numpy(), valence, np.ones(30, bool))
    assert one.merit == pytest.approx(task.scores(said, Truth.of(POOL.targets.take(rows[60:])))["score"], abs=1e-6)


def test_words_without_classes_have_no_class_weights():
    """Two folds in which the highest class differs: of classes that are not learnt nothing is counted."""
    words = torch.stack([POOL.targets.emotion == 0, POOL.targets.emotion == 1], 1).float()
    clips = Examples(POOL.inputs, POOL.targets._replace(words=words, valence=torch.full((90,), float("nan"))))
    task = VocabularyTask(("happy", "sad"), {}, load_wheels())
    rows = torch.arange(90)
    lessons = [Lesson(clips, rows[rows % 3 != fold], rows[rows % 3 == fold], 0) for fold in range(3)]
    plain = settings(epochs=1, class_weights="balanced")
    sizes = {"name": "mlp", "inputs": POOL.inputs.dims, "classes": 2, "hidden": 16}
    assert all(np.isfinite(one.merit) for one in fit_all([Job(own, sizes, plain) for own in lessons], task))


def test_the_slow_way():
    """Against a plain loop in torch: one network, Adam, the same order of clips, no dropout."""
    one, plain = lesson(0), settings(epochs=3, gradient_clip=0.01, label_smoothing=0.1, class_weights="balanced")
    fitted = fit_all([Job(one, network("attention", hidden=16, dropout=0.0), plain)], TASK)[0]
    expected = slow(one, plain, fitted.epoch)
    for key, weight in fitted.model.network.state_dict().items():
        torch.testing.assert_close(weight, expected[key], rtol=1e-5, atol=1e-6)


def slow(one: Lesson, plain: TrainingSettings, epochs: int) -> dict[str, torch.Tensor]:
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
