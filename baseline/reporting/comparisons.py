"""What was compared: classes, modalities, strengths of noise, rounds of pseudo-labels."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from baseline.reporting.canvas import colours, css
from baseline.reporting.evidence import Confusion, main_confusions
from baseline.reporting.main_score import main_key, main_split
from baseline.reporting.pictures import confusion_picture, modality_picture, noise_picture, rounds_picture
from baseline.reporting.run_files import RunFiles
from baseline.reporting.terms import score_of

NAN = float("nan")


class ClassRow(NamedTuple):
    """One class of a confusion matrix: its colour, and NaN for what is not defined (no such clip, never predicted)."""

    label: str
    colour: str
    clips: int
    precision: float
    recall: float
    f1: float


class ConfusionView(NamedTuple):
    """One confusion matrix, its classes in label order, and its most frequent mistakes."""

    split: str
    clips: int
    picture: str
    classes: list[ClassRow]
    mistakes: list[Confusion]


class ModalityRow(NamedTuple):
    """One modality or feature: its encoders, mean and deviation over folds, and a score per test split."""

    name: str
    features: str
    mean: float
    std: float | None
    tests: list[float]


class Modalities(NamedTuple):
    """Fused against single modalities.

    Attributes:
        title: name of the score
        picture: the bars
        best: name of the best single modality, ``None`` without a fused result beside a single one
        gain: mean over folds of fused minus that best one
        wins: folds in which fused was better than it
        folds: folds compared
        splits: test splits of the table
        rows: the table
    """

    title: str
    picture: str
    best: str | None
    gain: float
    wins: int
    folds: int
    splits: list[str]
    rows: list[ModalityRow]


class Noise(NamedTuple):
    """Scores over the strength of noise: level, clips, and the scores of noise-trained and clean-trained networks."""

    title: str
    picture: str
    rows: list[tuple[str, int | None, float, float]]


class Round(NamedTuple):
    """One round of pseudo-labels."""

    number: int
    added: int
    per_class: dict[str, int]
    thresholds: dict[str, float]
    validation: float
    spread: float
    test: float


class Rounds(NamedTuple):
    """Rounds of pseudo-labels; the first is trained on labelled clips only, the chosen one predicts."""

    title: str
    split: str
    picture: str
    classes: list[str]
    rows: list[Round]
    chosen: int | None


def confusions(run: RunFiles) -> list[ConfusionView]:
    """Returns the confusion matrix of every test split that has one, and of the held-out training clips."""
    views = []
    entries = run.metrics.get("test", {}) | {"held-out training clips": run.metrics.get("out_of_fold", {})}
    for split, entry in entries.items():
        labels, matrix = (entry.get("confusion", {}).get(part, []) for part in ("labels", "matrix"))
        clips = sum(map(sum, matrix))
        if clips:
            picture = confusion_picture(labels, matrix, split)
            mistakes = main_confusions(labels, matrix)
            views.append(ConfusionView(split, clips, picture, class_rows(labels, matrix), mistakes))
    return views


def class_rows(labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> list[ClassRow]:
    """Returns precision, recall and F1 of every class of a ``(classes, classes)`` confusion matrix, true in rows."""
    rows = []
    for place, (label, colour) in enumerate(colours(labels).items()):
        hits, clips = matrix[place][place], sum(matrix[place])
        predicted = sum(line[place] for line in matrix)
        precision, recall = (hits / total if total else NAN for total in (predicted, clips))
        f1 = 2 * hits / (predicted + clips) if predicted + clips else NAN
        rows.append(ClassRow(label, css(colour), clips, precision, recall, f1))
    return rows


def modalities(run: RunFiles) -> Modalities | None:
    """Returns the comparison of modalities by the score that has values per fold, ``None`` without two."""
    entries: Mapping[str, Any] = run.metrics.get("modalities", {})
    entries = {name: entry for name, entry in entries.items() if entry.get("validation")}
    if len(entries) < 2:
        return None
    scores = [set(entry["validation"]) for entry in entries.values()]
    shared = set.intersection(*scores)
    key = "weighted_f1" if "weighted_f1" in shared else main_key(dict.fromkeys(sorted(shared)))
    if key is None:
        return None
    title = score_of(key, str(run.metrics.get("score_name", "score"))).title
    splits = sorted({split for entry in entries.values() for split in entry.get("test", {})})
    bars, rows = {}, []
    for name in sorted(entries, key=lambda name: (name != "fused", -entries[name]["validation"][key]["mean"])):
        entry = entries[name]
        tests = {split: number_of(entry.get("test", {}).get(split), key) for split in splits}
        folds = [float(value) for value in entry.get("folds", [])]
        mean = entry["validation"][key]["mean"]
        bars[name] = {"mean": mean, "folds": folds}
        features = ", ".join(entry.get("features", []))
        rows.append(ModalityRow(name, features, mean, entry["validation"][key].get("std"), list(tests.values())))
    best, gain, wins, folds = _gain(bars)
    picture = modality_picture(bars, title)
    return Modalities(title, picture, best, gain, wins, folds, splits, rows)


def _gain(bars: Mapping[str, Mapping[str, Any]]) -> tuple[str | None, float, int, int]:
    singles = [name for name in bars if name != "fused"]
    if "fused" not in bars or not singles:
        return None, 0.0, 0, 0
    best = max(singles, key=lambda name: bars[name]["mean"])
    pairs = list(zip(bars["fused"]["folds"], bars[best]["folds"], strict=False))
    wins = sum(fused > single for fused, single in pairs)
    return best, bars["fused"]["mean"] - bars[best]["mean"], wins, len(pairs)


def noise(run: RunFiles) -> Noise | None:
    """Returns the curve over the strength of noise, ``None`` without one."""
    curve = run.metrics.get("noise_curve", [])
    key = main_key(next((point["scores"] for point in curve if point.get("scores")), {}))
    if key is None:
        return None
    strength = [math.inf if point.get("snr") is None else float(point["snr"]) for point in curve]
    order = sorted(range(len(curve)), key=strength.__getitem__)
    rows = []
    for place in order:
        level = "clean" if math.isinf(strength[place]) else f"{strength[place]:g}".replace("-", "−")
        point = curve[place]
        values = (number_of(point.get("scores"), key), number_of(point.get("clean_trained"), key))
        rows.append((level, point.get("clips"), *values))
    title = score_of(key, str(run.metrics.get("score_name", "score"))).title
    lines = {"trained in noise": [row[2] for row in rows], "trained clean": [row[3] for row in rows]}
    lines = {name: values for name, values in lines.items() if not all(map(math.isnan, values))}
    return Noise(title, noise_picture([row[0] for row in rows], lines, title), rows)


def rounds(run: RunFiles) -> Rounds | None:
    """Returns the rounds of pseudo-labels, ``None`` without them."""
    entries = run.metrics.get("rounds", [])
    key = main_key(next((entry["validation"] for entry in entries if entry.get("validation")), {}))
    if key is None:
        return None
    split = main_split(run.metrics) or ""
    rows = []
    for entry in entries:
        validation = entry.get("validation", {}).get(key, {})
        tests = entry.get("test", {})
        rows.append(
            Round(
                entry["round"],
                entry.get("added", 0),
                entry.get("per_class", {}),
                entry.get("thresholds", {}),
                float(validation.get("mean", NAN)),
                float(validation.get("std", 0.0)),
                number_of(tests.get(split, tests), key),
            )
        )
    classes = list(dict.fromkeys(name for row in rows for name in row.per_class))
    title = score_of(key, str(run.metrics.get("score_name", "score"))).title
    lines = {"validation": [row.validation for row in rows], split: [row.test for row in rows]}
    lines = {name: values for name, values in lines.items() if not all(map(math.isnan, values))}
    added = {name: [row.per_class.get(name, 0) for row in rows] for name in classes}
    picture = rounds_picture(lines, added, title, [row.spread for row in rows])
    return Rounds(title, split, picture, classes, rows, run.metrics.get("chosen_round"))


def number_of(entry: Mapping[str, Any] | None, key: str) -> float:
    """Returns a score of an entry, whether it holds scores or is them; NaN where it is not there."""
    value = (entry or {}).get("scores", entry or {}).get(key)
    return NAN if value is None else float(value)
