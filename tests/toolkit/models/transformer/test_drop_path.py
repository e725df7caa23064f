"""Branches left out."""

import pytest
import torch

from toolkit.models.transformer.drop_path import DropPath, drop_rates


def test_whole_rows_are_left_out_and_the_others_make_up_for_them():
    torch.manual_seed(0)
    dropped = DropPath(0.25)(torch.ones(4000, 2, 3))
    rows = dropped.flatten(1)
    assert (rows == rows[:, :1]).all()
    assert rows.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert rows.mean().item() == pytest.approx(1, abs=0.03)


def test_nothing_is_left_out_of_what_is_only_used():
    branch = torch.randn(5, 2)
    assert DropPath(0.9).eval()(branch) is branch
    assert DropPath(0.0)(branch) is branch


def test_rates_rise_in_even_steps():
    assert drop_rates(0.1, 3) == pytest.approx([0, 0.05, 0.1])
    assert drop_rates(0.1, 2) == pytest.approx([0, 0.1])
    assert drop_rates(0.1, 1) == [0]
