"""Variants of specs and references to them."""

import json

import pytest

from feature_extraction.encoder import get_spec
from feature_extraction.hub import fingerprint
from feature_extraction.reference import find_spec
from toolkit.errors import UserError


def test_layers_combination_and_precision():
    spec = find_spec("wavlm-large@bfloat16+mean+layers-1,9", "audio")
    assert spec.name == "wavlm-large@layers-1,9+mean+bfloat16"
    assert (spec.layers, spec.combine, spec.precision) == ((-1, 9), "mean", "bfloat16")
    assert spec.identity != get_spec("wavlm-large", "audio").identity
    assert find_spec(spec.name, "audio") == spec


def test_every_layer():
    spec = find_spec("wavlm-large@every-layer", "audio")
    assert (spec.layers, spec.combine) == ((), "keep")


def test_other_tokens_are_of_another_width():
    spec = find_spec("clip-vit-base-patch32@layers-2+tokens-class", "visual")
    assert (spec.option("tokens"), spec.layers, spec.dim) == ("class", (-2,), None)
    assert spec.name == "clip-vit-base-patch32@layers-2+tokens-class"


def test_mertools_has_variants_too():
    spec = find_spec("dinov2-large@mertools+faces-openface", "visual")
    assert spec.name == "dinov2-large@mertools+faces-openface"
    assert spec.option("tokens") == "sum"
    assert spec.faces.name == "openface"


@pytest.mark.parametrize(
    ("reference", "modality", "message"),
    [
        ("egemaps@bfloat16", "audio", "'egemaps' has no variant 'bfloat16'"),
        ("char-hash@layers1", "text", "no variant 'layers1'"),
        ("face-hog@column-x", "visual", "no variant 'column-x'"),
        ("face-hog@faces-mtcn", "visual", "Unknown face spec 'mtcn'. Did you mean 'mtcnn'"),
        ("wavlm-large@layersx", "audio", "no variant 'layersx'"),
        ("wavlm-large@float16+bfloat16", "audio", "cannot be computed in float16 and bfloat16: name one"),
        ("wavlm-large@every-layer+mean", "audio", "every-layer keeps the layers side by side"),
        ("wavlm-lrge@bfloat16", "audio", "Did you mean 'wavlm-large'"),
        ("hf:somewhere/nothing", "text", "neither a folder nor to be had"),
    ],
)
def test_unknown(reference, modality, message, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=message):
        find_spec(reference, modality)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "My Model@home"
    path.mkdir()
    (path / "config.json").write_text(json.dumps({"model_type": "wavlm"}))
    (path / "model.safetensors").write_bytes(b"12345678")
    return path


def test_any_model_in_a_folder(folder, tmp_path):
    spec = find_spec(f"hf:{folder}", "audio")
    assert (spec.name, spec.family, spec.checkpoint) == ("My Model@home", "speech", f"hf:{folder}")
    assert spec.sample_rate == 16000
    other = tmp_path / "elsewhere" / folder.name
    other.parent.mkdir()
    folder.rename(other)
    moved = find_spec(f"hf:{other}", "audio")
    assert moved.identity == spec.identity
    (other / "model.safetensors").write_bytes(b"12345679")
    assert find_spec(f"hf:{other}", "audio").identity != spec.identity


def test_model_of_another_modality_is_sent_to_its_command(folder):
    with pytest.raises(UserError, match=r"type 'wavlm', which no visual family runs. The audio command runs it"):
        find_spec(f"hf:{folder}", "visual")


def test_folder_without_a_config(tmp_path):
    with pytest.raises(UserError, match=r"holds no config\.json"):
        find_spec(f"hf:{tmp_path}", "audio")


def test_fingerprint_ignores_hidden_files(folder):
    before = fingerprint(folder)
    (folder / ".gitattributes").write_text("x")
    assert fingerprint(folder) == before
    (folder / "more.txt").write_text("x")
    assert fingerprint(folder) != before
