"""What is in the demo: every clip with what is felt and what face, voice and words show of it, all from a seed."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from toolkit.demo.speakers import SPEAKERS
from toolkit.demo.words import Sentence, describe, say_something
from toolkit.labels import MER_EMOTIONS, MER_VALENCE

Scale = Literal["tiny", "small", "full"]
# Clips of each split without the hostile ones; "small" has five of every class to train on, as five folds need.
SIZES: dict[str, dict[str, int]] = {
    "tiny": {"train": 12, "unlabelled": 2, "test_multi": 2, "test_noise": 2, "test_semi": 2},
    "small": {"train": 48, "unlabelled": 6, "test_multi": 6, "test_noise": 6, "test_semi": 6},
    "full": {"train": 130, "unlabelled": 60, "test_multi": 36, "test_noise": 36, "test_semi": 36},
}
# What is wrong with a clip on purpose; the labels are right all the same.
HOSTILE: dict[str, tuple[str, ...]] = {
    "train": ("no_face", "silent", "no_transcript", "blank_transcript", "truncated"),
    "unlabelled": ("no_face", "no_sound", "truncated"),
}
# Shares of the classes: MER2023's train split (3373 clips: 26, 24, 20, 11, 14, 4 %) half way to equal shares.
SHARES = (0.21, 0.20, 0.19, 0.14, 0.15, 0.11)
# Mean and standard deviation of valence by class in MER2023's train split (MERTools, label-6way.npz).
VALENCE = {"neutral": (-0.08, 0.68), "angry": (-2.50, 0.95), "happy": (1.77, 0.74), "sad": (-2.37, 1.03),
           "worried": (-1.01, 0.80), "surprise": (-0.41, 1.29)}  # fmt: skip
CONFUSABLE = {
    "neutral": ("sad", "worried", "happy"),
    "angry": ("neutral", "surprise", "worried"),
    "happy": ("surprise", "neutral"),
    "sad": ("neutral", "worried"),
    "worried": ("sad", "neutral", "surprise"),
    "surprise": ("happy", "worried", "angry"),
}
SNRS = (5, 6, 7, 8, 9, 10)  # dB, MER2023's noise track (spec, 2.1)
BLURS = (1, 2, 4)  # pyramid factors of the same; 1 is sharp


class Difficulty(NamedTuple):
    """How often one modality misleads, independently of the others.

    Attributes:
        other: chance that it shows another emotion
        weak: chance that it shows hardly anything
        noise: factor on what it does besides
    """

    other: float
    weak: float
    noise: float


# Set by measurement: alone each modality is right in about three clips of five, together in more than three of four.
DIFFICULTY = {
    "face": Difficulty(other=0.16, weak=0.16, noise=1.0),
    "voice": Difficulty(other=0.12, weak=0.10, noise=0.7),
    "words": Difficulty(other=0.08, weak=0.10, noise=1.0),
}


class Cue(NamedTuple):
    """What one modality shows, and how strongly, from 0 to about 1."""

    emotion: str
    strength: float


@dataclass(frozen=True, kw_only=True)
class ClipPlan:
    """Everything that decides what a clip will be.

    Attributes:
        name: of the clip
        split: it belongs to
        speaker: number of the speaker
        emotion: label
        intensity: 0 mild to 1 strong
        valence: label, a multiple of 0.25
        openset: one to four words
        face: what the face shows
        voice: what the voice shows
        sentence: what is said
        hostile: what is wrong with the clip, or nothing
        snr: signal-to-noise ratio in dB of the noise split
        blur: pyramid factor of the noise split
        seed: of the generators that draw the clip
        syllables: how many are spoken at most
    """

    name: str
    split: str
    speaker: int
    emotion: str
    intensity: float
    valence: float
    openset: tuple[str, ...]
    face: Cue
    voice: Cue
    sentence: Sentence
    hostile: str | None
    snr: int | None
    blur: int | None
    seed: tuple[int, int]
    syllables: int


def plan_demo(scale: Scale, seed: int) -> list[ClipPlan]:
    """Returns the plan of every clip, in the order of the splits.

    Args:
        scale: how large; ``tiny`` is for tests and its clips stop after a few syllables
        seed: of everything that is drawn
    """
    generator = np.random.default_rng([seed, 0])
    slots: list[tuple[str, str, str | None]] = []
    for split, size in SIZES[scale].items():
        slots += [(split, emotion, None) for emotion in _draw_classes(size, generator)]
        kinds = HOSTILE.get(split, ()) if scale != "tiny" or split == "train" else ()
        slots += [(split, str(generator.choice(MER_EMOTIONS)), kind) for kind in kinds]
    names = generator.permutation(len(slots)) + 1
    speakers = generator.permutation(np.arange(len(slots)) % len(SPEAKERS))
    plans = [
        _plan_clip(int(name), int(speaker), slot, seed, 4 if scale == "tiny" else 40)
        for name, speaker, slot in zip(names, speakers, slots, strict=True)
    ]
    order = list(SIZES[scale])
    return sorted(plans, key=lambda plan: (order.index(plan.split), plan.name))


def _draw_classes(size: int, generator: np.random.Generator) -> list[str]:
    """Returns ``size`` emotions in random order whose shares are `SHARES`, as near as whole numbers go."""
    exact = np.array(SHARES) * size
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: size - counts.sum()]] += 1
    return generator.permutation(np.repeat(MER_EMOTIONS, counts)).tolist()


def _plan_clip(number: int, speaker: int, slot: tuple[str, str, str | None], seed: int, syllables: int) -> ClipPlan:
    split, emotion, hostile = slot
    generator = np.random.default_rng([seed, 1, number])
    intensity = float(generator.uniform())
    cues = {modality: _draw_cue(modality, emotion, intensity, generator) for modality in DIFFICULTY}
    shown = [cues["face"].emotion, cues["voice"].emotion]
    noisy = split == "test_noise"
    return ClipPlan(
        name=f"demo_{number:04d}",
        split=split,
        speaker=speaker,
        emotion=emotion,
        intensity=intensity,
        valence=_draw_valence(emotion, intensity, generator),
        openset=describe(emotion, intensity, shown, generator),
        face=cues["face"],
        voice=cues["voice"],
        sentence=say_something(cues["words"].emotion, cues["words"].strength, generator),
        hostile=hostile,
        snr=int(generator.choice(SNRS)) if noisy else None,
        blur=int(generator.choice(BLURS)) if noisy else None,
        seed=(seed, number),
        syllables=syllables,
    )


def _draw_cue(modality: str, emotion: str, intensity: float, generator: np.random.Generator) -> Cue:
    difficulty = DIFFICULTY[modality]
    luck = generator.random()
    strength = 0.55 + 0.4 * intensity + generator.normal(0, 0.08)
    if luck < difficulty.other:
        others = CONFUSABLE[emotion] if generator.random() < 0.7 else [e for e in MER_EMOTIONS if e != emotion]
        return Cue(str(generator.choice(others)), float(strength))
    if luck < difficulty.other + difficulty.weak:
        strength = generator.uniform(0.1, 0.35)
    return Cue(emotion, float(strength))


def _draw_valence(emotion: str, intensity: float, generator: np.random.Generator) -> float:
    """Returns a valence with the class' mean and deviation, further from 0 the more intense, in quarters."""
    mean, deviation = VALENCE[emotion]
    push = np.sign(mean) * (intensity - 0.5) * np.sqrt(12)  # of unit variance
    value = mean + deviation * (0.8 * push + 0.6 * generator.normal())
    return float(np.clip(round(value * 4) / 4, *MER_VALENCE))
