import argparse
import dataclasses

import numpy as np
import pytest
import torch

from feature_extraction.encoder import build_encoder, get_spec


@pytest.fixture(scope="module")
def vectors(face_network):
    return face_network("msceleb_resnet18")


def test_preprocessing(vectors):
    encoder = build_encoder(dataclasses.replace(get_spec("tiny-resnet18", "visual"), input_size=224))
    pictures = np.stack([encoder.picture(frame) for frame in vectors.frames])
    vectors.assert_input(encoder.normalised(torch.from_numpy(pictures)).numpy())


def test_checkpoint_of_faces(vectors, weights_folder, track_of):
    """A trainer's file: its options, a score as a NumPy number, a classifier of as many people as it knew."""
    state = {f"module.{name}": value for name, value in vectors.weights.items()}
    state |= {"module.fc.weight": torch.zeros(80, 512), "module.fc.bias": torch.zeros(80)}
    checkpoint = {"state_dict": state, "args": argparse.Namespace(lr=0.1), "best": np.float64(0.9)}
    torch.save(checkpoint, weights_folder / "resnet18_msceleb.pth")
    encoder = build_encoder(get_spec("resnet18-msceleb", "visual"), level="frame")
    (result,) = encoder.encode([track_of(vectors.frames)])
    vectors.assert_output(result.values)


def test_checkpoint_of_torchvision(vectors, weights_folder, track_of):
    """A bare dictionary, from before normalisation counted its batches."""
    state = {name: value for name, value in vectors.weights.items() if not name.endswith("num_batches_tracked")}
    assert len(state) == 102
    torch.save(state, weights_folder / "resnet18-f37072fd.pth")
    encoder = build_encoder(get_spec("resnet18-imagenet", "visual"), level="frame")
    (result,) = encoder.encode([track_of(vectors.frames)])
    vectors.assert_output(result.values)


@pytest.mark.parametrize("name", ["resnet18-msceleb", "resnet18-imagenet"])
def test_mertools_differs_in_the_crops_only(name):
    plain, theirs = get_spec(name, "visual"), get_spec(f"{name}@mertools", "visual")
    assert theirs.faces.detector == "organisers"
    assert dataclasses.replace(theirs, name=plain.name, faces=plain.faces) == plain
