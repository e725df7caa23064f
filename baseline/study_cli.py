"""The commands that train many networks, and the one that compares two runs; `baseline.cli` has them all."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baseline.names import names_added
from toolkit.console import option, say

if TYPE_CHECKING:
    from baseline.config import RunConfig

MANY = {"--features", "--set", "--fusion", "--test"}  # take any number of values
NETWORKS = names_added("toolkit.models", "networks")
Names = list[str] | None


class SamplerName(StrEnum):
    """The choices of ``--sampler``."""

    RANDOM = "random"
    TPE = "tpe"
    GP = "gp"
    NSGAII = "nsgaii"


Track = Annotated[str | None, option("NAME", f"{names_added('baseline.tracks', 'tracks')}.")]
Corpus = Annotated[str | None, option("REF", "READER:PATH, or the path of a CSV.")]
CacheFolder = Annotated[Path | None, option("DIR", "Folder of the feature caches.")]
Out = Annotated[Path | None, option("DIR", "Folder of all runs (default: runs).")]
Name = Annotated[str | None, option("NAME", "Folder of the result (default: from the settings).")]
Seed = Annotated[int | None, option("N", "Same seed, same result (default: 0).")]
Seeds = Annotated[int | None, option("N", "Networks of consecutive seeds per fold, whose mean counts (default: 1).")]
ProtocolName = Annotated[str | None, option("NAME", "honest (default), or mertools as published.")]
Folds = Annotated[int | None, option("N", "Folds (default: 5 or the corpus' own); 0 for one per --group.")]
Group = Annotated[str | None, option("COLUMN", "Never split its values over folds: speaker, video ...")]
Test = Annotated[Names, option("SPLIT ...", "Splits to score, where labelled (default: the track's).")]
Device = Annotated[str | None, option("NAME", "auto (default), cpu, cuda ...")]
Config = Annotated[Path | None, option("FILE", "Settings of an earlier run; options given here win.")]
Setting = Annotated[Names, option("KEY=VALUE ...", "Any other setting: training.epochs=20.", "--set")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Lose what is there with other settings.")]


def search(
    track: Track = None,
    corpus: Corpus = None,
    cache: CacheFolder = None,
    features: Annotated[Names, option("NAME ...", "Encoders whose caches are read.")] = None,
    model: Annotated[str | None, option("NAME", f"{NETWORKS} (default: attention).")] = None,
    trials: Annotated[int, typer.Option(metavar="N", min=1, help="Draws.")] = 50,
    sampler: Annotated[SamplerName, typer.Option(help="At random, or as Optuna does (needs optuna).")] = "random",
    space: Annotated[Path | None, option("FILE", "YAML of ranges in place of MERTools' for the network.")] = None,
    out: Out = None,
    name: Name = None,
    seed: Seed = None,
    seeds: Seeds = None,
    protocol: ProtocolName = None,
    folds: Folds = None,
    group: Group = None,
    test: Test = None,
    device: Device = None,
    config: Config = None,
    setting: Setting = None,
    overwrite: Overwrite = False,
) -> None:
    """Search for good settings of a network; what --set gives stays. Ended at any moment, it can go on."""
    given = _given(locals(), "trials", "sampler", "space")
    from baseline.search import search as run_search
    from baseline.search_report import summary_lines
    from baseline.search_space import space_of
    from baseline.trial_runs import SearchPlan

    settings = _config(given, config, setting)
    fixed = {key.partition("=")[0].strip() for key in setting or ()}
    plan = SearchPlan(space_of(settings, space, fixed), trials, str(sampler))
    for line in summary_lines(run_search(settings, plan, overwrite=overwrite)):
        say(line)


def rank(
    track: Track = None,
    corpus: Corpus = None,
    cache: CacheFolder = None,
    features: Annotated[Names, option("NAME ...", "Only these encoders (default: every cache of the corpus).")] = None,
    model: Annotated[str | None, option("NAME", f"{NETWORKS} (default: attention).")] = None,
    out: Out = None,
    name: Name = None,
    seed: Seed = None,
    seeds: Seeds = None,
    protocol: ProtocolName = None,
    folds: Folds = None,
    group: Group = None,
    test: Test = None,
    device: Device = None,
    config: Config = None,
    setting: Setting = None,
    overwrite: Overwrite = False,
) -> None:
    """Rank encoders, each alone, by validation scores, as table and bar chart; goes on where it was ended."""
    given = _given(locals())
    from baseline.rank import ALL, summary_lines
    from baseline.rank import rank as run_rank

    settings = _config(given | {"features": features or [ALL]}, config, setting)
    for line in summary_lines(run_rank(settings, overwrite=overwrite)):
        say(line)


def topn(
    track: Track = None,
    corpus: Corpus = None,
    cache: CacheFolder = None,
    model: Annotated[str | None, option("NAME", f"{NETWORKS} (default: attention_topn).")] = None,
    fusion: Annotated[Names, option("LETTERS ...", "A audio, V visual, T text (default: AV AT VT AVT).")] = None,
    most: Annotated[int, typer.Option(metavar="N", min=1, help="Encoders per modality, from 1 to this.")] = 6,
    ranking: Annotated[Path | None, option("FILE", "ranking.csv of `rank` (default: its own, made if absent).")] = None,
    out: Out = None,
    name: Name = None,
    seed: Seed = None,
    seeds: Seeds = None,
    protocol: ProtocolName = None,
    folds: Folds = None,
    group: Group = None,
    test: Test = None,
    device: Device = None,
    config: Config = None,
    setting: Setting = None,
    overwrite: Overwrite = False,
) -> None:
    """Fuse the best encoders of each modality, best by validation scores of this corpus; goes on where it was ended."""
    given = _given(locals(), "fusion", "most", "ranking")
    from baseline.fusion import FUSIONS
    from baseline.rank import ALL
    from baseline.topn import summary_lines
    from baseline.topn import topn as run_topn

    own = {"features": [ALL], "model": model or "attention_topn"}
    settings = _config(given | own, config, setting)
    options = {"fusions": fusion or FUSIONS, "most": most, "ranking": ranking}
    for line in summary_lines(run_topn(settings, overwrite=overwrite, **options)):
        say(line)


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A finished run, such as runs/multi/NAME.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another one, on the same clips.")],
    out: Annotated[Path | None, option("FILE", "Write a .csv or .md too.")] = None,
) -> None:
    """Compare two runs: difference of each score, its interval, and how likely chance alone gives as much."""
    from baseline.compare import show

    show(first, second, out)


def _given(options: dict[str, Any], *apart: str) -> dict[str, Any]:
    """Returns the options that are settings of a run."""
    return {key: value for key, value in options.items() if key not in {"config", "setting", "overwrite", *apart}}


def _config(given: dict[str, Any], path: Path | None, settings: Names) -> "RunConfig":
    from baseline.config import load_config

    return load_config(path, given, settings or ())
