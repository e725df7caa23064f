"""What is known of a model before it is loaded."""

import json
from pathlib import Path

import pytest

from feature_extraction.hub import fingerprint, model_type
from feature_extraction.reference import find_spec

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with a model of eight megabytes."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "wavlm"}))
    (folder / "model.safetensors").write_bytes(bytes(8 << 20))
    (folder / "preprocessor_config.json").write_text("{}")  # looked at after the weights, as in every real folder
    return folder


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of the hub that was fetched earlier; now there is no connection."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    model = tmp_path / "models--org--thing"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text(COMMIT)
    (model / "snapshots" / COMMIT).mkdir(parents=True)
    (model / "snapshots" / COMMIT / "config.json").write_text(json.dumps({"model_type": "wavlm"}))


@pytest.mark.parametrize("place", [1 << 19, 3 << 20, (4 << 20) + (1 << 19), (8 << 20) - 1])
def test_fingerprint_looks_all_over_the_weights(model, place):
    before = fingerprint(model)
    with (model / "model.safetensors").open("rb+") as file:  # a layer changes, other layers and the size do not
        file.seek(place)
        file.write(b"x" * (1 << 20))
        file.truncate(8 << 20)
    assert fingerprint(model) != before


def test_fingerprint_counts_files_after_the_weights(model):
    before = fingerprint(model)
    (model / "preprocessor_config.json").write_text('{"do_normalize": true}')
    assert fingerprint(model) != before


def test_fingerprint_ignores_what_downloading_leaves(model):
    before = fingerprint(model)
    notes = model / ".cache" / "huggingface" / "download" / "config.json.metadata"
    notes.parent.mkdir(parents=True)
    notes.write_text("1754049600.0")  # the time of the download, among others
    assert fingerprint(model) == before


def test_model_fetched_earlier(fetched):
    assert model_type("org/thing", "main") == "wavlm"


@pytest.mark.parametrize("reference", ["hf:org/thing", "hf:org/thing#main", f"hf:org/thing#{COMMIT}"])
def test_revision_is_the_commit_whatever_it_is_called(fetched, reference):
    spec = find_spec(reference, "audio")
    assert (spec.name, spec.checkpoint, spec.revision) == ("org--thing", "hf:org/thing", COMMIT)
