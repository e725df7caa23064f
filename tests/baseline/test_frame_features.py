"""Frames out of the caches: compressed and aligned, by hand."""

import json

import numpy as np
import pytest
import torch

from baseline.dataset import FeatureSource
from baseline.frame_features import compressed, load_frames, resampled
from toolkit.cache import Cache, CacheWriter, Header, Record, cache_path
from toolkit.errors import UserError
from toolkit.status import Status

NAMES = ["a", "b", "c", "d"]
LENGTHS = {"sound": [5, 3, 4, 0], "words": [2, 4, 0, 0], "face": [7, 0, 2, 0]}
MODALITIES = {"sound": "audio", "words": "text", "face": "visual"}


def frames_of(key: str, row: int) -> np.ndarray:
    """Frames of two numbers: which clip, and which frame."""
    length = LENGTHS[key][row]
    return np.stack([np.full(length, row), np.arange(length)], axis=1).astype(np.float32)


@pytest.fixture
def sources(tmp_path) -> dict[str, FeatureSource]:
    """Three features of four clips, of which each but the first lacks something."""
    return {key: write(tmp_path, key) for key in LENGTHS}


def write(root, key, *, half=False, change=None) -> FeatureSource:
    modality = MODALITIES[key]
    path = cache_path(root, "tiny", modality, key, "frame")
    with CacheWriter(path, Header("tiny", json.dumps({"name": key}), f"identity-{key}"), half=half) as writer:
        for row, name in enumerate(NAMES):
            frames = frames_of(key, row)
            if change is not None:
                frames = change(name, frames)
            if len(frames):
                row_of = {"utterance": frames.mean(axis=0)}
                writer.append(Record(name, row=row_of, ragged={"frames/values": frames}))
            else:
                writer.append(Record(name, Status.MISSING, "not there"))
    return FeatureSource(Cache(path), modality)


def steps_of(inputs, key, name):
    """The second numbers of a clip's frames, which are means of frame numbers."""
    clip = inputs.values[key][torch.tensor([inputs.names.index(name)])]
    assert (clip.frames[:, 0] == inputs.names.index(name)).all() or not clip.frames.any()
    return clip.frames[:, 1].tolist()


@pytest.mark.parametrize(
    ("length", "compress", "means"),
    [
        (7, 3, [1, 4, 6]),  # 0 1 2 | 3 4 5 | 6: the last mean is of what is left, and of nothing else
        (6, 3, [1, 4]),
        (2, 3, [0.5]),
        (4, 1, [0, 1, 2, 3]),
        (0, 3, []),
    ],
)
def test_compressed_by_hand(length, compress, means):
    frames = np.arange(length, dtype=np.float32)[:, None] * [1, 10]
    result = compressed(frames.astype(np.float32), compress)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, np.array(means, np.float32).reshape(-1, 1) * [1, 10], rtol=1e-6)


@pytest.mark.parametrize(
    ("length", "steps", "means"),
    [
        (4, 2, [0.5, 2.5]),
        (5, 2, [1, 3]),  # 0 1 2 and 2 3 4: both shares hold the frame in the middle
        (5, 3, [0.5, 2, 3.5]),  # 0 1, 1 2 3, 3 4
        (3, 3, [0, 1, 2]),
        (2, 3, [0, 0.5, 1]),  # fewer frames than steps
        (1, 3, [0, 0, 0]),
    ],
)
def test_resampled_by_hand(length, steps, means):
    frames = np.arange(length, dtype=np.float32)[:, None]
    np.testing.assert_allclose(resampled(frames, steps)[:, 0], means, rtol=1e-6)
    shares = [(i * length // steps, -(-(i + 1) * length // steps)) for i in range(steps)]
    np.testing.assert_allclose(resampled(frames, steps)[:, 0], [frames[a:b].mean() for a, b in shares], rtol=1e-6)


def test_frames_each_with_their_own_lengths(sources):
    inputs = load_frames(sources, NAMES, 2, aligned=False)
    assert {key: values.lengths.tolist() for key, values in inputs.values.items()} == {
        "sound": [3, 2, 2, 0], "words": [1, 2, 0, 0], "face": [4, 0, 1, 0],
    }  # fmt: skip
    assert {key: mask.tolist() for key, mask in inputs.present.items()} == {
        "sound": [True, True, True, False], "words": [True, True, False, False], "face": [True, False, True, False],
    }  # fmt: skip
    assert steps_of(inputs, "sound", "a") == [0.5, 2.5, 4]
    assert steps_of(inputs, "face", "a") == [0.5, 2.5, 4.5, 6]
    assert inputs.dims == {"face": 2, "sound": 2, "words": 2}
    assert inputs.usable.tolist() == [True, True, True, False]
    assert inputs.lengths.tolist() == [4, 2, 2, 0]


def test_aligned_to_the_text(sources):
    inputs = load_frames(sources, NAMES, 1, aligned=True)
    assert all(values.lengths.tolist() == [2, 4, 2, 0] for values in inputs.values.values())
    assert steps_of(inputs, "words", "b") == [0, 1, 2, 3]
    assert steps_of(inputs, "sound", "a") == [1, 3]
    assert steps_of(inputs, "sound", "b") == [0, 0.5, 1.5, 2]  # three frames on four steps
    assert steps_of(inputs, "face", "a") == [1.5, 4.5]  # 0 1 2 3 and 3 4 5 6


def test_aligned_without_text_to_the_fewest_steps(sources):
    inputs = load_frames(sources, NAMES, 1, aligned=True)
    assert steps_of(inputs, "face", "c") == [0, 1]
    assert steps_of(inputs, "sound", "c") == [0.5, 2.5]


def test_aligned_feature_that_a_clip_lacks_is_zeros_on_the_same_axis(sources):
    inputs = load_frames(sources, NAMES, 1, aligned=True)
    assert inputs.present["face"].tolist() == [True, False, True, False]
    assert inputs.values["face"][1:2].frames.tolist() == [[0, 0]] * 4
    padded = [part.values.shape[1] for part in inputs.take(torch.tensor([1, 2])).features.values()]
    assert padded == [4, 4, 4]


def test_compressed_before_it_is_aligned(sources):
    inputs = load_frames(sources, NAMES, 2, aligned=True)
    assert inputs.values["face"].lengths.tolist() == [1, 2, 1, 0]
    assert steps_of(inputs, "face", "a") == [(0.5 + 2.5 + 4.5 + 6) / 4]
    assert steps_of(inputs, "sound", "b") == [0.5, 2]


def test_in_the_order_asked_for(sources):
    inputs = load_frames(sources, ["c", "a", "c"], 1, aligned=False)
    assert inputs.names == ("c", "a", "c")
    assert inputs.values["sound"].lengths.tolist() == [4, 5, 4]
    assert inputs.values["sound"][0:1].frames[:, 0].tolist() == [2] * 4
    assert inputs.values["sound"][1:2].frames[:, 0].tolist() == [0] * 5


def test_half_precision(tmp_path):
    inputs = load_frames({"sound": write(tmp_path, "sound", half=True)}, NAMES, 2, aligned=False)
    assert inputs.values["sound"].values.dtype == torch.float32
    assert steps_of(inputs, "sound", "a") == [0.5, 2.5, 4]


def test_not_finite(tmp_path):
    def broken(name, frames):
        return frames * np.nan if name in ("b", "c") else frames

    source = write(tmp_path, "sound", change=broken)
    with pytest.raises(UserError, match=r"sound.frames.h5: 'b' has features that are not finite \(2 clips\)"):
        load_frames({"sound": source}, NAMES, 3, aligned=False)


def test_clip_absent_from_the_cache(sources):
    with pytest.raises(UserError, match=r"lacks 1 of 2 clips, such as 'z'.*--encoder sound --level frame"):
        load_frames({"sound": sources["sound"]}, ["a", "z"], 1, aligned=False)


def test_no_clip_of_those_asked_for(sources):
    inputs = load_frames({"words": sources["words"]}, ["c", "d"], 1, aligned=True)
    assert inputs.dims == {"words": 2}
    assert inputs.present["words"].tolist() == [False, False]


def test_every_clip_failed(tmp_path, sources):
    (tmp_path / "none").mkdir()
    failed = write(tmp_path / "none", "face", change=lambda name, frames: frames[:0])
    both = {"face": failed, "sound": sources["sound"]}
    with pytest.raises(UserError, match=r"holds no usable clip.*Leave 'face' out"):
        load_frames(both, NAMES, 1, aligned=False)
    inputs = load_frames(both, NAMES, 1, aligned=True, dims={"face": 3, "sound": 2})
    assert inputs.dims == {"face": 3, "sound": 2}
    assert inputs.values["face"].lengths.tolist() == [5, 3, 4, 0]
    assert not inputs.present["face"].any()
