"""The program ``tests/parity.py`` over the vectors of fusion networks, metrics and masked autoencoders."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

import parity as program
from toolkit.models.network import networks

TESTS = Path(__file__).resolve().parent
VECTORS = TESTS.parents[1] / "shared" / "parity"
KINDS = (
    "fusion_*.safetensors",
    "metrics_*.json",
    "maedfer_*.safetensors",
    "svfap_*.safetensors",
    "hicmae_*.safetensors",
    "ssl_aux.safetensors",
)
FILES = [path for kind in KINDS for path in sorted(VECTORS.glob(kind))]


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_within_the_tolerance(path, capsys):
    code = program.main([str(path)])
    said = capsys.readouterr().out
    assert code == 0, said
    assert said.splitlines()[0] == path.stem
    assert said.splitlines()[-1] == "over the tolerance: none"


def test_every_network_has_vectors(parity):
    fusion = [path.with_suffix(".json") for path in FILES if path.name.startswith("fusion_")]
    compared = {json.loads(path.read_text())["constructor_args"]["model"] for path in fusion}
    assert set(networks.names()) - compared == {"mlp"}  # of MER2023, of which there are none


@pytest.fixture
def spoilt(parity, tmp_path) -> Path:
    """A copy of one network's vectors with one weight a little off."""
    original, path = parity / "fusion_mfn_a_align.safetensors", tmp_path / "spoilt.safetensors"
    tensors = load_file(original)
    tensors["weights/gamma2_fc2.bias"][0] += 0.01
    save_file(tensors, path)
    path.with_suffix(".json").write_text(original.with_suffix(".json").read_text())
    return path


def test_a_spoilt_file(parity, spoilt):
    """As a program of its own, beside one that is right."""
    command = [sys.executable, TESTS / "parity.py", parity / "metrics_ccc.json", spoilt]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TESTS.parent)
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "over the tolerance: spoilt"
    over = {line.split()[0] for line in lines if line.endswith("OVER")}
    assert {"features", "emotion_logits", "valence"} <= over
    assert "auxiliary_loss" not in over


def test_no_number_is_over_any_tolerance(spoilt, capsys):
    tensors = load_file(spoilt)
    tensors["weights/gamma2_fc2.bias"][0] = float("nan")
    save_file(tensors, spoilt)
    assert program.main([str(spoilt)]) == 1
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("  features"))
    assert line.split()[1::2] == ["inf", "OVER"]


@pytest.mark.parametrize("kept", [0, 4, 100, 5000, -3])
def test_a_file_cut_off(spoilt, kept, capsys):
    """Said in a line, and beside a file that is right."""
    spoilt.write_bytes(spoilt.read_bytes()[:kept])
    assert program.main([str(spoilt), str(VECTORS / "metrics_ccc.json")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("  not compared: spoilt cannot be read (Error while deserializing header")
    assert lines[1].endswith("Expected a vector file and its sidecar, whole: copy both again.")
    assert lines[-1] == "over the tolerance: none; damaged: spoilt"


@pytest.mark.parametrize("content", [b"", b'{"case": "fusion_mfn', b"\xff\xfe"], ids=["empty", "cut", "no_text"])
def test_a_sidecar_cut_off(spoilt, content, capsys):
    spoilt.with_suffix(".json").write_bytes(content)
    assert program.main([str(spoilt)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "over the tolerance: none; damaged: spoilt"


def test_a_sidecar_alone(spoilt, capsys):
    spoilt.unlink()
    assert program.main([str(spoilt.with_suffix(".json"))]) == 2
    assert f"not compared: There is no file {spoilt}. Expected a vector file" in capsys.readouterr().out


def test_files_that_cannot_be_compared(parity, tmp_path, capsys):
    known = ("fusion_", "metrics_", "cnn_", "maedfer_", "svfap_", "hicmae_", "ssl_aux")
    others = [path for path in sorted(parity.glob("*.json")) if not path.name.startswith(known)]
    others += sorted(parity.glob("maedfer_*_keys.json"))
    assert len(others) > 5
    assert program.main([*map(str, others), str(tmp_path / "fusion_no_case.json")]) == 2
    said = capsys.readouterr().out
    assert "not compared: Nothing of ours can be compared with emt_shared_eval.json yet" in said
    assert "not compared: There is no file" in said
    names = [*(path.stem for path in others), "fusion_no_case"]
    assert said.splitlines()[-1] == f"over the tolerance: none; not compared: {', '.join(names)}"
