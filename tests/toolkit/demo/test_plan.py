"""What is planned: sizes, shares, labels and how often a modality misleads."""

import re
from collections import Counter

import numpy as np
import pytest

from toolkit.demo.plan import BLURS, DIFFICULTY, HOSTILE, SIZES, SNRS, VALENCE, plan_demo
from toolkit.labels import MER_EMOTIONS


def test_full_demo_has_every_split_and_its_hostile_clips():
    plans = plan_demo("full", 0)
    fine = Counter(plan.split for plan in plans if plan.hostile is None)
    assert fine == {"train": 130, "unlabelled": 60, "test_multi": 36, "test_noise": 36, "test_semi": 36}
    hostile = [(plan.split, plan.hostile) for plan in plans if plan.hostile]
    assert sorted(hostile) == sorted((split, kind) for split, kinds in HOSTILE.items() for kind in kinds)
    assert len(plans) == 306


@pytest.mark.parametrize(("scale", "clips"), [("tiny", 25), ("small", 80), ("full", 306)])
def test_sizes(scale, clips):
    assert len(plan_demo(scale, 0)) == clips


def test_same_seed_same_plan_and_another_seed_another():
    assert plan_demo("small", 3) == plan_demo("small", 3)
    assert plan_demo("small", 3) != plan_demo("small", 4)


def test_names_are_unique_and_do_not_tell_the_split():
    plans = plan_demo("full", 0)
    assert len({plan.name for plan in plans}) == len(plans)
    assert all(re.fullmatch(r"demo_\d{4}", plan.name) for plan in plans)
    numbers = [int(plan.name[5:]) for plan in plans if plan.split == "test_multi"]
    assert min(numbers) < 100 < 200 < max(numbers)


@pytest.mark.parametrize("split", ["train", "test_multi", "test_noise", "test_semi"])
def test_every_class_in_every_labelled_split(split):
    counts = Counter(plan.emotion for plan in plan_demo("full", 0) if plan.split == split and not plan.hostile)
    assert set(counts) == set(MER_EMOTIONS)
    assert counts["neutral"] == max(counts.values())
    assert counts["surprise"] == min(counts.values()) >= SIZES["full"][split] // 10


def test_valence_is_in_quarters_with_the_published_means():
    plans = [plan for seed in range(6) for plan in plan_demo("full", seed)]
    assert all((plan.valence * 4).is_integer() and -5 <= plan.valence <= 5 for plan in plans)
    for emotion, (mean, deviation) in VALENCE.items():
        values = [plan.valence for plan in plans if plan.emotion == emotion]
        assert np.mean(values) == pytest.approx(mean, abs=0.25)
        assert np.std(values) == pytest.approx(deviation, abs=0.2)


def test_one_to_four_words_and_the_stronger_the_clip_the_stronger_they_are():
    plans = plan_demo("full", 0)
    assert {len(plan.openset) for plan in plans} == {1, 2, 3, 4}
    assert all(word == word.lower() for plan in plans for word in plan.openset)
    angry = [plan for plan in plans if plan.emotion == "angry"]
    assert all(plan.openset[0] == "furious" for plan in angry if plan.intensity > 0.67)
    assert all(plan.openset[0] == "dissatisfied" for plan in angry if plan.intensity < 0.33)


@pytest.mark.parametrize("modality", ["face", "voice"])
def test_each_modality_misleads_as_often_as_planned_and_by_itself(modality):
    plans = [plan for seed in range(6) for plan in plan_demo("full", seed)]
    wrong = np.array([getattr(plan, modality).emotion != plan.emotion for plan in plans])
    assert wrong.mean() == pytest.approx(DIFFICULTY[modality].other, abs=0.03)
    both = np.mean([plan.face.emotion != plan.emotion != plan.voice.emotion for plan in plans])
    assert both == pytest.approx(DIFFICULTY["face"].other * DIFFICULTY["voice"].other, abs=0.012)


def test_only_the_noise_split_is_noisy():
    for plan in plan_demo("full", 0):
        if plan.split == "test_noise":
            assert plan.snr in SNRS
            assert plan.blur in BLURS
        else:
            assert plan.snr is None
            assert plan.blur is None


def test_every_speaker_is_in_the_train_split():
    assert len({plan.speaker for plan in plan_demo("full", 0) if plan.split == "train"}) == 12
