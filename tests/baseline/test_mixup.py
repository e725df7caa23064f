"""Mixup and cutmix against the reference's numbers."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from baseline.mixup import Mixing, smooth

CUT = {0: False, 1: False, 2: True, 3: False}  # which of the seeds draw cutmix


@pytest.fixture(scope="module")
def vectors(parity) -> dict[str, torch.Tensor]:
    return load_file(parity / "ssl_aux.safetensors")


@pytest.mark.parametrize("seed", CUT)
def test_batches_are_those_of_the_reference(vectors, seed):
    video, labels = vectors["mixup/in_x"], vectors["mixup/in_y"]
    before = video.clone()
    sound = torch.arange(4.0)[:, None, None, None].expand(4, 1, 6, 5)
    mixed = Mixing()(video, labels, 5, np.random.RandomState(seed), sound)
    torch.testing.assert_close(mixed.video, vectors[f"mixup/seed{seed}_x"], rtol=0, atol=1e-6)
    torch.testing.assert_close(mixed.targets, vectors[f"mixup/seed{seed}_y"], rtol=0, atol=1e-6)
    torch.testing.assert_close(video, before, rtol=0, atol=0)
    share = (mixed.sound[0, 0, 0, 0] - 3) / -3  # the first clip's sound is 0, its mirror's 3
    expected = smooth(labels, 5, 0.1) * share + smooth(labels.flip(0), 5, 0.1) * (1 - share)
    torch.testing.assert_close(mixed.targets, expected, rtol=0, atol=1e-6)


def test_both_ways_are_among_the_seeds(vectors):
    """Where something is cut out, every number is one of the clip or one of its mirror."""
    video = vectors["mixup/in_x"]
    found = {}
    for seed in CUT:
        mixed = vectors[f"mixup/seed{seed}_x"]
        found[seed] = bool(((mixed == video) | (mixed == video.flip(0))).all())
    assert found == CUT


def test_the_release_leaves_the_sound():
    sound = torch.rand(2, 1, 6, 5)
    video, labels = torch.rand(2, 3, 2, 8, 8), torch.tensor([0, 1])
    released = Mixing(sound=False)(video, labels, 2, np.random.RandomState(0), sound)
    assert released.sound is sound
    ours = Mixing()(video, labels, 2, np.random.RandomState(0), sound)
    torch.testing.assert_close(ours.targets, released.targets)
    assert not torch.equal(ours.sound, sound)


@pytest.mark.parametrize("seed", CUT)
def test_sound_alone_is_blended_whether_mixup_or_cutmix_is_drawn(seed):
    sound, labels = torch.arange(4.0)[:, None, None, None].expand(4, 1, 6, 5), torch.tensor([2, 0, 1, 2])
    mixed = Mixing()(None, labels, 3, np.random.RandomState(seed), sound)
    assert mixed.video is None
    share = (mixed.sound[0, 0, 0, 0] - 3) / -3  # the first clip's sound is 0, its mirror's 3
    assert 0 < share < 1
    expected = smooth(labels, 3, 0.1) * share + smooth(labels.flip(0), 3, 0.1) * (1 - share)
    torch.testing.assert_close(mixed.targets, expected)
    left = Mixing(sound=False)(None, labels, 3, np.random.RandomState(seed), sound)
    assert left.sound is sound
    torch.testing.assert_close(left.targets, smooth(labels, 3, 0.1))


def test_nothing_to_mix():
    video, labels = torch.rand(3, 3, 2, 8, 8), torch.tensor([2, 0, 1])
    for mixing in (Mixing(mixup=0, cutmix=0), Mixing(probability=0)):
        mixed = mixing(video, labels, 3, np.random.RandomState(0))
        assert mixed.sound is None
        torch.testing.assert_close(mixed.video, video)
        expected = torch.full((3, 3), 0.1 / 3) + 0.9 * torch.tensor([[0, 0, 1], [1, 0, 0], [0, 1, 0]])
        torch.testing.assert_close(mixed.targets, expected)


def test_one_of_the_two_only():
    video, labels = torch.rand(2, 3, 2, 8, 8), torch.tensor([0, 1])
    for seed in range(8):
        cut = Mixing(mixup=0)(video, labels, 2, np.random.RandomState(seed)).video
        assert ((cut == video) | (cut == video.flip(0))).all()
        blend = Mixing(cutmix=0)(video, labels, 2, np.random.RandomState(seed)).video
        torch.testing.assert_close(blend + blend.flip(0), video + video.flip(0))
        assert not torch.equal(blend, video)
