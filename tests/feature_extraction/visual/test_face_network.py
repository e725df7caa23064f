"""Laws of the face networks, on small random ones."""

import dataclasses

import numpy as np
import pytest
import torch

from feature_extraction.encoder import build_encoder, get_spec
from feature_extraction.visual.face_network import FaceNetworkEncoder
from toolkit.errors import ClipError, UserError
from toolkit.status import Status

NAMES = ["tiny-emonet", "tiny-manet", "tiny-resnet18", "tiny-resnet50-ferplus", "tiny-senet50-ferplus"]


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    """Waves that move, ``(60, 112, 112, 3)``."""
    t, y, x, c = np.ogrid[:60, :112, :112, :3]
    return (127 + 120 * np.sin(0.09 * x + 0.2 * t + c) * np.cos(0.05 * y - 0.1 * t)).astype(np.uint8)


@pytest.fixture(params=NAMES)
def spec(request):
    return get_spec(request.param, "visual")


@pytest.fixture
def encoder(spec) -> FaceNetworkEncoder:
    return build_encoder(spec, level="frame")


def trunk_of(encoder: FaceNetworkEncoder) -> dict[str, torch.Tensor]:
    state = encoder.network.state_dict()
    return {name: value for name, value in state.items() if not name.startswith(encoder.classifier)}


def loaded(spec, file: str = "weights.pth") -> FaceNetworkEncoder:
    return build_encoder(dataclasses.replace(spec, checkpoint=f"local:{file}"), level="frame")


def test_rows_are_the_pictures_one_by_one(encoder, crops, track_of):
    (result,) = encoder.encode([track_of(crops[:20])])
    assert result.values.shape == (20, encoder.spec.dim)
    pictures = [torch.from_numpy(np.array(encoder.picture(crop))[None]) for crop in crops[:20]]
    with torch.inference_mode():
        alone = torch.cat([encoder.network(encoder.normalised(picture)) for picture in pictures])
    np.testing.assert_allclose(result.values, alone.numpy(), rtol=0, atol=1e-4)
    assert result.values.std(axis=0).max() > 0.01  # pictures differ


def test_clips_among_others(encoder, crops, track_of):
    clips = [track_of(part) for part in (crops[:1], crops[1:12], crops[12:14], crops[14:37])]
    together = encoder.encode(clips)
    for clip, result in zip(clips, together, strict=True):
        (alone,) = encoder.encode([clip])
        np.testing.assert_allclose(result.values, alone.values, rtol=0, atol=1e-4)
        np.testing.assert_array_equal(result.times, clip.times)


def test_no_face(encoder, crops, track_of):
    (result,) = encoder.encode([track_of(crops[:0])])
    assert isinstance(result, ClipError)
    assert result.status == Status.NO_FACE


@pytest.mark.parametrize("size", [(30, 40), (300, 200), (1, 1), (7, 500)])
def test_whole_frames_and_tiny_crops(encoder, track_of, size):
    (result,) = encoder.encode([track_of(np.full((2, *size, 3), 90, np.uint8))])
    assert np.isfinite(result.values).all()
    np.testing.assert_allclose(result.values[0], result.values[1], atol=1e-5)


def test_colours_are_told_apart(encoder, crops, track_of):
    rgb, bgr = encoder.encode([track_of(crops[:2]), track_of(crops[:2, :, :, ::-1])])
    assert np.abs(rgb.values - bgr.values).max() > 0.005


def test_long_clip_streams_from_a_file(tmp_path, crops, track_of):
    """No more crops are touched ahead of the network than a few batches hold."""
    encoder = build_encoder(get_spec("tiny-resnet18", "visual"), level="frame")
    file = np.memmap(tmp_path / "crops", np.uint8, "w+", shape=(600, *crops.shape[1:]))
    for start in range(0, len(file), len(crops)):
        file[start : start + len(crops)] = crops[: len(file) - start]
    clip = track_of(np.memmap(tmp_path / "crops", np.uint8, "r", shape=file.shape))
    seen: list[int] = []
    for piece in encoder.pieces(clip):
        seen.append(piece.length)
        assert piece.inputs.nbytes <= encoder.capacity * 3 * 32 * 32
    assert sum(seen) == 600
    (long,), (short,) = encoder.encode([clip]), encoder.encode([track_of(crops)])
    np.testing.assert_allclose(long.values[540:], short.values, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(long.times, clip.times)


@pytest.mark.parametrize(("precision", "tolerance"), [("bfloat16", 0.1), ("float16", 0.02)])
def test_half_precision(spec, crops, track_of, precision, tolerance):
    (exact,) = build_encoder(spec).encode([track_of(crops[:8])])
    (rough,) = build_encoder(dataclasses.replace(spec, precision=precision)).encode([track_of(crops[:8])])
    assert np.abs(rough.utterance - exact.utterance).max() < tolerance * np.abs(exact.utterance).max()


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("wrapping", [None, "state_dict"])
def test_checkpoint_without_classifier_and_counters(encoder, spec, weights_folder, crops, track_of, prefix, wrapping):
    state = {f"{prefix}{name}": value for name, value in trunk_of(encoder).items() if value.ndim}
    torch.save(state if wrapping is None else {wrapping: state, "epoch": 3}, weights_folder / "weights.pth")
    (again,), (expected,) = (e.encode([track_of(crops[:3])]) for e in (loaded(spec), encoder))
    np.testing.assert_allclose(again.values, expected.values, rtol=0, atol=1e-5)


def test_checkpoint_of_another_network(spec, weights_folder):
    others = {name: build_encoder(get_spec(name, "visual")).network for name in NAMES if name != spec.name}
    for name, network in others.items():
        torch.save(network.state_dict(), weights_folder / f"{name}.pth")
        with pytest.raises(UserError, match=rf"{name}.pth .*(it is of another network|, expected \()"):
            loaded(spec, f"{name}.pth")


def test_one_layer_too_few_or_of_another_size(encoder, spec, weights_folder):
    state = trunk_of(encoder)
    name = next(name for name, value in state.items() if value.ndim == 4)
    torch.save({key: value for key, value in state.items() if key != name}, weights_folder / "weights.pth")
    with pytest.raises(UserError, match=f"lacks '{name}'"):
        loaded(spec)
    torch.save(state | {name: torch.zeros(2, 2, 1, 1)}, weights_folder / "weights.pth")
    with pytest.raises(UserError, match=rf"'{name}' of shape \(2, 2, 1, 1\), expected"):
        loaded(spec)


def test_code_in_a_checkpoint_does_not_run(spec, weights_folder):
    class Trap:
        def __reduce__(self) -> tuple:
            return (pytest.fail, ("code of a checkpoint ran",))

    torch.save({"state_dict": {}, "args": Trap()}, weights_folder / "weights.pth")
    with pytest.raises(UserError, match="cannot be read safely"):
        loaded(spec)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("emonet", "face-analysis/emonet"),
        ("manet", "MERTools"),
        ("resnet50-ferplus", "resnet50_ferplus_dag.pth"),
        ("senet50-ferplus", "senet50_ferplus_dag.pth"),
        ("resnet18-msceleb", "DAN"),
        ("resnet18-imagenet", "download.pytorch.org"),
    ],
)
def test_missing_weights_say_where_they_are_to_be_had(weights_folder, name, source):
    with pytest.raises(UserError, match=rf"needs the weights .*Get them from \S*{source}"):
        build_encoder(get_spec(name, "visual"))
