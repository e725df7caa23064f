import numpy as np
import torch

from baseline.dataset import BATCH, Examples, Inputs, Targets
from baseline.lesson import Lesson, order_of
from baseline.ragged import Ragged


def pool(values, present=None) -> Examples:
    count = len(values)
    present = torch.ones(count, dtype=torch.bool) if present is None else present
    clips = Inputs(tuple(map(str, range(count))), {"x": values}, {"x": present})
    return Examples(clips, Targets(torch.arange(count) % 2, torch.arange(count) * 2.0, torch.zeros(count, 0)))


def rows(*numbers: int) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.int64)


def test_standardised_on_the_training_clips():
    one = Lesson(pool(torch.tensor([[1.0], [3.0], [5.0]])), rows(0, 1), rows(2), 0)
    inputs, targets, truth = one.held
    assert inputs.values["x"].tolist() == [[3.0]]  # (5 - 2) / 1
    assert targets.valence.tolist() == [3.0]  # (4 - 1) / 1
    assert truth.valence.tolist() == [4.0]
    assert one.targets.valence.tolist() == [-1.0, 1.0, 3.0]


def test_as_they_are():
    one = Lesson(pool(torch.tensor([[1.0], [3.0], [50.0]])), rows(0, 1), rows(2), 0, normalise=False)
    inputs, targets, _ = one.held
    assert inputs.values["x"].tolist() == [[50.0]]
    assert targets.valence.tolist() == [4.0]
    assert one.standard.usual_valence == 1.0


def test_nothing_to_judge_on():
    values = torch.ones(3, 1)
    assert Lesson(pool(values), rows(0, 1), None, 0).held is None
    assert Lesson(pool(values), rows(0, 1), rows(), 0).held is None
    untaught = pool(values, torch.tensor([False, False, True]))
    assert Lesson(untaught, rows(0, 1), rows(2), 0).held is None


def test_shown_in_batches():
    count = BATCH + 88
    one = Lesson(pool(torch.arange(count * 1.0)[:, None]), rows(0, 1), torch.arange(count), 0)
    parts = list(one.shown())
    assert list(map(len, parts)) == [BATCH, 88]
    assert torch.equal(torch.cat([part.values["x"] for part in parts]), one.held[0].values["x"])


def test_frames_are_shown_shortest_first_and_standardised():
    frames = Ragged.end_to_end(torch.tensor([[1.0], [3.0], [2.0], [2.0], [4.0]]), torch.tensor([2, 2, 1]))
    one = Lesson(pool(frames), rows(0), rows(1, 2), 0)
    assert one.held[2].valence.tolist() == [4.0, 2.0]
    (shown,) = one.shown()
    assert shown.lengths.tolist() == [1, 2]
    assert shown.values["x"].frames.tolist() == [[2.0], [0.0], [0.0]]


def test_order():
    one = Lesson(pool(torch.ones(6, 1)), rows(1, 3, 5), None, 0)
    source = np.random.default_rng(0)
    orders = [order_of(one, source, 4) for _ in range(20)]
    assert all(sorted(found.tolist()[:3]) == [1, 3, 5] for found, _ in orders)
    assert all(real.tolist() == [True, True, True, False] for _, real in orders)
    assert len({tuple(found.tolist()) for found, _ in orders}) == 6


def test_steps():
    one = Lesson(pool(torch.ones(6, 1)), torch.arange(5), None, 0)
    assert [one.steps(size) for size in (1, 2, 5, 6)] == [5, 3, 1, 1]
