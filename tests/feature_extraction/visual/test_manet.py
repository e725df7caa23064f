import dataclasses
import sys

import numpy as np
import pytest
import torch

from feature_extraction.encoder import build_encoder, get_spec


class RecorderMeter:
    """What the authors' training script keeps; in their checkpoint it is of the script itself."""

    def __init__(self) -> None:
        self.epoch_losses = np.arange(6, dtype=np.float32).reshape(3, 2)
        self.current_epoch = 3


@pytest.fixture(scope="module")
def vectors(face_network):
    return face_network("manet")


def test_preprocessing(vectors):
    encoder = build_encoder(dataclasses.replace(get_spec("tiny-manet", "visual"), input_size=224))
    pictures = np.stack([encoder.picture(frame) for frame in vectors.frames])
    vectors.assert_input(encoder.normalised(torch.from_numpy(pictures)).numpy())


@pytest.fixture
def save(weights_folder, monkeypatch):
    """Writes a checkpoint as the authors' script did, on several devices, in the format of torch before 1.6."""

    def write(name: str, state: dict[str, torch.Tensor], *, numpy_before_2: bool) -> None:
        checkpoint = {
            "epoch": 3,
            "state_dict": {f"module.{name}": value for name, value in state.items()},
            "best_acc": torch.tensor([88.33]),
            "optimizer": {"state": {}, "param_groups": [{"lr": 0.01}]},
            "recorder": RecorderMeter(),
        }
        with monkeypatch.context() as patch:
            patch.setattr(RecorderMeter, "__module__", "__main__")
            patch.setattr(sys.modules["__main__"], "RecorderMeter", RecorderMeter, raising=False)
            torch.save(checkpoint, weights_folder / name, _use_new_zipfile_serialization=False)
        written = (weights_folder / name).read_bytes()
        assert b"c__main__\nRecorderMeter\n" in written
        assert b"cnumpy._core.multiarray\n_reconstruct\n" in written
        if numpy_before_2:
            older = written.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
            (weights_folder / name).write_bytes(older)

    return write


def test_checkpoint_of_its_authors(vectors, save, track_of):
    save("[02-08]-[21-19]-model_best-acc88.33.pth", vectors.weights, numpy_before_2=False)
    encoder = build_encoder(get_spec("manet", "visual"), level="frame")
    (result,) = encoder.encode([track_of(vectors.frames)])
    vectors.assert_output(result.values)


def test_checkpoint_as_old_as_its_authors(save, vectors, track_of):
    """NumPy had its arrays in another place then."""
    tiny = build_encoder(get_spec("tiny-manet", "visual"))
    save("older.pth", tiny.network.state_dict(), numpy_before_2=True)
    again = build_encoder(dataclasses.replace(tiny.spec, checkpoint="local:older.pth"))
    (expected,), (result,) = (encoder.encode([track_of(vectors.frames)]) for encoder in (tiny, again))
    np.testing.assert_array_equal(result.utterance, expected.utterance)


def test_mertools_differs_in_the_crops_only():
    plain, theirs = get_spec("manet", "visual"), get_spec("manet@mertools", "visual")
    assert theirs.faces.detector == "organisers"
    assert dataclasses.replace(theirs, name=plain.name, faces=plain.faces) == plain
