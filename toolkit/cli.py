"""The command line of the shared ground: ``python -m toolkit check|demo|corrupt|cache|submission|score``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from toolkit.console import aligned, main, say
from toolkit.device import usable_cores

WORKERS = usable_cores()
_STYLE = {"no_args_is_help": True, "add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}
app = typer.Typer(help="Tools around corpora, caches, scores and submissions.", **_STYLE)
cache_app = typer.Typer(help="Look into feature caches, and make them of features from elsewhere.", **_STYLE)
submission_app = typer.Typer(help="Check submission files.", **_STYLE)
app.add_typer(cache_app, name="cache")
app.add_typer(submission_app, name="submission")


class TrackName(StrEnum):
    """The choices of ``--track``."""

    MULTI = "multi"
    NOISE = "noise"
    SEMI = "semi"
    OV = "ov"


class ModalityName(StrEnum):
    """The choices of ``--modality``."""

    AUDIO = "audio"
    TEXT = "text"
    VISUAL = "visual"


class LevelName(StrEnum):
    """The choices of ``--level``."""

    UTTERANCE = "utterance"
    FRAME = "frame"


class Scale(StrEnum):
    """The choices of ``--scale``."""

    TINY = "tiny"
    SMALL = "small"
    FULL = "full"


CorpusOption = Annotated[str, typer.Option("--corpus", metavar="REF", help="READER:PATH, or the path of a CSV.")]
TrackOption = Annotated[TrackName, typer.Option(help="Track of the challenge.")]
OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")]
WorkersOption = Annotated[int, typer.Option(min=1, help="Processes.")]


@app.command()
def check() -> None:
    """Show versions, devices and optional parts, and how to mend what is broken; exit code 1 if something is."""
    from toolkit.check import check as lines_of_check

    lines = lines_of_check()
    for text in aligned([(line.state, line.name, line.detail) for line in lines]):
        say(text)
    for line in lines:
        if line.remedy:
            say(f"{line.name}: {line.remedy}")
    if any(line.state == "broken" for line in lines):
        raise typer.Exit(1)


@app.command()
def demo(
    out: OutOption,
    scale: Annotated[Scale, typer.Option(help="How many clips.")] = Scale.FULL,
    seed: SeedOption = 0,
    workers: WorkersOption = WORKERS,
) -> None:
    """Make the demo corpus: drawn talking faces with synthetic voices and transcripts."""
    from toolkit.demo.make import make_demo

    say(f"demo corpus: {make_demo(out, scale=scale.value, seed=seed, workers=workers)}")


@app.command()
def corrupt(
    corpus: CorpusOption,
    out: OutOption,
    snr: Annotated[tuple[float, float], typer.Option(metavar="LOW HIGH", help="Range of dB; equal ends are exact.")] = (
        5.0,
        10.0,
    ),
    noises: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Noise recordings; built-in babble without.")
    ] = None,
    blur: Annotated[list[int], typer.Option(metavar="N ...", help="Factors to draw from: 1, 2, 4.")] = (1, 2, 4),
    split: Annotated[list[str] | None, typer.Option(metavar="NAME ...", help="Only these splits.")] = None,
    seed: SeedOption = 0,
    workers: WorkersOption = WORKERS,
) -> None:
    """Write a corrupted copy of a corpus: noise at an exact SNR, blurred pictures, and a manifest of both."""
    from toolkit.corpus import load_corpus
    from toolkit.corruption import corrupt_corpus

    options = {"snr": snr, "noises": noises, "blurs": tuple(blur), "splits": split, "seed": seed, "workers": workers}
    say(f"corrupted corpus: {corrupt_corpus(load_corpus(corpus), out, **options)}")


@cache_app.command()
def info(file: Annotated[Path, typer.Argument(metavar="FILE", help="A cache.")]) -> None:
    """Show what a cache holds."""
    from toolkit.cache import describe

    for line in describe(file):
        say(line)


@cache_app.command()
def verify(file: Annotated[Path, typer.Argument(metavar="FILE", help="A cache.")]) -> None:
    """Check a cache; exit code 1 if it is damaged."""
    from toolkit.cache import verify as problems_of

    problems = problems_of(file)
    for problem in problems:
        say(problem)
    say(f"{file}: {'sound' if not problems else f'{len(problems)} problems; extract again with --overwrite'}")
    if problems:
        raise typer.Exit(1)


@cache_app.command("import")
def import_(
    source: Annotated[Path, typer.Option("--from", metavar="PATH", help="Folder of npy files, npz, or MMSA's .pkl.")],
    corpus: CorpusOption,
    modality: Annotated[ModalityName, typer.Option(help="Of the features.")],
    encoder: Annotated[str, typer.Option(metavar="NAME", help="What --features of stage 2 shall call them.")],
    cache: Annotated[Path, typer.Option(metavar="DIR", help="Folder of all caches.")],
    level: Annotated[LevelName | None, typer.Option(help="What to keep; as the source has it without.")] = None,
    key: Annotated[str | None, typer.Option(metavar="NAME", help="Array of an npz or pickle.")] = None,
    rate: Annotated[float | None, typer.Option(metavar="HZ", help="Frames per second, where you know it.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a cache that is there.")] = False,
) -> None:
    """Make a cache of features that you have already."""
    from toolkit.cache_import import import_lines

    wanted = {"modality": modality.value, "encoder": encoder, "level": level and level.value, "key": key, "rate": rate}
    for line in import_lines(source, corpus, cache, overwrite=overwrite, **wanted):
        say(line)


@submission_app.command()
def validate(
    track: TrackOption,
    corpus: CorpusOption,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The submission.")],
    split: Annotated[
        list[str] | None, typer.Option(metavar="NAME ...", help="Splits it must cover; put FILE before this option.")
    ] = None,
) -> None:
    """Check a submission against its corpus; the first wrong row is named."""
    from toolkit.corpus import load_corpus
    from toolkit.submission import validate_submission

    validate_submission(track.value, load_corpus(corpus), file, splits=split)
    say(f"{file}: valid for track {track.value}")


@app.command()
def score(
    track: TrackOption,
    truth: Annotated[Path, typer.Option(metavar="FILE", help="CSV of labels.")],
    prediction: Annotated[Path, typer.Option(metavar="FILE", help="CSV of predictions.")],
    groups: Annotated[Path | None, typer.Option(metavar="FILE", help="JSON of synonym groups by clip (ov).")] = None,
    wheel: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON of emotion wheels; the built-in one without (ov).")
    ] = None,
    split: Annotated[
        list[str] | None, typer.Option(metavar="NAME ...", help="Only clips of these splits of the labels.")
    ] = None,
) -> None:
    """Score a prediction file by the rules of its track."""
    from toolkit.scoring import score_files

    scores = score_files(track.value, truth, prediction, groups=groups, wheel=wheel, splits=split)
    for name, value in scores.items():
        say(f"{name:<24} {value:.16g}")


def run() -> None:
    """Runs the command line."""
    main(app, many={"--split", "--blur"})
