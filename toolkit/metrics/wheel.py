"""Emotion wheels: thousands of word forms brought back to a few basic emotions (open vocabulary of MER2025 on)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from toolkit.errors import UserError
from toolkit.metrics.open_vocabulary import overlap, require_same_clips

LEVELS = ("level1", "level2")


@dataclass(frozen=True)
class Wheels:
    """Wheels and the two steps from a word to them.

    Attributes:
        forms: base words of each word form ("angrily" to "angry")
        synonyms: wheel words of each base word ("furious" to "angry", "mad")
        wheels: per wheel and level, the group of each wheel word
    """

    forms: Mapping[str, Sequence[str]]
    synonyms: Mapping[str, Sequence[str]]
    wheels: Mapping[str, Mapping[str, Mapping[str, str]]]

    def group(self, word: str, wheel: str, level: str) -> str | None:
        """Returns the group of a word on one wheel, ``None`` where it is not on it.

        The word's wheel words are tried in alphabetical order, the first on the wheel decides (MERTools, MER2026).
        """
        places = self.wheels[wheel][level]
        return next((places[candidate] for candidate in self._candidates(word) if candidate in places), None)

    def groups(self, words: Sequence[str], wheel: str, level: str) -> set[str]:
        """Returns the groups of several words, those not on the wheel left out."""
        return {group for word in words if (group := self.group(word, wheel, level)) is not None}

    def neighbours(self, word: str) -> list[str]:
        """Returns the words that share the word's level-2 group on any wheel, else its level-1 group, sorted.

        The word itself is among them if it is on a wheel.
        """
        for level in reversed(LEVELS):
            found: set[str] = set()
            for wheel, levels in self.wheels.items():
                own = self.group(word, wheel, level)
                found |= {other for other, group in levels[level].items() if group == own}
            if found:
                return sorted(found)
        return []

    def _candidates(self, word: str) -> list[str]:
        bases = self.forms.get(word.strip().lower(), ())
        return sorted({wheel_word for base in bases for wheel_word in self.synonyms.get(base, ())})


class WheelScores(NamedTuple):
    """Wheel scores, each a mean over the wheels.

    Attributes:
        level1: F of the basic emotions; ranks in MER2026
        level2: F of the finer groups
        mean: of both; ranks in MER2025
        wheels: per level, the F of each wheel
    """

    level1: float
    level2: float
    mean: float
    wheels: dict[str, dict[str, float]]


def load_wheels(path: Path | None = None) -> Wheels:
    """Returns the wheels of a JSON file, or the project's own small wheel.

    Args:
        path: JSON with ``format_mapping`` (form to base words), ``raw_mapping`` (base word to wheel words) and
            ``wheel_map_whole`` (wheel to level to word to group), as converted from the organisers' file

    Raises:
        UserError: the file is not there or lacks one of the three
    """
    if path is None:
        return builtin_wheels()
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        wheels = Wheels(content["format_mapping"], content["raw_mapping"], content["wheel_map_whole"])
        _check_shape(wheels)
        return wheels
    except FileNotFoundError:
        raise UserError(f"No wheel file at {path}. Leave --wheel away to use the built-in wheel.") from None
    except (ValueError, KeyError, TypeError, IsADirectoryError) as error:  # not JSON or UTF-8, or another structure
        raise UserError(
            f"{path} is not a wheel file ({error}). Expected JSON with format_mapping, raw_mapping and wheel_map_whole."
        ) from error


def _check_shape(wheels: Wheels) -> None:
    for part in (wheels.forms, wheels.synonyms, wheels.wheels, *wheels.wheels.values()):
        if not isinstance(part, dict):
            raise TypeError(f"{str(part)[:40]!r} where an object was expected")
    for lists in (wheels.forms, wheels.synonyms):
        for key, words in lists.items():
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                raise TypeError(f"{key!r} stands for {str(words)[:40]!r}, expected a list of words")
    if not wheels.wheels:
        raise ValueError("no wheel in wheel_map_whole")
    for levels in wheels.wheels.values():
        for level in LEVELS:
            if not isinstance(levels[level], dict):
                raise TypeError(f"{level} is no object")


@cache
def builtin_wheels() -> Wheels:
    """Returns the project's own wheel, ``toolkit/metrics/basic_wheel.yaml``; its source is written there."""
    text = resources.files("toolkit.metrics").joinpath("basic_wheel.yaml").read_text(encoding="utf-8")
    return wheels_from_outline(yaml.safe_load(text)["wheel"])


def wheels_from_outline(outline: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]) -> Wheels:
    """Returns one wheel from an outline: basic emotion, finer group, word, forms of the word.

    A basic emotion that is no word of a group stands, at level 2, for the alphabetically first of its groups, as in
    the organisers' wheels.
    """
    level1: dict[str, str] = {}
    level2: dict[str, str] = {}
    forms: dict[str, list[str]] = {}
    for center, finer in outline.items():
        for group, words in finer.items():
            for word, others in {group: (), **words}.items():
                level1[word], level2[word] = center, group
                for form in (word, *others):
                    forms.setdefault(form, []).append(word)
        if center not in level1:
            level1[center], level2[center] = center, min(finer)
            forms.setdefault(center, []).append(center)
    return Wheels(forms, {word: [word] for word in level1}, {"basic": {"level1": level1, "level2": level2}})


def wheel_scores(
    truth: Mapping[str, Sequence[str]], prediction: Mapping[str, Sequence[str]], wheels: Wheels
) -> WheelScores:
    """Returns the emotion-wheel scores of MER2025 and MER2026 (MERTools, MER2026_Track2).

    Per wheel and level, words become groups; clips whose true words are on no group are left out; precision and
    recall are means over the clips, zero where nothing predicted is on the wheel; F is the harmonic mean *of these
    means*.

    Args:
        truth: words of each clip
        prediction: words of each clip
        wheels: where words stand

    Raises:
        UserError: a clip is missing on one side, or no true word is on a wheel
    """
    require_same_clips(truth, prediction)
    table = {level: {w: _f_score(truth, prediction, wheels, w, level) for w in wheels.wheels} for level in LEVELS}
    level1, level2 = (float(np.mean(list(table[level].values()))) for level in LEVELS)
    return WheelScores(level1, level2, (level1 + level2) / 2, table)


def _f_score(truth: Mapping[str, Any], prediction: Mapping[str, Any], wheels: Wheels, wheel: str, level: str) -> float:
    overlaps = wheel_overlaps(truth, prediction, wheels, wheel, level)
    return float(harmonic_mean(*np.nanmean(overlaps, axis=0)))


def wheel_overlaps(
    truth: Mapping[str, Sequence[str]], prediction: Mapping[str, Sequence[str]], wheels: Wheels, wheel: str, level: str
) -> np.ndarray:
    """Returns precision and recall of each clip on one wheel, by name, ``(clips, 2)``; NaN where it is left out.

    Raises:
        UserError: no true word is on the wheel
    """
    pairs = []
    for name in sorted(truth):
        true = wheels.groups(truth[name], wheel, level)
        pairs.append(overlap(true, wheels.groups(prediction[name], wheel, level)) if true else (np.nan, np.nan))
    if np.isnan(pairs).all():
        raise UserError(f"No true word is on the wheel '{wheel}', so nothing can be scored.")
    return np.array(pairs, np.float64)


def harmonic_mean(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """Returns ``2 P R / (P + R)``, 0 where both are 0."""
    return 2 * precision * recall / np.where(precision + recall == 0, 1, precision + recall)
