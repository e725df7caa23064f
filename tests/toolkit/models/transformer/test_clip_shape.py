"""Clips cut into tubelets and put together."""

import pytest
import torch

from toolkit.models.transformer.clip_shape import ClipShape

SMALL = ClipShape(size=6, frames=4, patch=3, tubelet=2, channels=2)


def test_the_published_grid():
    shape = ClipShape()
    assert (shape.grid, shape.tokens, shape.numbers) == ((8, 10, 10), 800, 1536)


def test_where_a_pixel_goes():
    video = torch.zeros(1, 2, 4, 6, 6)
    video[0, 1, 3, 2, 4] = 7  # second colour, second picture of the second pair, third row, fifth column
    tubelets = SMALL.tubelets(video)
    assert tubelets.shape == (1, 2, 2, 2, 2, 2, 3, 3)
    assert tubelets[0, 1, 0, 1, 1, 1, 2, 1] == 7
    assert tubelets.sum() == 7


def test_there_and_back():
    video = torch.randn(3, 2, 4, 6, 6)
    assert torch.equal(SMALL.video(SMALL.tubelets(video)), video)


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(2, 4, 6, 9\) where one of \(2, 4, 6, 6\)"):
        SMALL.tubelets(torch.zeros(1, 2, 4, 6, 9))
