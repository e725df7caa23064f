"""Trains many networks side by side: those of one shape as one stack, each as if it were alone."""

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from baseline.config import TrainingSettings
from baseline.course import Course
from baseline.dataset import Examples
from baseline.fold_models import FoldModel
from baseline.lesson import Lesson
from baseline.side_by_side import side_by_side
from baseline.task import Task
from toolkit.device import must_fit
from toolkit.memory import kept_memory, old_objects_left_alone
from toolkit.models.network import Network, build_network, networks
from toolkit.models.stack import exact

_STATE = 4  # a weight, its gradient and Adam's two means
# Of all that of one stack. Many models share the time of a step's hundred small operations; in processes of one core
# each, fewer stay in the cache. On anything but a CPU there only has to be room.
_ALONE_BYTES, _PROCESS_BYTES, _DEVICE_BYTES = 128 << 20, 24 << 20, 2 << 30
# Operations from which starting processes pays: they take a few seconds, a core makes 25e9 a second of small networks.
PROCESSES_FROM = 4e11
# Cores among which the products of one stack can be shared as well as its models: two took the same time either way
# for small networks, and processes of few large ones 1.4 times as long (``benchmarks/protocol.py``).
FEW_CORES = 2
State = tuple[dict[str, Tensor], int, float | None]  # weights, epoch and merit


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


class Lot(NamedTuple):
    """Jobs of one shape, which train as one stack.

    Attributes:
        jobs: whose networks
        task: what is learnt
    """

    jobs: list[Job]
    task: Task


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

    Raises:
        UserError: a network cannot be built, or the memory of the device ends
    """
    if not jobs:
        return []
    what = f"The training of {len(jobs)} networks"
    with must_fit(what, str(jobs[0].lesson.device()), "Use smaller networks, fewer features, or --device cpu."):
        return _fit_all(jobs, task)


def _fit_all(jobs: Sequence[Job], task: Task) -> list[Fit]:
    alike = _alike(jobs)
    effort = {number: _effort(jobs[number], same.network) for same in alike for number in same.numbers}
    workers = _workers(jobs, alike, sum(effort.values()))
    room = _ALONE_BYTES if workers == 1 else _PROCESS_BYTES
    stacks = [stack for same in alike for stack in _stacks(jobs, same, room, workers)]
    stacks.sort(key=lambda numbers: -sum(effort[number] for number in numbers))  # long ones first
    lots = [Lot([jobs[number] for number in numbers], task) for numbers in stacks]
    if workers == 1:
        with old_objects_left_alone():
            trained = [train(lot) for lot in lots]
    else:
        trained = side_by_side(train, lots, workers)
    states = dict(zip(itertools.chain(*stacks), itertools.chain(*trained), strict=True))
    return [_fit(job, task, states[number]) for number, job in enumerate(jobs)]


def train(lot: Lot) -> list[State]:
    """Trains jobs of one shape in this process."""
    started = []
    for job in lot.jobs:
        network = _build(job)
        lot.task.prepare(network, job.lesson.pool.targets.take(job.lesson.train))
        started.append(network)
    with kept_memory():
        lessons, settings = [job.lesson for job in lot.jobs], [job.settings for job in lot.jobs]
        course = Course(started, lessons, settings, lot.task)
        with _few_threads(course.size):
            course.run()
    return course.results()


class _Alike(NamedTuple):
    """Jobs of one shape.

    Attributes:
        numbers: which of all jobs
        network: one of their networks, without numbers
    """

    numbers: list[int]
    network: Network


def _alike(jobs: Sequence[Job]) -> list[_Alike]:
    numbers: dict[str, list[int]] = {}
    for number, job in enumerate(jobs):
        numbers.setdefault(_shape(job), []).append(number)
    return [_Alike(same, hollow(jobs[same[0]].network)) for same in numbers.values()]


def hollow(network: Mapping[str, Any]) -> Network:
    """Returns a network whose weights have sizes and no numbers, by the arguments of `build_network`.

    Raises:
        UserError: it cannot be built
    """
    with torch.device("meta"):
        return build_network(**network)


def weight_bytes(network: Network) -> int:
    """Returns the size of a network's weights."""
    return sum(weight.numel() * weight.element_size() for weight in network.parameters())


def _workers(jobs: Sequence[Job], alike: Sequence[_Alike], effort: float) -> int:
    """Returns how many processes share the work, one where that does not pay or there are no cores to share."""
    cores = torch.get_num_threads()
    if effort < PROCESSES_FROM or jobs[0].lesson.device().type != "cpu":
        return 1
    if cores <= FEW_CORES and all(_together(jobs, same) for same in alike):
        return 1
    return min(cores, len(jobs))


def _together(jobs: Sequence[Job], same: _Alike) -> bool:
    """Returns whether jobs of one shape train as one stack."""
    return same.network.stacks and exact(same.network, jobs[same.numbers[0]].settings.batch_size)


def _stacks(jobs: Sequence[Job], same: _Alike, room: int, workers: int) -> Iterator[list[int]]:
    """Yields the numbers of the jobs that train as one stack.

    Args:
        jobs: all of them
        same: those of one shape
        room: bytes for the weights of a stack on a CPU, and all that Adam keeps of them
        workers: processes among which they are shared
    """
    lessons = {lesson: place for place, lesson in enumerate(dict.fromkeys(job.lesson for job in jobs))}
    first = jobs[same.numbers[0]]
    here = first.lesson.device().type == "cpu"

    def beside(number: int) -> tuple[float, ...]:
        """Models of one lesson read the same batches; those of one rate move in one go, which a GPU gains more by."""
        lesson, rate = lessons[jobs[number].lesson], jobs[number].settings.learning_rate
        return (lesson, rate) if here else (rate, jobs[number].settings.weight_decay, lesson)

    numbers = sorted(same.numbers, key=beside)
    space = room if here else _DEVICE_BYTES
    most = max(1, space // max(1, _STATE * weight_bytes(same.network))) if _together(jobs, same) else 1
    count = min(len(numbers), max(-(-len(numbers) // most), workers))  # of stacks, as even as can be
    for part in range(count):
        yield numbers[part * len(numbers) // count : (part + 1) * len(numbers) // count]


def _effort(job: Job, network: Network) -> float:
    """Returns about how many operations it takes to train a network: six a weight and vector that it reads."""
    lengths = job.lesson.pool.inputs.lengths
    frames = 1.0 if lengths is None else max(1.0, float(lengths.cpu().double().mean()))
    weights = sum(weight.numel() for weight in network.parameters())
    return 6 * weights * frames * len(job.lesson.train) * job.settings.epochs


def _shape(job: Job) -> str:
    """Returns what jobs of one stack have in common."""
    lesson = job.lesson
    chooses = len(lesson.judging) > 0
    return f"{shape_of(job.network, job.settings)} {lesson.steps(job.settings.batch_size)} {chooses} {lesson.normalise}"


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


def _fit(job: Job, task: Task, state: State) -> Fit:
    weights, epoch, merit = state
    network, lesson = _build(job), job.lesson
    network.load_state_dict(weights)
    prior = torch.from_numpy(task.prior(lesson.pool.targets.take(lesson.train)))
    return Fit(FoldModel(network.to(lesson.device()).eval(), lesson.standard, prior.to(lesson.device())), epoch, merit)


@contextlib.contextmanager
def _few_threads(models: int) -> Iterator[None]:
    """One thread for the body where a single small network trains, which is too small to share among several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if models == 1 else threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
