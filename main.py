"""The front door of stage 2: ``python main.py --track NAME --corpus REF --cache DIR --features NAME ...``."""

from pathlib import Path
from typing import Annotated

import typer

from baseline.names import names_added
from toolkit.console import main, option, say

MANY = {"--features", "--test", "--noisy-train", "--noisy-test", "--set"}
TRACKS, NETWORKS = names_added("baseline.tracks", "tracks"), names_added("toolkit.models", "networks")
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
Names = list[str] | None


@app.command(no_args_is_help=True)
def train(
    track: Annotated[str | None, option("NAME", f"{TRACKS}.")] = None,
    corpus: Annotated[str | None, option("REF", "READER:PATH, or the path of a CSV.")] = None,
    cache: Annotated[Path | None, option("DIR", "Folder of the feature caches.")] = None,
    features: Annotated[Names, option("NAME ...", "Encoders whose caches are read.")] = None,
    level: Annotated[str | None, option("NAME", "utterance, frame or aligned (default: as the network reads).")] = None,
    model: Annotated[str | None, option("NAME", f"{NETWORKS} (default: attention).")] = None,
    out: Annotated[Path | None, option("DIR", "Folder of all runs (default: runs).")] = None,
    name: Annotated[str | None, option("NAME", "Folder of this run (default: from model, features and seed).")] = None,
    seed: Annotated[int | None, option("N", "Same seed, same predictions (default: 0).")] = None,
    seeds: Annotated[int | None, option("N", "Networks of consecutive seeds, averaged (default: 1).")] = None,
    protocol: Annotated[str | None, option("NAME", "honest (default), or mertools as published.")] = None,
    folds: Annotated[int | None, option("N", "Folds (default: 5 or the corpus' own); 0 for one per --group.")] = None,
    group: Annotated[str | None, option("COLUMN", "Never split its values over folds: speaker, video ...")] = None,
    folds_file: Annotated[Path | None, option("FILE", "CSV name,fold in place of folds from the seed.")] = None,
    select: Annotated[str | None, option("HOW", "Epoch by fold, inner or last (default: by the corpus).")] = None,
    test: Annotated[Names, option("SPLIT ...", "Splits to predict (default: the track's).")] = None,
    compare: Annotated[bool | None, typer.Option(help="Train each modality alone too.", show_default=False)] = None,
    noisy_train: Annotated[Names, option("REF ...", "noise: corrupted copies of the training clips.")] = None,
    noisy_test: Annotated[Names, option("REF ...", "noise: corrupted copies of test clips.")] = None,
    wheel: Annotated[Path | None, option("FILE", "ov: JSON of emotion wheels (default: built in).")] = None,
    groups: Annotated[Path | None, option("FILE", "ov: JSON of synonym groups by clip.")] = None,
    device: Annotated[str | None, option("NAME", "auto (default), cpu, cuda ...")] = None,
    config: Annotated[Path | None, option("FILE", "Settings of an earlier run; options given here win.")] = None,
    setting: Annotated[Names, option("KEY=VALUE ...", "Any other setting: training.epochs=20.", "--set")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run with other settings.")] = False,
) -> None:
    """Train fusion networks on cached features, predict the test splits, write a submission and a report."""
    given = {key: value for key, value in locals().items() if key not in ("config", "setting", "overwrite")}
    from baseline.config import load_config
    from baseline.run import run
    from baseline.summary import summary_lines

    special = {key: given.pop(key) for key in ("noisy_train", "noisy_test", "wheel", "groups")}
    given["options"] = {key: value for key, value in special.items() if value is not None}
    for line in summary_lines(run(load_config(config, given, setting or ()), overwrite=overwrite)):
        say(line)


if __name__ == "__main__":
    main(app, many=MANY)
