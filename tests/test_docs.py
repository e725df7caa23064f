"""The pages: their links lead somewhere, and the commands on them exist with every option and setting they name."""

import inspect
import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

import baseline.cli
import feature_extraction.cli
import toolkit.cli
from baseline.config import RunConfig, TrainingSettings
from baseline.fine_tuning.settings import FineTuningConfig
from baseline.track import tracks
from toolkit.models.masked_autoencoder import autoencoders
from toolkit.models.network import networks

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS = {
    "main.py": runpy.run_path(str(ROOT / "main.py"))["app"],
    "baseline": baseline.cli.app,
    "feature_extraction": feature_extraction.cli.app,
    "toolkit": toolkit.cli.app,
}
COMMAND = re.compile(r"python (?:-m (baseline|feature_extraction|toolkit)|(main\.py))((?: +(?!python )[^\s`;&]+)*)")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def text_of(page: Path) -> str:
    """Returns a page, lines that go on behind a backslash being one."""
    return re.sub(r"\\\n\s*", "", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Returns what the headings of a page are called in links, by GitHub's rule."""
    outside = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", outside, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def commands(page: Path) -> list[tuple[str, list[str]]]:
    """Returns program and words of every command on a page; comments are left out."""
    lines = (line for line in text_of(page).splitlines() if not line.startswith("#"))
    found = (match for line in lines for match in COMMAND.finditer(line))
    return [
        (module or script, shlex.split(words, comments=True)) for module, script, words in map(re.Match.groups, found)
    ]


def followed(program: str, words: list[str]) -> tuple[Any, list[str]]:
    """Returns the command that words lead to, and the words behind its name."""
    command = typer.main.get_command(PROGRAMS[program])
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"there is no {program} {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    return command, words


def settings_known() -> Iterator[str]:
    """Yields every setting as ``--set`` names it."""
    yield from RunConfig.model_fields
    yield from (f"training.{name}" for name in TrainingSettings.model_fields)
    for name in networks.names():
        yield from (f"network.{option}" for option in inspect.signature(networks.get(name)).parameters)
    for name in tracks.names():
        yield from (f"options.{option}" for option in tracks.get(name).options.model_fields)
    for part, field in FineTuningConfig.model_fields.items():
        if inspect.isclass(field.annotation) and issubclass(field.annotation, BaseModel):
            yield from (f"{part}.{name}" for name in field.annotation.model_fields)
    for family in map(autoencoders.get, autoencoders.names()):
        yield from inspect.signature(family.pretraining).parameters
        yield from (f"network.{option}" for option in inspect.signature(family.fine_tuning).parameters)


KNOWN = set(settings_known())


def test_the_commands_are_found():
    assert ("baseline", ["table", "work/runs/multi/first"]) in [
        (program, words[:2]) for program, words in commands(ROOT / "docs" / "quickstart.md")
    ]
    assert sum(len(commands(page)) for page in PAGES) > 80


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        other = page.parent / path if path else page
        assert other.exists(), f"{target}: there is no {other}"
        assert not anchor or anchor in anchors(other), f"{target}: {other.name} has no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_have_the_options_they_are_shown_with(page):
    for program, words in commands(page):
        command, rest = followed(program, words)
        known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
        for word in rest:
            if word.startswith("--"):
                assert word in known, f"{program} {' '.join(words)}: there is no {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_settings_exist(page):
    text = text_of(page)
    named = set(re.findall(r"\b((?:training|network|options)\.[a-z]\w*)", text))
    named |= {
        key for words in re.findall(r"--set((?: [\w.]+=[^\s`]+)+)", text) for key in re.findall(r" ([\w.]+)=", words)
    }
    assert named <= KNOWN, f"{sorted(named - KNOWN)} are no settings"
