"""Masks: the reference's from its seeds, and what holds of any."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from toolkit.models.transformer.masks import Scattered, Split, Tube, Windows, draw, taken

GRID = (8, 10, 10)


@pytest.mark.parametrize(
    ("name", "mask", "grid"),
    [
        ("tube_8x10x10_r0.9", Tube(), GRID),
        ("part_window_8x10x10_r0.9_w5x10", Windows(), GRID),
        ("part_window_sym_global", Windows(one_side="picture"), GRID),
        ("part_window_sym_local", Windows(one_side="window"), GRID),
        ("random2d_16x8_r0.8", Scattered(), (16, 8)),
    ],
)
def test_those_of_the_reference(parity, name, mask, grid):
    facts = json.loads((parity / "ssl_aux.json").read_text())["items"][f"mask/{name}"]
    ours = draw(mask, grid, facts["calls"], np.random.RandomState(facts["numpy_seed"]))
    assert torch.equal(ours, load_file(parity / "ssl_aux.safetensors")[f"mask/{name}"])


def pictures(mask) -> np.ndarray:
    """What is hidden in 50 clips, ``(clip, row, column)``; it is the same in every picture of a clip."""
    drawn = draw(mask, GRID, 50, np.random.default_rng(0)).numpy().reshape(50, *GRID)
    assert (drawn == drawn[:, :1]).all()
    return drawn[:, 0]


def test_tubes():
    hidden = pictures(Tube(0.85))
    assert (hidden.sum(axis=(1, 2)) == 85).all()
    assert len(np.unique(hidden, axis=0)) == 50
    assert hidden.all(axis=0).sum() == 0  # every site is seen in some clip


def test_windows_hide_as_much_of_each():
    hidden = pictures(Windows(0.9, rows=2)).reshape(50, 5, 20)
    assert (hidden.sum(axis=2) == 18).all()


def test_windows_fill_the_picture():
    with pytest.raises(ValueError, match="10 rows of tokens cannot be cut into windows of 3"):
        draw(Windows(rows=3), GRID, 1, np.random.default_rng(0))


@pytest.mark.parametrize(("side", "alike"), [("picture", True), ("window", False)])
def test_one_side(side, alike):
    seen = ~pictures(Windows(0.9, one_side=side)).reshape(50, 2, 5, 10)
    assert (seen.sum(axis=(2, 3)) == 5).all()
    left, right = seen[..., :5].any(axis=(2, 3)), seen[..., 5:].any(axis=(2, 3))  # (clip, window)
    assert (left != right).all()
    assert 0.2 < left.mean() < 0.8
    assert (left[:, 0] == left[:, 1]).all() == alike


def test_parts_of_a_token_are_rounded_down():
    assert Scattered(0.8).draw((16, 8), np.random.default_rng(0)).sum() == 102  # of 102.4
    assert Tube(0.9).draw((1, 5, 5), np.random.default_rng(0)).sum() == 22  # of 22.5


def test_a_split():
    mask = torch.tensor([[True, False, True, False, True], [False, True, True, True, False]])
    split = Split.of(mask, torch.device("cpu"))
    assert split.visible.tolist() == [[1, 3], [0, 4]]
    assert split.masked.tolist() == [[0, 2, 4], [1, 2, 3]]
    tokens = torch.arange(10.0).reshape(2, 5, 1)
    assert torch.equal(taken(tokens, split.masked), tokens[mask].reshape(2, 3, 1))


def test_masks_of_different_size_are_refused():
    with pytest.raises(ValueError, match=r"these hide \[1, 2\]"):
        Split.of(torch.tensor([[True, False], [True, True]]), torch.device("cpu"))
