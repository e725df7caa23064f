"""The program ``tests/parity.py`` over the vectors of all fusion networks and metrics."""

import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

import parity as program

TESTS = Path(__file__).parent


def files(folder: Path) -> list[Path]:
    return [path for kind in ("fusion_*.safetensors", "metrics_*.json") for path in sorted(folder.glob(kind))]


def test_everything_is_within_its_tolerance(parity, capsys):
    paths = files(parity)
    assert len(paths) > 20
    assert program.main(list(map(str, paths))) == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert [path.stem for path in paths if path.stem not in said.splitlines()] == []
    assert said.splitlines()[-1] == "over the tolerance: none"


@pytest.fixture
def spoilt(parity, tmp_path) -> Path:
    """A copy of one network's vectors with one weight a little off."""
    path = tmp_path / "fusion_mfn_a_align.safetensors"
    tensors = load_file(parity / path.name)
    tensors["weights/gamma2_fc2.bias"][0] += 0.01
    save_file(tensors, path)
    path.with_suffix(".json").write_text((parity / path.name).with_suffix(".json").read_text())
    return path


def test_a_spoilt_file(parity, spoilt):
    """As a program of its own, among others that are right."""
    command = [sys.executable, TESTS / "parity.py", parity / "metrics_ccc.json", spoilt]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TESTS.parent)
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "over the tolerance: fusion_mfn_a_align"
    (features,) = (line for line in lines if line.strip().startswith("features"))
    assert features.endswith("OVER")


def test_files_that_cannot_be_compared(parity, tmp_path, capsys):
    assert program.main([str(parity / "emt_shared_eval.json"), str(tmp_path / "fusion_no_case.json")]) == 2
    said = capsys.readouterr().out
    assert "not compared: Nothing of ours can be compared with emt_shared_eval.json yet" in said
    assert "not compared: There is no file" in said
    assert said.splitlines()[-1].endswith("not compared: emt_shared_eval, fusion_no_case")
