"""The check of the machine, with broken and missing parts put in its way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from toolkit import check as subject

ROOT = Path(__file__).resolve().parents[2]
NMS = "operator torchvision::nms does not exist"


@pytest.fixture
def broken_torchvision(tmp_path, monkeypatch):
    """A torchvision as it is found beside a CPU torch: well installed, and dead at import."""
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(f"raise RuntimeError({NMS!r})\n")
    (tmp_path / "torchvision-0.28.0.dist-info").mkdir()
    (tmp_path / "torchvision-0.28.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torchvision\nVersion: 0.28.0\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def by_name(lines):
    assert all(line.state in ("ok", "missing", "broken") for line in lines)
    return {line.name: line for line in lines}


def test_this_machine():
    lines = by_name(subject.check())
    assert lines["python"].detail.startswith(".".join(map(str, sys.version_info[:3])))
    assert {"numpy", "torch", "av", "mtcnn", "transformers", "extra opensmile", "OpenFace 2", "cpu"} <= set(lines)
    assert lines["numpy"].state == "ok"
    assert lines["temporary folder"].state == "ok"
    assert lines["cpu"].detail.endswith(" cores")


def test_broken_torchvision(broken_torchvision):
    line = by_name(subject.check())["torchvision"]
    assert line.state == "broken"
    assert line.detail.startswith(f"0.28.0, cannot be imported (RuntimeError: {NMS})")
    assert "transformers" in line.detail
    assert line.remedy.startswith("pip uninstall torchvision (it is not needed), or install the build that matches")


def test_broken_torchvision_on_the_command_line(broken_torchvision):
    path = os.pathsep.join([str(broken_torchvision), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "toolkit", "check"], capture_output=True, text=True, cwd=ROOT, check=False,
        env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "torchvision: pip uninstall torchvision" in done.stdout


def test_working_torchvision(broken_torchvision):
    (broken_torchvision / "torchvision" / "__init__.py").write_text("")
    lines = by_name(subject.check())
    assert (lines["torchvision"].state, lines["torchvision"].detail) == ("ok", "0.28.0, can be imported")
    assert lines["extra vision"].detail == "torchvision 0.28.0"


def test_absent_parts_come_with_the_line_that_installs_them(monkeypatch):
    monkeypatch.setattr(subject, "_version", lambda package: None)
    monkeypatch.setattr(subject.shutil, "which", lambda program: None)
    lines = by_name(subject.check())
    assert (lines["extra opensmile"].state, lines["numpy"].state, lines["OpenFace 2"].state) == (
        "missing", "broken", "missing",
    )  # fmt: skip
    assert lines["extra opensmile"].remedy == 'pip install -c constraints.txt -e ".[opensmile]"'
    assert lines["numpy"].remedy == "pip install -c constraints.txt -e ."


def test_package_that_is_imported_by_another_name():
    pytest.importorskip("google.protobuf")
    assert subject._optional_part("llm", Requirement("protobuf>=4")).state == "ok"


def test_version_out_of_range(monkeypatch):
    monkeypatch.setattr(subject, "_version", lambda package: "2.15.0")
    line = by_name(subject.check())["torch"]
    assert (line.state, line.detail) == ("broken", "2.15.0, expected <2.14,>=2.6")


@pytest.mark.parametrize(("variable", "value"), [("PATH", "."), ("OPENFACE", "."), ("OPENFACE", "FeatureExtraction")])
def test_openface_is_found(tmp_path, monkeypatch, variable, value):
    program = tmp_path / "FeatureExtraction"
    program.touch(mode=0o755)
    monkeypatch.setenv(variable, str(tmp_path / value))
    assert subject._openface() == ("OpenFace 2", "ok", str(program), "")


def test_openface_is_not_where_it_should_be(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENFACE", str(tmp_path))
    assert subject._openface().state == "broken"


def test_no_temporary_folder(monkeypatch):
    def fail():
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(subject.tempfile, "gettempdir", fail)
    line = by_name(subject.check())["temporary folder"]
    assert (line.state, line.remedy) == ("broken", "Set TMPDIR to a folder you may write.")
