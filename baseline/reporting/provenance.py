"""Where a run comes from and how to repeat it: coverage, folds, versions, licences."""

import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from baseline.reporting.run_files import RunFiles


class CoverageRow(NamedTuple):
    """What became of the clips under one encoder; ``failures`` are the statuses other than ok, most frequent first."""

    encoder: str
    modality: str
    ok: int
    total: int
    failures: list[tuple[str, int]]


class Licence(NamedTuple):
    """An encoder with its model's licence and the identity of its numbers."""

    encoder: str
    modality: str
    licence: str
    checkpoint: str
    identity: str


class Repeat(NamedTuple):
    """How to repeat the run: the command, its settings, the sizes of the folds, and what it ran on."""

    command: str
    config: str
    folds: list[tuple[int, int]]
    facts: list[tuple[str, str]]
    versions: list[tuple[str, str]]


def coverage(run: RunFiles) -> list[CoverageRow]:
    """Returns one row per encoder."""
    rows = []
    for encoder, statuses in run.metrics.get("coverage", {}).items():
        failures = sorted(((name, count) for name, count in statuses.items() if name != "ok"), key=lambda f: (-f[1], f))
        modality = str(_cache(run, encoder).get("modality", ""))
        rows.append(CoverageRow(encoder, modality, statuses.get("ok", 0), sum(statuses.values()), failures))
    return rows


def licences(run: RunFiles) -> list[Licence]:
    """Returns the licences of the encoders that the run used, by modality and name."""
    names = dict.fromkeys([*run.metrics.get("coverage", {}), *_caches(run)])
    rows = []
    for name in names:
        entry = _cache(run, name)
        facts = {**entry, **entry.get("spec", {})}
        values = (str(facts.get(key, "not recorded")) for key in ("licence", "checkpoint", "identity"))
        rows.append(Licence(name, str(facts.get("modality", "")), *values))
    return sorted(rows, key=lambda row: (row.modality, row.encoder))


def repeat(run: RunFiles) -> Repeat:
    """Returns how to repeat the run."""
    sizes = run.folds["fold"].value_counts().sort_index()
    environment = run.environment
    facts = [
        (key.replace("_", " "), str(value))
        for key, value in environment.items()
        if not isinstance(value, dict | list) and value not in (None, "")
    ]
    seconds = run.metrics.get("seconds")
    if seconds is not None:
        facts.append(("training time", f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"))
    versions = environment.get("versions", {})
    command = "python -m baseline finetune" if run.track == "finetune" else "python main.py"
    return Repeat(
        f"{command} --config {shlex.quote(str(run.folder.resolve() / 'config.yaml'))}",
        run.config_text,
        [(int(fold), int(count)) for fold, count in sizes.items()],
        facts,
        sorted((str(name), str(version)) for name, version in versions.items()) if isinstance(versions, dict) else [],
    )


def _caches(run: RunFiles) -> Mapping[str, Any]:
    caches = run.environment.get("caches", {})
    return caches if isinstance(caches, dict) else {}


def _cache(run: RunFiles, encoder: str) -> Mapping[str, Any]:
    entry = _caches(run).get(encoder, {})
    return entry if isinstance(entry, dict) else {"identity": entry}
