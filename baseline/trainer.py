"""Trains many networks side by side: those of one shape as one stack, each as if it were alone."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from baseline.config import TrainingSettings
from baseline.course import Course
from baseline.dataset import Examples
from baseline.fold_models import FoldModel
from baseline.lesson import Lesson
from baseline.task import Task
from toolkit.memory import kept_memory
from toolkit.models.network import Network, build_network, networks
from toolkit.models.stack import exact

WEIGHT_BYTES = 24 << 20  # of a stack's largest weight; glibc returns blocks over 32 MB at every step, and pages them in


class Job(NamedTuple):
    """One network to be trained.

    Attributes:
        lesson: what from; jobs with the same one share its batches
        network: arguments of `toolkit.models.network.build_network`
        settings: how
    """

    lesson: Lesson
    network: dict[str, Any]
    settings: TrainingSettings


class Fit(NamedTuple):
    """A trained network.

    Attributes:
        model: the network with its normalisation
        epoch: the epoch kept, counted from 1
        merit: what that epoch was chosen by, ``None`` where it is simply the last
    """

    model: FoldModel
    epoch: int
    merit: float | None = None


def fit(
    network: dict[str, Any],
    task: Task,
    train: Examples,
    settings: TrainingSettings,
    *,
    seed: int,
    valid: Examples | None = None,
) -> Fit:
    """Trains one network from scratch; arguments as of `Job` and `fit_all`."""
    pool = train if not valid else train.join(valid)
    rows = torch.arange(len(pool), device=pool.targets.valence.device)
    lesson = Lesson(pool, rows[: len(train)], rows[len(train) :], seed, settings.normalise)
    return fit_all([Job(lesson, network, settings)], task)[0]


def fit_all(jobs: Sequence[Job], task: Task) -> list[Fit]:
    """Trains networks from scratch, each the same for its seed on one machine, whatever others are trained with it.

    Features and valence are standardised on the training clips. The epoch kept is the one with the best merit on the
    validation clips, among equals the one with the lowest loss there; without such clips it is the last.

    Args:
        jobs: the networks
        task: what is learnt
    """
    fits: dict[int, Fit] = {}
    with kept_memory():
        for numbers in _stacks(jobs):
            for number, one in zip(numbers, _train([jobs[number] for number in numbers], task), strict=True):
                fits[number] = one
    return [fits[number] for number in range(len(jobs))]


def _stacks(jobs: Sequence[Job]) -> Iterator[list[int]]:
    """Yields the numbers of the jobs that train as one stack."""
    alike: dict[str, list[int]] = {}
    for number, job in enumerate(jobs):
        alike.setdefault(_shape(job), []).append(number)
    for numbers in alike.values():
        network = _build(jobs[numbers[0]])
        largest = max(weight.numel() * weight.element_size() for weight in network.parameters())
        together = network.stacks and exact(network, jobs[numbers[0]].settings.batch_size)
        most = max(1, WEIGHT_BYTES // largest) if together else 1
        count = -(-len(numbers) // most)  # of stacks, as even as can be
        numbers = sorted(numbers, key=lambda number: jobs[number].settings.learning_rate)
        for part in range(count):
            yield numbers[part * len(numbers) // count : (part + 1) * len(numbers) // count]


def _shape(job: Job) -> str:
    """Returns what jobs of one stack have in common."""
    lesson = job.lesson
    return f"{shape_of(job.network, job.settings)} {lesson.steps(job.settings.batch_size)} {lesson.held is None}"


def shape_of(network: Mapping[str, Any], settings: TrainingSettings) -> str:
    """Returns what networks of one stack have in common, whatever they learn from.

    Args:
        network: arguments of `toolkit.models.network.build_network`, ``inputs`` and ``classes`` where they differ
        settings: how they are trained
    """
    scalars = networks.get(network["name"]).scalars
    each = {"epochs", "learning_rate", "weight_decay"}  # each model of a stack has its own
    own = {key: value for key, value in sorted(network.items()) if key not in scalars}
    return repr((own, settings.model_dump(exclude=each)))


def _build(job: Job) -> Network:
    """Returns the network of a job as it starts."""
    with torch.random.fork_rng([]):
        torch.manual_seed(job.lesson.seed)
        return build_network(**job.network)


def _train(jobs: Sequence[Job], task: Task) -> list[Fit]:
    """Trains jobs of one shape."""
    started = []
    for job in jobs:
        network = _build(job)
        task.prepare(network, job.lesson.pool.targets.take(job.lesson.train))
        started.append(network)
    lessons = [job.lesson for job in jobs]
    course = Course(started, lessons, [job.settings for job in jobs], task)
    with _few_threads(course.size):
        course.run()
    return [
        Fit(_model(job, task, state), epoch, merit)
        for job, (state, epoch, merit) in zip(jobs, course.results(), strict=True)
    ]


def _model(job: Job, task: Task, state: dict[str, Tensor]) -> FoldModel:
    network = _build(job)
    network.load_state_dict(state)
    lesson = job.lesson
    prior = torch.from_numpy(task.prior(lesson.pool.targets.take(lesson.train)))
    return FoldModel(network.to(lesson.device()).eval(), lesson.standard, prior.to(lesson.device()))


@contextlib.contextmanager
def _few_threads(models: int) -> Iterator[None]:
    """One thread for the body where a single small network trains, which is too small to share among several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if models == 1 else threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
