"""The tables of docs/settings.md: every setting is there, with the value it has if nothing is said."""

import inspect
import re
from pathlib import Path
from typing import Any

from baseline.config import RunConfig, TrainingSettings
from baseline.reading import COMPRESS
from baseline.track import tracks
from toolkit.models.network import networks

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "settings.md").read_text(encoding="utf-8")
USUAL = ("hidden", "dropout")  # options with columns of their own


def rows(section: str, head: str) -> dict[str, list[str]]:
    """Returns the cells of a table by the first one, without the backticks around that."""
    text = PAGE.split(f"## {section}\n", 1)[1].split(f"| {head} |", 1)[1].split("\n\n", 1)[0]
    cells = ([cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:])
    return {first.strip("`"): rest for first, *rest in cells}


def value_of(word: str) -> Any:
    """Returns a value as the page writes it."""
    named = {"true": True, "false": False, "null": None}
    return named[word] if word in named else float(word) if re.fullmatch(r"[\d.]+", word) else word


def test_training():
    defaults = {f"training.{name}": field.default for name, field in TrainingSettings.model_fields.items()}
    assert {name: value_of(cells[0]) for name, cells in rows("Training", "setting").items()} == defaults


def test_networks_and_their_options():
    defaults, page = {}, {}
    for name in networks.names():
        options = inspect.signature(networks.get(name)).parameters.values()
        defaults[name] = {o.name: o.default for o in options if o.kind is o.KEYWORD_ONLY and o.name != "frames"}
    for name, (_, hidden, dropout, others) in rows("Networks", "network").items():
        own = re.findall(r"`(\w+)` ([\w.]+)", others)
        page[name] = {option: value_of(word) for option, word in [*zip(USUAL, (hidden, dropout), strict=True), *own]}
    assert page == defaults


def test_what_networks_have_without_an_option():
    """Their own defaults, which are those of the table."""
    assert RunConfig.model_fields["network"].default == {}


def test_levels():
    page = {}
    for names, (_, level) in rows("What is read of a clip", "networks").items():
        page |= dict.fromkeys(names.split(", "), level.strip("`"))
    assert page == {name: networks.get(name).levels[0] for name in networks.names()}
    assert f"{COMPRESS['frame']} of level `frame`, {COMPRESS['aligned']} of `aligned`" in PAGE


def test_options_of_tracks():
    defaults = {
        f"options.{name}": field.default
        for track in ("semi", "ov")
        for name, field in tracks.get(track).options.model_fields.items()
        if name not in ("wheel", "groups")  # have options of the command line
    }
    page = {name: cells[0] for name, cells in rows("Tracks", "setting").items() if name.startswith("options.")}
    assert {name: value_of(word) for name, word in page.items()} == defaults
