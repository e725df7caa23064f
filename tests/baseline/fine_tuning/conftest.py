"""Clips of a few frames in folders of pictures, with a class one can see."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.corpus import Corpus, corpus_from_table

COLOURS = {"angry": (200, 40, 40), "happy": (40, 200, 40), "sad": (40, 40, 200)}


def write_clip(folder: Path, colour: tuple[int, int, int], *, frames: int = 4, size: int = 48) -> Path:
    import cv2

    folder.mkdir(parents=True)
    generator = np.random.default_rng(sum(map(ord, folder.name)))
    for number in range(frames):
        noise = generator.integers(-30, 30, (size, size, 3))
        picture = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
        assert cv2.imwrite(str(folder / f"{number:03d}.png"), picture[..., ::-1])
    return folder


@pytest.fixture
def make_clip() -> Callable[..., Path]:
    return write_clip


@pytest.fixture
def make_clips() -> Callable[..., Corpus]:
    """Makes a corpus with so many clips of each class in each split, whose valence is -1, 0 or 1."""

    def make(root: Path, **splits: int) -> Corpus:
        rows = []
        for split, count in (splits or {"train": 4}).items():
            for number in range(count * len(COLOURS)):
                emotion = list(COLOURS)[number % len(COLOURS)]
                name = f"{split}_{number:02d}"
                write_clip(root / name, COLOURS[emotion])
                valence = float(number % len(COLOURS) - 1)
                rows.append({"name": name, "split": split, "video": name, "emotion": emotion, "valence": valence})
        table = pd.DataFrame(rows)
        table.to_csv(root / "clips.csv", index=False)
        return corpus_from_table("clips", root, table, emotions=tuple(COLOURS))

    return make
