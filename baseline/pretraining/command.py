"""The command ``python -m baseline pretrain``."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from baseline.names import names_added
from toolkit.console import option, say

MANY = {"--corpus", "--split", "--set"}  # take any number of values
_OF_DOING = ("out", "save_every", "page_every", "workers", "device", "overwrite")


class Place(StrEnum):
    """The choices of ``--source``."""

    FACES = "faces"
    VIDEO = "video"


class Precision(StrEnum):
    """The choices of ``--dtype``."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


def pretrain(
    model: Annotated[str, option("NAME", f"{names_added('toolkit.models', 'autoencoders')}.")],
    corpus: Annotated[list[str], option("REF ...", "One or more of READER:PATH or the path of a CSV.")],
    out: Annotated[Path, option("DIR", "Folder of the run; one that was ended there goes on.")],
    size: Annotated[str, typer.Option(metavar="NAME", help="base; small or tiny where there are such.")] = "base",
    split: Annotated[
        list[str] | None, option("SPLIT ...", "Splits to read (default: all, test clips too; never labels).")
    ] = None,
    source: Annotated[Place, typer.Option(help="Faces that were cut out, or whole pictures.")] = Place.FACES,
    cache: Annotated[Path | None, option("DIR", "Folder of the caches, for faces.")] = None,
    faces: Annotated[str, typer.Option(metavar="NAME", help="How the faces were found.")] = "mtcnn",
    window: Annotated[
        str | None, option("L,T,W,H", "Part of each picture looked at, in pixels (VoxCeleb2: 32,0,160,160).")
    ] = None,
    frame_step: Annotated[int, typer.Option(metavar="N", help="Pictures of the source from one to the next.")] = 4,
    mask_ratio: Annotated[float | None, option("SHARE", "Of the tokens, hidden (default: as published, 0.9).")] = None,
    audio_mask_ratio: Annotated[float | None, option("SHARE", "Of the sound's (default: as published, 0.8).")] = None,
    epochs: Annotated[int, typer.Option(metavar="N", help="Passes over all clips.")] = 100,
    batch: Annotated[int, typer.Option(metavar="N", help="Clips of a step, over all processes and parts.")] = 64,
    accumulate: Annotated[int, typer.Option(metavar="N", help="Parts of a step, one after the other.")] = 1,
    learning_rate: Annotated[float, typer.Option(metavar="RATE", help="For 256 clips a step; scaled.")] = 3e-4,
    last_learning_rate: Annotated[float, typer.Option(metavar="RATE", help="At the end, scaled alike.")] = 1e-5,
    warmup_epochs: Annotated[int, typer.Option(metavar="N", help="In which the rate rises from zero.")] = 5,
    weight_decay: Annotated[float, typer.Option(metavar="NUMBER", help="Of AdamW.")] = 0.05,
    betas: Annotated[str, typer.Option(metavar="B1,B2", help="Of AdamW.")] = "0.9,0.95",
    dtype: Annotated[Precision, typer.Option(help="Of products; weights and losses are float32.")] = Precision.FLOAT32,
    setting: Annotated[
        list[str] | None, option("KEY=VALUE ...", "Options of the network: contrast_weight=0.", "--set")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Same seed, same result.")] = 0,
    save_every: Annotated[int, typer.Option(metavar="N", help="Epochs from checkpoint to checkpoint.")] = 5,
    page_every: Annotated[int, typer.Option(metavar="N", help="Epochs between pages of pictures; 0: none.")] = 5,
    workers: Annotated[int, typer.Option(metavar="N", help="Processes that read; 0 reads between steps.")] = 2,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps ...")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Lose what is there and begin anew.")] = False,
) -> None:
    """Pretrain a masked autoencoder on clips without labels; ended at any moment, it goes on."""
    given = dict(locals())
    from baseline.config import gathered, validated
    from baseline.pretraining.run import pretrain as run
    from baseline.pretraining.settings import Doings, PretrainingSettings

    doings = {name: given.pop(name) for name in _OF_DOING}
    given |= {"network": gathered(None, {}, given.pop("setting") or ()), "source": source.value, "dtype": dtype.value}
    given |= {"window": None if window is None else _numbers(window), "betas": _numbers(betas)}
    rows = run(
        validated(PretrainingSettings, given, "setting", "the command line"),
        validated(Doings, doings, "setting", "the command line"),
    )
    if os.environ.get("RANK", "0") == "0":  # of several processes, one speaks
        say(f"{out}: loss {rows[-1]['loss']:.4f}; the mean of each patch has {rows[-1]['patch_mean']:.4f}")


def _numbers(text: str) -> list[str]:
    return [number.strip() for number in text.split(",")]
