"""Samplers: which settings are drawn."""

import itertools
import sys

import numpy as np
import pytest

from baseline.sampler import BATCH, SAMPLERS, make_sampler
from toolkit.errors import UserError

RANGES = {
    "network.hidden": (64, 128, 256),
    "network.dropout": (0.2, 0.3, 0.4, 0.5),
    "training.gradient_clip": (None, 1.0),
}
COMBINATIONS = [dict(zip(RANGES, values, strict=True)) for values in itertools.product(*RANGES.values())]


def test_no_combination_twice_and_none_left_out():
    sampler = make_sampler("random", RANGES, 0)
    drawn = sampler.ask(20) + sampler.ask(20)
    assert len(drawn) == 24
    assert all(settings in drawn for settings in COMBINATIONS)
    assert sampler.ask(1) == []


def test_longer_search_begins_like_a_shorter_one():
    assert make_sampler("random", RANGES, 3).ask(20)[:5] == make_sampler("random", RANGES, 3).ask(5)
    assert make_sampler("random", RANGES, 4).ask(5) != make_sampler("random", RANGES, 3).ask(5)


def test_first_draws_are_even():
    """Of 3,000 first draws each of 24 combinations comes 125 times, give or take 11 (one standard deviation)."""
    firsts = [make_sampler("random", RANGES, seed).ask(1)[0] for seed in range(3000)]
    counts = np.array([firsts.count(settings) for settings in COMBINATIONS])
    assert counts.sum() == 3000
    assert abs(counts - 125).max() < 45


@pytest.mark.parametrize("name", SAMPLERS[1:])
def test_optuna_is_asked_for(monkeypatch, name):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UserError, match=rf"The sampler '{name}' needs optuna.*\[optuna\]"):
        make_sampler(name, RANGES, 0)


def _merit(settings):
    return settings["network.hidden"] / 256 - settings["network.dropout"] + (settings["training.gradient_clip"] is None)


def _search(name, draws):
    sampler, drawn = make_sampler(name, RANGES, 0), []
    while len(drawn) < draws:
        asked = sampler.ask(draws - len(drawn))
        assert len(asked) <= BATCH
        assert all(settings in COMBINATIONS for settings in asked)
        sampler.tell([_merit(settings) if settings["network.hidden"] != 64 else -np.inf for settings in asked])
        drawn += asked
    return drawn


@pytest.mark.parametrize("name", SAMPLERS[1:])
def test_samplers_of_optuna_repeat_and_learn(name):
    pytest.importorskip("optuna")
    drawn = _search(name, 2 * BATCH)
    assert drawn == _search(name, 2 * BATCH)
    early, late = (np.mean([_merit(s) for s in part]) for part in (drawn[:BATCH], drawn[-BATCH:]))
    assert late > early
