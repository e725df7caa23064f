"""Work in processes: the same as in one, errors and ends handed on."""

import os
from pathlib import Path

import pytest
import torch

from baseline import trainer
from baseline.mapped import LARGE, Shelf
from baseline.side_by_side import side_by_side
from toolkit.errors import UserError


def test_results_in_order():
    assert side_by_side(os.path.basename, ["a/3", "b/1", "c/2"], 2) == ["3", "1", "2"]


def test_an_error_is_handed_on():
    with pytest.raises(FileNotFoundError):
        side_by_side(os.listdir, [os.curdir, "no such folder"], 2)


def test_a_process_that_ends_is_said():
    with pytest.raises(UserError, match="want of memory"):
        side_by_side(os._exit, [1], 2)


def test_large_tensors_are_there_once_and_the_same(tmp_path: Path):
    large, small = torch.arange(LARGE // 4, dtype=torch.float32), torch.arange(3)
    shelf = Shelf(tmp_path)
    packed = [shelf.pack({"large": large.view(2, -1), "small": small}) for _ in range(2)]
    assert len(list(tmp_path.iterdir())) == 1
    assert all(len(one) < 10_000 for one in packed)
    thing = Shelf(tmp_path).unpack(packed[1])
    assert torch.equal(thing["large"], large.view(2, -1))
    assert torch.equal(thing["small"], small)
    thing["large"].zero_()
    assert torch.equal(shelf.unpack(packed[0])["large"], large.view(2, -1))


def test_training_in_processes_is_the_same_to_the_last_bit(monkeypatch, make_lot):
    jobs, task = make_lot
    alone = trainer.fit_all(jobs, task)
    monkeypatch.setattr(trainer, "PROCESSES_FROM", 0)
    monkeypatch.setattr(trainer, "FEW_CORES", 0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    shared = trainer.fit_all(jobs, task)
    for one, other in zip(alone, shared, strict=True):
        first, second = one.model.network.state_dict(), other.model.network.state_dict()
        assert all(torch.equal(first[key], second[key]) for key in first)
        assert (one.epoch, one.merit) == (other.epoch, other.merit)


def test_on_two_cores_what_stacks_stays_in_one_process(monkeypatch, make_lot):
    jobs, task = make_lot
    started = []
    monkeypatch.setattr(trainer, "PROCESSES_FROM", 0)
    monkeypatch.setattr(trainer, "side_by_side", lambda work, lots, workers: started.append(workers) or map(work, lots))
    for cores in (1, 2, 3):
        monkeypatch.setattr(torch, "get_num_threads", lambda cores=cores: cores)
        monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)  # or the number above would stay
        trainer.fit_all(jobs, task)
    assert started == [3]


@pytest.fixture
def make_lot():
    from baseline.config import TrainingSettings
    from baseline.dataset import Examples, Inputs, Targets
    from baseline.lesson import Lesson
    from baseline.task import EmotionTask

    clips = 96
    generator = torch.Generator().manual_seed(0)
    emotion = torch.arange(clips) % 3
    values = torch.randn(clips, 5000, generator=generator)  # large enough for a file
    inputs = Inputs(tuple(map(str, range(clips))), {"x": values}, {"x": torch.ones(clips, dtype=torch.bool)})
    pool = Examples(inputs, Targets(emotion, emotion - 1.0, torch.zeros(clips, 0)))
    rows = torch.arange(clips)
    lessons = [Lesson(pool, rows[rows % 4 != fold], rows[rows % 4 == fold], fold) for fold in range(3)]
    network = {"name": "mlp", "inputs": inputs.dims, "classes": 3, "hidden": 16}
    settings = TrainingSettings(epochs=3, batch_size=16, learning_rate=1e-3)
    return [trainer.Job(lesson, network, settings) for lesson in lessons], EmotionTask(("a", "b", "c"))
