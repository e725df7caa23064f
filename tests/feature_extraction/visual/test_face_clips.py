"""Masked autoencoders that look at faces: views as in the release, rows over time, pictures as they were trained."""

import dataclasses

import cv2
import numpy as np
import pytest
import torch

from feature_extraction.encoder import build_encoder, get_spec
from feature_extraction.faces.track import FaceTrack
from feature_extraction.reference import find_spec

NAMES = ("tiny-mae-dfer", "tiny-svfap", "tiny-videomae-face", "tiny-hicmae-face")
PICTURES = {"tiny-svfap": 8}  # of a row; of all others two


def make_track(count: int) -> FaceTrack:
    """Pictures of noise at 25 a second."""
    crops = np.random.default_rng(count).integers(0, 256, (count, 40, 40, 3)).astype(np.uint8)
    empty = np.zeros((count, 0), np.float32)
    return FaceTrack(crops, np.arange(count) / 25, empty, empty, empty)


def video(crops: np.ndarray) -> torch.Tensor:
    """What a network of 64 pixels sees of crops, as plainly as possible."""
    pictures = np.stack([cv2.resize(crop, (64, 64)) for crop in crops]) / 255
    pixels = (pictures - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return torch.from_numpy(pixels.astype(np.float32).transpose(3, 0, 1, 2))[None]


@pytest.fixture(params=NAMES)
def name(request) -> str:
    return request.param


@pytest.mark.parametrize("level", ["utterance", "frame"])
def test_the_vector_is_the_mean_over_the_views_of_the_release(name, level):
    encoder, track = build_encoder(get_spec(name, "visual"), level=level), make_track(150)
    seen = np.arange(0, 150, 4)  # 38 pictures
    with torch.inference_mode():
        views = [
            encoder.network({"video": video(track.crops[part])}).features[0].numpy() for part in (seen[:16], seen[-16:])
        ]
    (result,) = encoder.encode([track])
    assert np.abs(views[0] - views[1]).max() > 0.01
    np.testing.assert_allclose(result.utterance, np.mean(views, axis=0), rtol=0, atol=1e-5)


def test_a_short_clip_is_one_view_whose_last_picture_comes_again(name):
    encoder, track = build_encoder(get_spec(name, "visual")), make_track(30)
    seen = np.minimum(np.arange(16), 7) * 4
    with torch.inference_mode():
        expected = encoder.network({"video": video(track.crops[seen])}).features[0]
    assert len(list(encoder.pieces(track))) == 1
    np.testing.assert_allclose(encoder.encode([track])[0].utterance, expected, rtol=0, atol=1e-5)


def test_rows_cover_the_clip_once(name):
    encoder, track = build_encoder(get_spec(name, "visual"), level="frame"), make_track(160)
    of_row = PICTURES.get(name, 2)
    seen = np.arange(0, 160, 4)  # 40 pictures: two windows and a half, the third moved back by a half
    with torch.inference_mode():
        rows = [
            encoder.network.over_time({"video": video(track.crops[seen[start : start + 16]])})[0].numpy()
            for start in (0, 16, 24)
        ]
    rows[2] = rows[2][len(rows[2]) // 2 :]
    (result,) = encoder.encode([track])
    np.testing.assert_allclose(result.values, np.concatenate(rows), rtol=0, atol=1e-5)
    np.testing.assert_allclose(result.times, track.times[seen].reshape(-1, of_row).mean(axis=1))


def test_every_picture(name):
    spec, track = find_spec(f"{name}@step-1", "visual"), make_track(40)
    few = FaceTrack(track.crops[::4], *(field[::4] for field in track[1:]))
    every, fourth = (build_encoder(one) for one in (spec, get_spec(name, "visual")))
    np.testing.assert_array_equal(every.encode([few])[0].utterance, fourth.encode([track])[0].utterance)
    assert np.abs(every.encode([track])[0].utterance - fourth.encode([track])[0].utterance).max() > 0.01


def test_half_precision_stays_close(name):
    spec, track = get_spec(name, "visual"), make_track(100)
    exact, rough = (
        build_encoder(dataclasses.replace(spec, precision=precision)).encode([track])[0].utterance
        for precision in ("float32", "bfloat16")
    )
    assert rough.dtype == np.float32
    assert 0 < np.linalg.norm(rough - exact) / np.linalg.norm(exact) < 0.05
