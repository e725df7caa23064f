import numpy as np
import pytest
import torch

from baseline import syllabus as subject
from baseline.config import TrainingSettings
from baseline.crossvalidation import Recipe
from baseline.dataset import Examples, Inputs, Targets
from baseline.syllabus import Syllabus
from baseline.task import EmotionTask
from baseline.trainer import Fit
from toolkit.errors import UserError

TASK = EmotionTask(("a", "b"))
FOLDS = np.array([0, 1, 2, 0, 1, 2, -1, 1])
NAN = float("nan")


def examples(present=(True,) * 8, emotion=(0, 1, 0, 1, 0, 1, 0, -1)) -> Examples:
    """Eight clips, the last of which has no label."""
    count = len(emotion)
    inputs = Inputs(tuple(map(str, range(count))), {"x": torch.randn(count, 2)}, {"x": torch.tensor(present)})
    return Examples(inputs, Targets(torch.tensor(emotion), torch.full((count,), NAN), torch.zeros(count, 0)))


def recipe(select: str, seed: int = 0, epochs: int = 9) -> Recipe:
    return Recipe({"name": "mlp"}, TrainingSettings(epochs=epochs), select, seed, (-1.0, 1.0))


@pytest.fixture
def trained(monkeypatch):
    """All calls of the trainer: jobs that are not trained, whose epoch is the number of the job in its call."""
    calls = []

    def fit_all(jobs, task):
        calls.append(jobs)
        return [Fit(None, number, None if job.lesson.valid is None else number / 10) for number, job in enumerate(jobs)]

    monkeypatch.setattr(subject, "fit_all", fit_all)
    return calls


def rows(jobs) -> list[tuple[list[int], list[int] | None]]:
    lessons = [job.lesson for job in jobs]
    return [(one.train.tolist(), None if one.valid is None else one.valid.tolist()) for one in lessons]


def test_the_fold_itself_chooses(trained):
    Syllabus(examples(), FOLDS, TASK, {}).fit([recipe("fold")])
    jobs, _ = trained
    assert rows(jobs) == [([1, 2, 4, 5, 6], [0, 3]), ([0, 2, 3, 5, 6], [1, 4]), ([0, 1, 3, 4, 6], [2, 5])]
    assert {job.lesson.valence_range for job in jobs} == {(-1.0, 1.0)}


def test_another_fold_chooses_then_trains_too(trained):
    """The fold that chooses is not learnt from at first; then all others are, for as many epochs as it chose."""
    ((first, *_),) = Syllabus(examples(), FOLDS, TASK, {}).fit([recipe("inner")])
    chosen, anew = trained
    assert rows(chosen) == [([2, 5, 6], [1, 4]), ([0, 3, 6], [2, 5]), ([1, 4, 6], [0, 3])]
    assert rows(anew) == [([1, 2, 4, 5, 6], None), ([0, 2, 3, 5, 6], None), ([0, 1, 3, 4, 6], None)]
    assert [job.settings.epochs for job in chosen] == [9, 9, 9]
    assert [job.settings.epochs for job in anew] == [0, 1, 2]
    assert [job.lesson.seed for job in anew] == [job.lesson.seed for job in chosen]
    assert first.merit == 0.0


def test_choosing_alone_is_half_of_the_work(trained):
    fits = Syllabus(examples(), FOLDS, TASK, {}).fit([recipe("inner")], finish=False)
    assert len(trained) == 1
    assert [one.merit for one in fits[0]] == [0.0, 0.1, 0.2]


def test_the_last_epoch(trained):
    Syllabus(examples(), FOLDS, TASK, {}).fit([recipe("last")])
    assert [valid for _, valid in rows(trained[0])] == [None] * 3


def test_recipes_share_lessons_unless_their_seeds_differ(trained):
    fits = Syllabus(examples(), FOLDS, TASK, {}).fit([recipe("fold"), recipe("fold", epochs=3), recipe("fold", seed=1)])
    lessons = [job.lesson for job in trained[0]]
    assert lessons[:3] == lessons[3:6] != lessons[6:]
    assert len({one.seed for one in lessons}) == 6
    assert [one.epoch for part in fits for one in part] == list(range(9))


def test_additions_join_the_pool_of_their_fold_once(trained):
    more = examples((True,) * 2, (0, 1))
    syllabus = Syllabus(examples(), FOLDS, TASK, {1: more})
    syllabus.fit([recipe("inner"), recipe("inner", seed=1)])
    lessons = [job.lesson for call in trained for job in call]
    assert [one.train.tolist()[-2:] for one in lessons[:3]] == [[5, 6], [8, 9], [4, 6]]
    assert all(
        one.pool is (syllabus.pools[1] if number % 3 == 1 else syllabus.examples) for number, one in enumerate(lessons)
    )
    assert len(lessons[1].pool) == 10


def test_clips_without_features_are_not_learnt_from(trained):
    Syllabus(examples((True, False, *[True] * 6)), FOLDS, TASK, {}).fit([recipe("fold")])
    assert rows(trained[0])[0] == ([2, 4, 5, 6], [0, 3])
    assert rows(trained[0])[1][1] == [4]


@pytest.mark.parametrize(
    ("present", "emotion"),
    [
        ((True,) * 4, (0, 1, -1, -1)),  # the training split is not labelled, the validation split is
        ((True, True, False, False), (0, 1, 0, 1)),
    ],
)
def test_nothing_to_learn_from(trained, present, emotion):
    folds = np.array([0, 0, -1, -1])
    with pytest.raises(UserError, match="Fold 0 leaves nothing to learn from: no clip outside of it has both a label"):
        Syllabus(examples(present, emotion), folds, TASK, {}).fit([recipe("fold")])
    assert trained == []


def test_valence_alone_teaches_no_emotion(trained):
    clips = examples((True,) * 4, (0, 1, -1, -1))
    clips = Examples(clips.inputs, clips.targets._replace(valence=torch.ones(4)))
    with pytest.raises(UserError, match="leaves nothing to learn from"):
        Syllabus(clips, np.array([0, 0, -1, -1]), TASK, {}).fit([recipe("fold")])
