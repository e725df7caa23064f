"""Clips that cannot be read, in the batches of fine-tuning."""

import numpy as np
import torch

from baseline.face_clips.clip import Clip, ClipSource
from baseline.fine_tuning.feed import Examples, batches


class Numbered(Clip):
    """A clip whose one pixel is its name."""

    def pictures(self, numbers):
        return np.full((len(numbers), 1, 1, 3), int(self.name), np.uint8)


class FourClips(ClipSource):
    """Four clips, of which one is odd."""

    def __init__(self):
        self.names, self.left_out = list("0123"), {}

    def open(self, number):
        return Numbered(self.names[number], np.zeros(0 if number == 2 else 1), None)


def test_an_unforeseen_error_costs_one_clip(caplog):
    def make(clip, _):
        return {"video": torch.from_numpy(clip.pictures(clip.times[[0]]))}

    first, second = batches(Examples(FourClips(), ["3", "2", "1", "0"], make, 0), 2)
    assert [(batch.names, batch.views, batch.inputs["video"].flatten()[0]) for batch in (first, second)] == [
        (["3"], [1], 3),
        (["1", "0"], [1, 1], 1),
    ]
    (unread,) = first.unread
    assert (unread.name, unread.status) == ("2", "error")
    assert unread.reason.startswith("IndexError: index 0 is out of bounds")
    assert "Traceback" in caplog.text
