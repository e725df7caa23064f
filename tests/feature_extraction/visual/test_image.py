"""Image transformers, against the library's processors and networks called clip by clip."""

import dataclasses
import socket

import numpy as np
import pytest
import torch
import transformers

from feature_extraction.encoder import EncoderSpec, all_specs, build_encoder
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.faces.track import FaceTrack
from feature_extraction.visual.architecture import ARCHITECTURES
from toolkit.errors import ClipError, UserError
from toolkit.status import Status

VISION = {
    "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64, "image_size": 32,
    "patch_size": 8,
}  # fmt: skip
TEXT = {
    "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 30,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip
SQUARE = {"height": 32, "width": 32}


def make_clip() -> tuple:
    config = transformers.CLIPConfig(
        text_config=TEXT | {"projection_dim": 16}, vision_config=VISION | {"projection_dim": 16}, projection_dim=16
    )
    processor = transformers.CLIPImageProcessorPil(size={"shortest_edge": 40}, crop_size=SQUARE)
    return transformers.CLIPModel(config), processor


def make_siglip() -> tuple:
    config = transformers.SiglipConfig(text_config=TEXT, vision_config=VISION)
    return transformers.SiglipModel(config), transformers.SiglipImageProcessorPil(size=SQUARE)


def make_dinov2() -> tuple:
    config = transformers.Dinov2Config(**VISION | {"image_size": 56}, mlp_ratio=2)
    processor = transformers.BitImageProcessorPil(size={"shortest_edge": 36}, crop_size=SQUARE)
    return transformers.Dinov2Model(config), processor


def make_vit() -> tuple:
    model = transformers.ViTForImageClassification(transformers.ViTConfig(**VISION))
    return model, transformers.ViTImageProcessorPil(size=SQUARE)


def make_data2vec() -> tuple:
    config = transformers.Data2VecVisionConfig(**VISION, use_mean_pooling=True, use_relative_position_bias=True)
    processor = transformers.BeitImageProcessorPil(size=SQUARE, resample=2)
    return transformers.Data2VecVisionForImageClassification(config), processor


MAKERS = {
    "clip": make_clip, "siglip": make_siglip, "dinov2": make_dinov2, "vit": make_vit, "data2vec-vision": make_data2vec,
}  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder per type with a whole model, text half or classifier included, and its processor."""
    made = {}
    for name, make in MAKERS.items():
        torch.manual_seed(1)
        model, processor = make()
        for parameter in model.parameters():  # as drawn, all pictures look alike to them
            torch.nn.init.normal_(parameter, std=0.2)
        folder = made[name] = tmp_path_factory.mktemp(name)
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
    return made


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def spec_of(folder, **settings) -> EncoderSpec:
    return EncoderSpec(
        name="mine", modality="visual", family="image", checkpoint=f"hf:{folder}", faces=FaceSpec(),
        options=tuple(sorted(settings.pop("options", {}).items())), **settings,
    )  # fmt: skip


def make_track(seed: int, frames: int, shape: tuple[int, int] = (112, 112)) -> FaceTrack:
    """Pictures of smooth blobs, each unlike the others."""
    import cv2

    generator = np.random.default_rng(seed)
    seeds = generator.integers(0, 256, (frames, 5, 5, 3)).astype(np.uint8)
    crops = np.stack([cv2.resize(picture, shape[::-1], interpolation=cv2.INTER_CUBIC) for picture in seeds])
    box = np.tile(np.array([10, 10, 110, 130], np.float32), (frames, 1))
    points = np.zeros((frames, 5, 2), np.float32)
    return FaceTrack(crops, 0.2 + np.arange(frames) / 10, box, points, np.ones(frames, np.float32))


TRACKS = [make_track(0, 3), make_track(1, 21), make_track(2, 1, (90, 140))]


def load_library(folder, network: str, **options):
    network = getattr(transformers, network).from_pretrained(folder, local_files_only=True, **options).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True, backend="pil")

    def run(track: FaceTrack, method=None, **arguments):
        pixels = processor(images=list(track.crops), return_tensors="pt", input_data_format="channels_last")
        with torch.inference_mode():
            return (getattr(network, method) if method else network)(**pixels, **arguments)

    return run


def assert_rows(spec: EncoderSpec, expected: list[torch.Tensor], atol: float = 1e-5) -> None:
    """Both levels, all clips together and each alone."""
    encoder = build_encoder(spec, level="frame")
    together = encoder.encode(TRACKS)
    for track, result, rows in zip(TRACKS, together, expected, strict=True):
        assert result.values.dtype == np.float32
        np.testing.assert_allclose(result.values, rows, rtol=1e-5, atol=atol)
        np.testing.assert_array_equal(result.times, track.times)
        np.testing.assert_allclose(result.utterance, rows.mean(dim=0), rtol=1e-5, atol=atol)
        (alone,) = encoder.encode([track])
        np.testing.assert_allclose(alone.values, result.values, rtol=1e-5, atol=atol)
    brief = build_encoder(spec).encode(TRACKS[::-1])[::-1]
    for one, other in zip(brief, together, strict=True):
        assert len(one.values) == 0
        np.testing.assert_allclose(one.utterance, other.utterance, rtol=1e-5, atol=atol)


@pytest.mark.parametrize(("kind", "network"), [("clip", "CLIPModel"), ("siglip", "SiglipModel")])
def test_projected(folders, kind, network):
    run = load_library(folders[kind], network)
    expected = [run(track, "get_image_features").pooler_output for track in TRACKS]
    assert expected[1].std(dim=0).min() > 1e-3  # pictures differ by more than the tolerance
    assert_rows(spec_of(folders[kind], options={"tokens": "projected"}), expected)


LAST_STATES = {
    "clip": "CLIPVisionModel", "siglip": "SiglipVisionModel", "dinov2": "Dinov2Model", "vit": "ViTModel",
    "data2vec-vision": "Data2VecVisionModel",
}  # fmt: skip


@pytest.mark.parametrize("tokens", ["class", "mean", "sum", "pooled"])
@pytest.mark.parametrize("kind", LAST_STATES)
def test_tokens(folders, kind, tokens):
    if (kind, tokens) in {("siglip", "class"), ("vit", "pooled")}:
        pytest.skip("the checkpoint has no such thing; another test sees what is said then")
    pooler = {"add_pooling_layer": True} if kind == "data2vec-vision" else {}
    outputs = [load_library(folders[kind], LAST_STATES[kind], **pooler)(track) for track in TRACKS]
    first = 0 if kind == "siglip" else 1
    expected = {
        "class": lambda output: output.last_hidden_state[:, 0],
        "mean": lambda output: output.last_hidden_state[:, first:].mean(dim=1),
        "sum": lambda output: output.last_hidden_state.sum(dim=1),
        "pooled": lambda output: output.pooler_output,
    }[tokens]
    assert_rows(spec_of(folders[kind], options={"tokens": tokens}), [expected(o) for o in outputs], atol=2e-5)


def test_layers(folders):
    run = load_library(folders["dinov2"], "Dinov2Model")
    states = [run(track, output_hidden_states=True).hidden_states for track in TRACKS]
    spec = spec_of(folders["dinov2"], layers=(0, -2), combine="sum", options={"tokens": "class"})
    assert_rows(spec, [(s[0] + s[2])[:, 0] for s in states])
    spec = spec_of(folders["dinov2"], layers=(1, 3), combine="keep", options={"tokens": "mean"})
    assert_rows(spec, [torch.cat([s[1], s[3]], dim=-1)[:, 1:].mean(dim=1) for s in states])
    spec = spec_of(folders["dinov2"], combine="keep", options={"tokens": "class"})  # every layer
    assert_rows(spec, [torch.cat(s, dim=-1)[:, 0] for s in states])


@pytest.mark.parametrize("frames", [5, 64, 150])
def test_sums_over_64_frames_are_those_of_mertools(folders, frames):
    """Their steps one after the other: frames by their rule, the last state before normalisation, all tokens."""
    (row,) = [spec for name, spec in all_specs("visual").items() if name == "dinov2-large@mertools"]
    track = make_track(4, frames)
    indices = np.arange(0, frames, frames / min(64, frames)).astype(int).tolist()[:64]
    indices += [indices[-1]] * (64 - len(indices))
    output = load_library(folders["dinov2"], "Dinov2Model")(
        FaceTrack(*(field[indices] for field in track)), output_hidden_states=True
    )
    expected = torch.stack(output.hidden_states)[-1].sum(dim=1)
    spec = dataclasses.replace(row, checkpoint=f"hf:{folders['dinov2']}", input_size=32)
    (result,) = build_encoder(spec, level="frame").encode([track])
    np.testing.assert_allclose(result.values, expected, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(result.utterance, expected.mean(dim=0), rtol=1e-5, atol=1e-4)
    assert (np.diff(result.times) > 0).all()
    np.testing.assert_allclose(result.times, track.times[indices], rtol=0, atol=1e-4)


def test_sum_over_tokens_of_data2vec_is_that_of_mertools(folders):
    (row,) = [spec for name, spec in all_specs("visual").items() if name == "data2vec-vision-base-ft1k@mertools"]
    run = load_library(folders["data2vec-vision"], "AutoModel")
    states = [run(track, output_hidden_states=True).hidden_states for track in TRACKS]
    spec = dataclasses.replace(row, checkpoint=f"hf:{folders['data2vec-vision']}", input_size=32)
    assert_rows(spec, [torch.stack(s)[-1].sum(dim=1) for s in states], atol=1e-4)


def test_only_the_half_that_sees_is_loaded(folders):
    for kind, network in (("clip", "CLIPVisionModelWithProjection"), ("siglip", "SiglipVisionModel")):
        encoder = build_encoder(spec_of(folders[kind], options={"tokens": "projected"}))
        assert type(encoder.network).__name__ == network
        assert not [name for name, _ in encoder.network.named_parameters() if "text" in name]


def test_projection_as_wide_as_the_whole_model_says(tmp_path):
    """Files of some CLIP models leave the projection's width out of the part on vision, where 512 is then meant."""
    config = transformers.CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=24)
    transformers.CLIPModel(config).save_pretrained(tmp_path)
    make_clip()[1].save_pretrained(tmp_path)
    run = load_library(tmp_path, "CLIPModel")
    expected = [run(track, "get_image_features").pooler_output for track in TRACKS]
    assert expected[0].shape == (3, 24)
    assert_rows(spec_of(tmp_path), expected)


def test_weights_of_another_size_than_the_configuration(folders, tmp_path):
    transformers.ViTModel.from_pretrained(folders["vit"], local_files_only=True).save_pretrained(tmp_path)
    make_vit()[1].save_pretrained(tmp_path)
    transformers.ViTConfig(**VISION | {"intermediate_size": 80}).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"'layers\.0\.mlp\.fc1\.bias' of shape \(64,\).* says \(80,\)"):
        build_encoder(spec_of(tmp_path))


def test_a_network_without_the_head_that_projects(tmp_path):
    config = transformers.SiglipVisionConfig(**VISION, vision_use_head=False)
    transformers.SiglipVisionModel(config).save_pretrained(tmp_path)
    make_siglip()[1].save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"has no head.* tokens=projected; .* mean, sum"):
        build_encoder(spec_of(tmp_path))
    assert build_encoder(spec_of(tmp_path, options={"tokens": "mean"})).encode(TRACKS[:1])[0].utterance.shape == (32,)


def test_attention_is_fused_and_changes_nothing(folders):
    encoder = build_encoder(spec_of(folders["clip"], options={"tokens": "projected"}), level="frame")
    assert encoder.network.config._attn_implementation == "sdpa"
    fused = encoder.encode(TRACKS)
    encoder.network.set_attn_implementation("eager")
    for one, other in zip(encoder.encode(TRACKS), fused, strict=True):
        np.testing.assert_allclose(one.values, other.values, rtol=0, atol=1e-5)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("kind", ["clip", "data2vec-vision"])
def test_half_precision(folders, kind, precision):
    spec = spec_of(folders[kind])
    full = build_encoder(spec, level="frame").encode(TRACKS)
    halved = build_encoder(dataclasses.replace(spec, precision=precision), level="frame").encode(TRACKS)
    for one, other in zip(full, halved, strict=True):
        assert other.values.dtype == np.float32
        assert 0 < np.abs(one.values - other.values).mean() < 0.03 * np.abs(one.values).mean()


def test_a_checkpoint_in_half_precision_is_run_in_float32(folders, tmp_path):
    model = transformers.Dinov2Model.from_pretrained(folders["dinov2"], local_files_only=True, dtype=torch.float16)
    model.save_pretrained(tmp_path)
    make_dinov2()[1].save_pretrained(tmp_path)
    assert build_encoder(spec_of(tmp_path)).network.dtype == torch.float32


class Watched:
    """Crops that tell how many were looked at."""

    def __init__(self, crops: np.ndarray) -> None:
        self.crops, self.seen = crops, 0

    def __getitem__(self, index: int) -> np.ndarray:
        self.seen += 1
        return self.crops[index]


def test_a_long_clip_is_streamed(tmp_path):
    crops = np.lib.format.open_memmap(tmp_path / "crops.npy", "w+", np.uint8, (3_000, 16, 16, 3))
    crops[:] = np.arange(3_000).reshape(-1, 1, 1, 1) % 251
    track = make_track(0, 1)._replace(crops=Watched(crops), times=np.arange(3_000) / 25)
    encoder = build_encoder(all_specs("visual")["tiny-vit"], level="frame")
    pieces = encoder.pieces(track)
    next(pieces), next(pieces)
    before = track.crops.seen
    assert 0 < before <= 2 * encoder.capacity
    (result,) = encoder.encode([track])
    assert track.crops.seen == before + 3_000
    np.testing.assert_array_equal(result.times, track.times)
    np.testing.assert_allclose(result.values[251 * 11], result.values[0], rtol=0, atol=1e-5)
    assert np.abs(result.values[100] - result.values[0]).max() > 1e-2


def test_no_face():
    encoder = build_encoder(all_specs("visual")["tiny-clip"])
    good, bad = encoder.encode([TRACKS[0], FaceTrack(*(field[:0] for field in TRACKS[0]))])
    assert isinstance(bad, ClipError)
    assert bad.status == Status.NO_FACE
    assert np.isfinite(good.utterance).all()


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_every_architecture(model_type):
    """Every choice of tokens is computed, and the patches' tokens are as many as there are patches."""
    spec = dataclasses.replace(
        all_specs("visual")["tiny-vit"], options=(("model_type", model_type),), name=f"some-{model_type}"
    )
    architecture = ARCHITECTURES[model_type]
    for tokens in architecture.choices:
        options = (("model_type", model_type), ("tokens", tokens))
        encoder = build_encoder(dataclasses.replace(spec, options=options), level="frame")
        (result,) = encoder.encode([TRACKS[1]])
        assert result.values.shape == (21, 16 if tokens == "projected" and "clip" in model_type else 32)
        assert np.ptp(result.values, axis=0).max() > 0
    states = encoder.network(pixel_values=torch.zeros(1, 3, 32, 32)).last_hidden_state
    assert states.shape[1] - architecture.leading_tokens(encoder.network.config) == (32 // 8) ** 2
    assert encoder.network.config._attn_implementation == "sdpa"


def test_tiny_networks_are_the_same_every_time():
    spec = all_specs("visual")["tiny-siglip"]
    one, other = (build_encoder(spec).encode(TRACKS[:1])[0].utterance for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert spec.dim == len(one)


def test_an_architecture_that_is_not_known(tmp_path):
    transformers.BertConfig().save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"'mine' is a model of type 'bert', expected .* beit, clip, .*vit_msn\."):
        build_encoder(spec_of(tmp_path))


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (
            "vit",
            {"options": {"tokens": "pooled"}},
            r"lacks 'pooler\S+' and 1 more, .* tokens=pooled; .* class, mean, sum",
        ),
        ("siglip", {"options": {"tokens": "class"}}, "no tokens=class, expected one of projected, pooled, mean, sum"),
        ("clip", {"layers": (-2,)}, "tokens=projected, which .* choose tokens of class, mean, sum"),
        ("vit", {"input_size": 224}, "needs pictures of 224 x 224 pixels, but .* makes them 32 x 32"),
        ("dinov2", {"input_size": 224}, "needs pictures of 224 x 224 pixels"),
        ("dinov2", {"layers": (7,)}, "no layer 7"),
    ],
)
def test_what_a_checkpoint_cannot_give(folders, kind, settings, message):
    with pytest.raises(UserError, match=message):
        build_encoder(spec_of(folders[kind], **settings)).encode(TRACKS[:1])


def test_pictures_that_do_not_fit_the_network(folders, tmp_path):
    transformers.ViTModel.from_pretrained(folders["vit"], local_files_only=True).save_pretrained(tmp_path)
    transformers.ViTImageProcessorPil(size={"height": 48, "width": 48}).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"needs pictures of 32 x 32 pixels, but .* makes them 48 x 48"):
        build_encoder(spec_of(tmp_path))


def test_a_folder_without_a_preprocessor(folders, tmp_path):
    transformers.ViTModel.from_pretrained(folders["vit"], local_files_only=True).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"preprocessor_config\.json"):
        build_encoder(spec_of(tmp_path))
