import dataclasses

import numpy as np
import pytest
import torch

from feature_extraction.encoder import build_encoder, get_spec


@pytest.fixture(scope="module")
def vectors(face_network):
    return face_network("emonet")


def test_preprocessing(vectors):
    """Only the network is made small; what it looks at is what the full one would."""
    encoder = build_encoder(dataclasses.replace(get_spec("tiny-emonet", "visual"), input_size=256))
    pictures = np.stack([encoder.picture(frame) for frame in vectors.frames])
    vectors.assert_input(encoder.normalised(torch.from_numpy(pictures)).numpy())


def test_checkpoint_of_its_authors(vectors, weights_folder, track_of):
    """Saved on several devices, with heads for five expressions; crops of any size and shape."""
    state = {f"module.{name}": value for name, value in vectors.weights.items()}
    state |= {"module.emo_fc_2.3.weight": torch.zeros(7, 128), "module.emo_fc_2.3.bias": torch.zeros(7)}
    torch.save(state, weights_folder / "emonet_8.pth")
    encoder = build_encoder(get_spec("emonet", "visual"), level="frame")
    (result,) = encoder.encode([track_of(vectors.frames)])
    vectors.assert_output(result.values)
    np.testing.assert_array_equal(result.times, [0.0, 0.1])


def test_crops_are_not_smoothed():
    """At a third of the size only the middle one of nine pixels is seen; with smoothing the picture would be dark."""
    encoder = build_encoder(get_spec("tiny-emonet", "visual"))
    dots = np.zeros((96, 96, 3), np.uint8)
    dots[1::3, 1::3] = 255
    assert (encoder.picture(dots) == 255).all()


def test_mertools_differs_in_the_crops_only():
    plain, theirs = get_spec("emonet", "visual"), get_spec("emonet@mertools", "visual")
    assert theirs.faces.detector == "organisers"
    assert dataclasses.replace(theirs, name=plain.name, faces=plain.faces) == plain
