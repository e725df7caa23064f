"""Stage 2 next to the loop that people run now, and next to its floor: ``python benchmarks/protocol.py [--quick]``.

Random features of MER2024's size (5,030 training and 1,169 test clips), labels that can be learnt from them, network
``attention``, batches of 32. Timed in one run, in turn, medians of the rounds, in milliseconds per network and epoch:

- *naive*: ``benchmarks/naive_loop.py``, one network and epoch of every hidden size that is drawn;
- *ours*: `cross_validate_all` over all folds and trials, patience off, with all that a run does besides training:
  standardising, building, validation, the held-out folds, and the test set predicted once by each ensemble;
- *floor*: the matrix products of the training steps alone, forward and backward, in stacks, on all cores.

What the naive loop takes for a whole job of 100 epochs is worked out from that; *wanted* is the ratio asked of us. The
last lines compare what both learn in a few epochs: weighted F1 on the test set, mean and deviation over seeds.
"""

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from naive_loop import BATCH, Clips, Hyper, train_naively

from baseline.config import RunConfig, TrainingSettings
from baseline.crossvalidation import CrossValidation, Recipe, cross_validate_all
from baseline.dataset import Examples, Inputs, Targets
from baseline.search_space import space_of
from baseline.task import EmotionTask
from toolkit.console import aligned, say
from toolkit.device import resolve_device
from toolkit.labels import MER_EMOTIONS, MER_VALENCE
from toolkit.metrics.classification import weighted_f1
from toolkit.models.linear import Linear
from toolkit.models.network import build_network

COUNTS = (1248, 1208, 1038, 730, 616, 190)  # labelled clips of each emotion in MER2024
TRAIN, TEST, FOLDS = sum(COUNTS), 1169, 5
JOB_EPOCHS = 100
Row = dict[str, float | str]


class Case(NamedTuple):
    """A job to be timed.

    Attributes:
        dims: dimension of each feature
        draws: of hyper-parameters; a single one is the usual network
        epochs: of ours in a round: so many that what is done once, as starting processes, weighs little
        wanted: ratio of the naive loop's time to ours that is asked for
        signal: how far the emotions lie from the middle of all, in deviations of the noise
    """

    dims: dict[str, int]
    draws: int
    epochs: int
    wanted: float
    signal: float


CASES = {
    "trimodal": Case({"audio": 1024, "text": 5120, "visual": 768}, 1, 10, 3, 2.5),
    "unimodal": Case({"audio": 1024}, 1, 60, 10, 3.0),
    "trials": Case({"visual": 768}, 50, 8, 20, 3.0),
}


class Effort(NamedTuple):
    """How much is measured.

    Attributes:
        rounds: of naive, ours and floor in turn
        epochs: of ours in each round, at most
        draws: at most
        seeds: of the comparison of scores
        score_epochs: of both in that comparison
        score_folds: trained there
        scored: cases compared there
    """

    rounds: int
    epochs: int
    draws: int
    seeds: int
    score_epochs: int
    score_folds: int
    scored: tuple[str, ...]


QUICK = Effort(2, 3, 10, seeds=3, score_epochs=6, score_folds=1, scored=("unimodal",))
WHOLE = Effort(3, 60, 20, seeds=5, score_epochs=8, score_folds=1, scored=("unimodal", "trimodal"))
FLOOR_BYTES = 24 << 20  # of the largest weight of the floor's stacks


class Material:
    """Made-up features and labels, as either way takes them, and a fold for each training clip.

    Args:
        case: which features
        device: where ours are
    """

    def __init__(self, case: Case, device: str) -> None:
        generator = np.random.default_rng(0)
        emotion = np.repeat(np.arange(len(COUNTS)), COUNTS)
        emotion = np.concatenate([emotion, generator.choice(emotion, TEST)])
        features = {}
        for key, dim in case.dims.items():
            centres = generator.standard_normal((len(COUNTS), dim), dtype=np.float32)
            centres *= case.signal / np.linalg.norm(centres, axis=1, keepdims=True)
            features[key] = generator.standard_normal((len(emotion), dim), dtype=np.float32) + centres[emotion]
        self.device, self.folds = device, generator.permutation(TRAIN) % FOLDS
        parts = slice(TRAIN), slice(TRAIN, None)
        self.clips = [Clips({key: values[part] for key, values in features.items()}, emotion[part]) for part in parts]
        self.examples = [
            examples_of({key: values[part] for key, values in features.items()}, emotion[part], device)
            for part in parts
        ]

    def naive(self, fold: int, hyper: Hyper, epochs: int) -> np.ndarray:
        """Returns the test logits ``(clips, emotions)`` of one network of the naive loop."""
        train, test = self.clips
        return train_naively(train, self.folds, fold, test, hyper, epochs, self.device)

    def ours(
        self, hypers: Sequence[Hyper], epochs: int, *, seeds: Sequence[int] = (0,), folds: int = FOLDS
    ) -> list[np.ndarray]:
        """Returns the test probabilities ``(clips, emotions)`` of each ensemble, by hyper-parameters and seed."""
        recipes = [recipe_of(hyper, epochs, seed) for hyper in hypers for seed in seeds]
        train, test = self.examples
        held = np.where(self.folds < folds, self.folds, -1)  # the others train whichever fold is held out
        results: list[CrossValidation] = cross_validate_all(train, held, EmotionTask(MER_EMOTIONS), recipes)
        return [result.ensemble.predict(test.inputs).probabilities for result in results]

    def score(self, logits: np.ndarray) -> float:
        """Returns the weighted F1 of predictions for the test clips."""
        return weighted_f1(self.clips[1].emotion, logits.argmax(1), range(len(COUNTS)))


def examples_of(features: dict[str, np.ndarray], emotion: np.ndarray, device: str) -> Examples:
    """Returns clips without valence, all features there."""
    count = len(emotion)
    names = tuple(f"clip{number:04d}" for number in range(count))
    values = {key: torch.from_numpy(part).to(device) for key, part in features.items()}
    present = {key: torch.ones(count, dtype=torch.bool, device=device) for key in features}
    valence = torch.full((count,), math.nan, device=device)
    targets = Targets(torch.from_numpy(emotion).to(device), valence, valence.new_zeros(count, 0))
    return Examples(Inputs(names, values, present), targets)


def recipe_of(hyper: Hyper, epochs: int, seed: int) -> Recipe:
    """Returns what a run with the same hyper-parameters trains; logits are averaged as the reference does."""
    network = {"name": "attention", "hidden": hyper.hidden, "dropout": hyper.dropout}
    training = TrainingSettings(epochs=epochs, patience=epochs, learning_rate=hyper.learning_rate)
    return Recipe(network, training, "fold", seed, MER_VALENCE, "logits")


def drawn(count: int) -> list[Hyper]:
    """Returns hyper-parameters as the random search of the reference draws them, which may repeat itself."""
    if count == 1:
        return [Hyper()]
    config = RunConfig(track="semi", corpus="", cache="", features=["visual"], model="attention")
    ranges, generator = space_of(config).ranges, np.random.default_rng(0)

    def one(option: str) -> float:
        return ranges[option][int(generator.integers(len(ranges[option])))]

    return [Hyper(one("network.hidden"), one("network.dropout"), one("training.learning_rate")) for _ in range(count)]


def products(dims: dict[str, int], hidden: int, models: int, device: str) -> Callable[[], None]:
    """Returns the matrix products of one training step of a stack of models: forward, and both gradients."""
    network = build_network("attention", dims, len(COUNTS), hidden=hidden)
    layers = [(one.in_features, one.out_features) for one in network.modules() if isinstance(one, Linear)]
    calls = []
    for wide, narrow in layers:
        values = torch.randn(models, BATCH, wide, device=device)
        weight = torch.randn(models, narrow, wide, device=device)
        slope = torch.randn(models, BATCH, narrow, device=device)
        calls.append((values, weight.mT, torch.empty_like(slope)))
        calls.append((slope.mT, values, torch.empty_like(weight)))
        if wide not in dims.values():  # nothing asks for the slope of the features themselves
            calls.append((slope, weight, torch.empty_like(values)))

    def step() -> None:
        for left, right, out in calls:
            torch.bmm(left, right, out=out)

    return step


class Floor:
    """The matrix products of the training of a whole job.

    Args:
        case: which features
        hypers: hyper-parameters of its trials
        device: torch device
    """

    def __init__(self, case: Case, hypers: Sequence[Hyper], device: str) -> None:
        self.device, self.steps = device, -(-TRAIN * (FOLDS - 1) // FOLDS // BATCH)
        self.share = {hidden: n / len(hypers) for hidden, n in Counter(hyper.hidden for hyper in hypers).items()}
        self.work = {}
        for hidden, share in self.share.items():
            networks = round(share * len(hypers)) * FOLDS
            models = min(networks, max(1, FLOOR_BYTES // (4 * hidden * max(case.dims.values()))))
            self.work[hidden] = products(case.dims, hidden, models, device), models

    def seconds(self, repeats: int = 50) -> float:
        """Returns the time per network and epoch."""
        total = 0.0
        for hidden, (step, models) in self.work.items():
            step()
            taken = [seconds(step, self.device) for _ in range(repeats)]
            total += self.share[hidden] * float(np.median(taken)) / models * self.steps
        return total


def seconds(work: Callable[[], object], device: str) -> float:
    """Returns the wall time of a piece of work."""
    start = time.perf_counter()
    work()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - start


def compare_times(title: str, case: Case, material: Material, effort: Effort) -> Row:
    """Returns the times of one case."""
    hypers = drawn(min(case.draws, effort.draws))
    floor, networks = Floor(case, hypers, material.device), len(hypers) * FOLDS
    epochs = min(effort.epochs, case.epochs)
    share = floor.share
    one_each = {hidden: next(hyper for hyper in hypers if hyper.hidden == hidden) for hidden in share}
    naive: dict[int, float] = {}
    taken: dict[str, list[float]] = {"naive": [], "ours": [], "floor": []}
    for number in range(effort.rounds):
        for hidden, hyper in one_each.items():
            work = partial(material.naive, number % FOLDS, hyper, 1)
            naive[hidden] = seconds(work, material.device)
        ours = seconds(lambda: material.ours(hypers, epochs), material.device)
        taken["naive"].append(sum(share[hidden] * naive[hidden] for hidden in share))
        taken["ours"].append(ours / networks / epochs)
        taken["floor"].append(floor.seconds())
    plain, ours, least = (float(np.median(taken[way])) for way in ("naive", "ours", "floor"))
    job = case.draws * FOLDS * JOB_EPOCHS
    return {
        "work": title, "networks": networks, "epochs": epochs,
        "naive_ms": 1000 * plain, "ours_ms": 1000 * ours, "floor_ms": 1000 * least,
        "naive/ours": plain / ours, "wanted": case.wanted, "ours/floor": ours / least,
        "naive_job_min": plain * job / 60, "ours_job_min": ours * job / 60,
    }  # fmt: skip


def compare_scores(title: str, material: Material, effort: Effort) -> Row:
    """Returns what both learn; the same if the means differ by no more than both deviations together."""
    epochs, folds, hyper = effort.score_epochs, effort.score_folds, Hyper()
    naive = []
    for seed in range(effort.seeds):
        torch.manual_seed(seed)
        logits = [material.naive(fold, hyper, epochs) for fold in range(folds)]
        naive.append(material.score(np.mean(logits, axis=0)))
    ours = [material.score(one) for one in material.ours([hyper], epochs, seeds=range(effort.seeds), folds=folds)]
    means, spreads = (np.mean(naive), np.mean(ours)), (np.std(naive, ddof=1), np.std(ours, ddof=1))
    return {
        "weighted F1": title, "seeds": effort.seeds, "folds": folds, "epochs": epochs,
        "naive": float(means[0]), "naive_std": float(spreads[0]),
        "ours": float(means[1]), "ours_std": float(spreads[1]),
        "the same": "yes" if abs(means[0] - means[1]) <= np.hypot(*spreads) else "NO",
    }  # fmt: skip


def _shown(row: Row) -> Row:
    """Prints a row as it comes, since a whole run takes a while."""
    for line in aligned([list(row), [value if isinstance(value, str) else f"{value:.4g}" for value in row.values()]]):
        say(line)
    return row


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Few epochs and trials: two minutes on 2 cores.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda ...")] = "cpu",
    only: Annotated[
        str, typer.Option(metavar="WORD", help="Only rows with this word: trimodal, unimodal, trials, times, scores.")
    ] = "",
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the rows here.")] = None,
) -> None:
    """Measure training, and compare what is learnt."""
    device, effort = resolve_device(device), QUICK if quick else WHOLE
    rows: list[Row] = []
    for title, case in CASES.items():
        asked = [kind for kind in ("times", "scores") if only in f"{title} {kind}"]
        material = Material(case, device) if asked else None
        if "times" in asked:
            rows.append(_shown(compare_times(title, case, material, effort)))
        if "scores" in asked and title in effort.scored:
            rows.append(_shown(compare_scores(title, material, effort)))
    if json_file is not None:
        json_file.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    typer.run(main)
