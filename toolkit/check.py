"""What is on this machine: versions, devices, optional parts, and what is broken with the line that mends it."""

import configparser
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal, NamedTuple

from packaging.requirements import Requirement

from toolkit.device import usable_cores

PROJECT = "mer-toolkit"
# The extras that are parts of the product, not tools.
OPTIONAL = ("opensmile", "optuna", "onnx", "distributed", "vision", "facenet", "timm", "emotion2vec", "llm")
# Compiled against one build of torch. transformers only looks whether they exist, imports them, and so fails with them
# (pytorch/vision issues 8985, 9077; pytorch/pytorch issue 157648).
POISONOUS = ("torchvision", "torchaudio", "torchcodec")
MODULES = {"protobuf": "google.protobuf"}  # what a package is imported by, where that is not its own name
OPENFACE = "FeatureExtraction"  # the program of OpenFace 2 that writes features of a video
IMPORT_SECONDS = 120

State = Literal["ok", "missing", "broken"]


class CheckLine(NamedTuple):
    """One thing that was looked at.

    Attributes:
        name: the thing
        state: ``missing`` is fine for what is optional, ``broken`` never is
        detail: version, size or what is wrong
        remedy: what to do about it; empty where there is nothing to do
    """

    name: str
    state: State
    detail: str
    remedy: str = ""


def check() -> list[CheckLine]:
    """Returns everything there is to know before a first run, in the order it is best read."""
    required, extras = _requirements()
    lines = [_python(), *(_package(requirement) for requirement in required)]
    lines += [_compiled_part(name) for name in POISONOUS if importlib.util.find_spec(name)]
    for extra in OPTIONAL:
        lines += [_optional_part(extra, requirement) for requirement in extras.get(extra, [])]
    return [*lines, _openface(), *_devices(), _temporary_folder()]


def _python() -> CheckLine:
    return CheckLine("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _requirements() -> tuple[list[Requirement], dict[str, list[Requirement]]]:
    """Returns what the project needs, and what each extra needs, as setup.cfg declares it."""
    cfg = configparser.ConfigParser()
    if cfg.read(Path(__file__).parents[1] / "setup.cfg", encoding="utf-8") and cfg.has_section("options"):
        extras = {extra: _parse(text) for extra, text in cfg["options.extras_require"].items()}
        return _parse(cfg["options"]["install_requires"]), extras
    declared = [Requirement(text) for text in importlib.metadata.requires(PROJECT) or []]
    extras = {e: [r for r in declared if r.marker and r.marker.evaluate({"extra": e})] for e in OPTIONAL}
    return [requirement for requirement in declared if not requirement.marker], extras


def _parse(text: str) -> list[Requirement]:
    lines = [line.strip() for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _package(requirement: Requirement) -> CheckLine:
    version = _version(requirement.name)
    remedy = "pip install -c constraints.txt -e ."
    if version is None:
        return CheckLine(requirement.name, "broken", "not installed", remedy)
    if not requirement.specifier.contains(version, prereleases=True):
        return CheckLine(requirement.name, "broken", f"{version}, expected {requirement.specifier}", remedy)
    return CheckLine(requirement.name, "ok", version)


def _compiled_part(name: str) -> CheckLine:
    """Returns whether an installed package that must match torch can be imported."""
    version = _version(name) or "without metadata"
    error = _import_error(name)
    if error is None:
        return CheckLine(name, "ok", f"{version}, can be imported")
    return CheckLine(
        name,
        "broken",
        f"{version}, cannot be imported ({error}). As long as it is there, transformers fails to load any model.",
        f"pip uninstall {name} (it is not needed), or install the build that matches torch {_version('torch')}.",
    )


def _import_error(name: str) -> str | None:
    """Returns the last line of what importing a package says, in a process of its own, ``None`` if it works."""
    command = [sys.executable, "-c", f"import {name}"]
    same_path = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=IMPORT_SECONDS, check=False, env=same_path
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {IMPORT_SECONDS} s"
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return lines[-1] if done.returncode else None


def _optional_part(extra: str, requirement: Requirement) -> CheckLine:
    version = _version(requirement.name)
    if version is not None:
        error = _import_error(MODULES.get(requirement.name, requirement.name.replace("-", "_")))
        if error is None:
            return CheckLine(f"extra {extra}", "ok", f"{requirement.name} {version}")
        remedy = f"pip uninstall {requirement.name}, or mend what it needs."
        detail = f"{requirement.name} {version} cannot be imported ({error})"
        return CheckLine(f"extra {extra}", "broken", detail, remedy)
    remedy = f'pip install -c constraints.txt -e ".[{extra}]"'
    if extra in ("vision", "facenet", "timm"):
        remedy += " (only with a CUDA build of torch, or with a torchvision built for your CPU torch)"
    return CheckLine(f"extra {extra}", "missing", f"{requirement.name} is not installed, and optional", remedy)


def _openface() -> CheckLine:
    given = os.environ.get("OPENFACE")
    program = shutil.which(given or OPENFACE) or (given and shutil.which(OPENFACE, path=given))
    if program:
        return CheckLine("OpenFace 2", "ok", program)
    remedy = f"build OpenFace 2 (no package index has it) and set OPENFACE to its {OPENFACE}, or the folder of it."
    if given:
        return CheckLine("OpenFace 2", "broken", f"OPENFACE is {given}, which is neither", remedy)
    return CheckLine("OpenFace 2", "missing", f"no program {OPENFACE} on the PATH, optional", remedy)


def _devices() -> list[CheckLine]:
    lines = [CheckLine("cpu", "ok", f"{usable_cores()} cores")]
    try:
        import torch
    except (ImportError, OSError) as error:
        remedy = "pip install --force-reinstall -c constraints.txt torch"
        return [*lines, CheckLine("torch import", "broken", f"torch cannot be imported ({error})", remedy)]
    for index in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(index)
        lines.append(CheckLine(f"cuda:{index}", "ok", f"{facts.name}, {facts.total_memory / 2**30:.0f} GiB"))
    if not torch.cuda.is_available():
        built = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else "torch is a CPU build"
        lines.append(CheckLine("cuda", "missing", f"{built}, no GPU in use"))
    if torch.backends.mps.is_available():
        lines.append(CheckLine("mps", "ok", "Apple GPU"))
    return lines


def _temporary_folder() -> CheckLine:
    try:
        folder = tempfile.gettempdir()
        with tempfile.TemporaryFile():
            free = shutil.disk_usage(folder).free / 2**30
    except OSError as error:
        remedy = "Set TMPDIR to a folder you may write."
        return CheckLine("temporary folder", "broken", f"cannot write: {error}", remedy)
    return CheckLine("temporary folder", "ok", f"{folder}, {free:.0f} GiB free")
