"""``python -m baseline finetune``."""

from pathlib import Path
from typing import Annotated

import typer

from baseline.names import names_added
from toolkit.console import option, say

MANY = {"--lists", "--classes", "--values", "--streams", "--set"}  # take any number of values
FAMILIES = names_added("toolkit.models", "autoencoders")
Words = list[str] | None


def finetune(
    model: Annotated[str | None, option("NAME", f"{FAMILIES} (default: that of the checkpoint).")] = None,
    size: Annotated[
        str | None, option("NAME", "Published size, such as base (default: that of the checkpoint).")
    ] = None,
    checkpoint: Annotated[Path | None, option("FILE", "Weights to begin with, a released file as it is.")] = None,
    corpus: Annotated[str | None, option("REF", "READER:PATH, or the path of a CSV.")] = None,
    lists: Annotated[
        Words, option("FILE ...", "TRAIN TEST [VALIDATION] of the authors' format; {fold} in paths.")
    ] = None,
    root: Annotated[Path | None, option("DIR", "Paths in lists are relative to it (default: to the list).")] = None,
    classes: Annotated[
        Words, option("NAME ...", "dfew, mafw ... or the classes in order (default: the corpus').")
    ] = None,
    values: Annotated[Words, option("NAME ...", "Columns of numbers to predict in place of classes.")] = None,
    source: Annotated[
        str | None, option("NAME", "video, or faces: read from a cache (default: faces with --cache).")
    ] = None,
    cache: Annotated[Path | None, option("DIR", "Folder of the feature caches, for faces.")] = None,
    faces: Annotated[str | None, option("NAME", "How faces were found (default: mtcnn).")] = None,
    streams: Annotated[Words, option("NAME ...", "video, audio (default: all of the network).")] = None,
    folds: Annotated[
        int | None, option("N", "Each is scored by a network of the others; 0 for one per --group.")
    ] = None,
    group: Annotated[str | None, option("COLUMN", "Never split its values over folds: speaker, video ...")] = None,
    folds_file: Annotated[Path | None, option("FILE", "CSV name,fold in place of --folds.")] = None,
    select: Annotated[str | None, option("NAME", "last epoch (default), best on validation clips, or release.")] = None,
    epochs: Annotated[int | None, option("N", "Passes over the training clips (default: 100).")] = None,
    batch_size: Annotated[int | None, option("N", "Clips at a time (default: 32).")] = None,
    accumulate: Annotated[int | None, option("N", "Batches in one step (default: 3).")] = None,
    learning_rate: Annotated[float | None, option("RATE", "Highest, for 256 clips a step (default: 0.001).")] = None,
    step: Annotated[int | None, option("N", "Pictures from one seen to the next (default: 4).")] = None,
    seed: Annotated[int | None, option("N", "Same seed, same result (default: 0).")] = None,
    device: Annotated[str | None, option("NAME", "auto (default), cpu, cuda ...")] = None,
    dtype: Annotated[str | None, option("NAME", "float32 (default), bfloat16, float16: of products.")] = None,
    workers: Annotated[int | None, option("N", "Processes that read clips (default: 0).")] = None,
    out: Annotated[Path | None, option("DIR", "Folder of the run; one that was ended there goes on.")] = None,
    config: Annotated[Path | None, option("FILE", "Settings of an earlier run; options given here win.")] = None,
    setting: Annotated[Words, option("KEY=VALUE ...", "Any other setting: mixing.mixup=0.", "--set")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Lose what is there with other settings.")] = False,
) -> None:
    """Fine-tune a masked autoencoder on clips with labels; ended at any moment, it goes on."""
    given = dict(locals())
    from baseline.fine_tuning.run import run
    from baseline.fine_tuning.settings import load_settings
    from baseline.fine_tuning.summary import summary_lines

    for key in ("config", "setting", "overwrite"):
        del given[key]
    learning = {key: given.pop(key) for key in ("epochs", "batch_size", "accumulate", "learning_rate")}
    given["learning"] = {key: value for key, value in learning.items() if value is not None}
    given["pictures"] = {key: value for key, value in (("step", given.pop("step")),) if value is not None}
    for line in summary_lines(run(load_settings(config, given, setting or ()), overwrite=overwrite)):
        say(line)
