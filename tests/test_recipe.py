"""The recipe's own options; what it does is run by ``.ci/run`` on a small demo corpus."""

import shutil
import subprocess
from pathlib import Path

import pytest

RECIPE = Path(__file__).resolve().parents[1] / "run_mer2024.sh"
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--corpus"], "error: --corpus needs a value"),
        (["--demo", "--corpus", "clips.csv"], "error: --demo and --corpus exclude each other"),
        (["--wrokdir", "x"], "error: unknown option '--wrokdir'"),
    ],
)
def test_wrong_options(tmp_path, options, message):
    result = subprocess.run(["bash", RECIPE, *options], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.startswith(message)
    assert list(tmp_path.iterdir()) == []


def test_help(tmp_path):
    result = subprocess.run(["bash", RECIPE, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("Usage: bash run_mer2024.sh")
