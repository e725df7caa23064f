"""The command line of stage 1: ``python -m feature_extraction audio|visual|text|faces|list``."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from feature_extraction.cores import count_cores
from feature_extraction.encoder import all_specs, get_spec
from feature_extraction.spec import MODALITIES, Modality
from toolkit.console import aligned, main, say

app = typer.Typer(
    help="Extract features of a corpus once, into HDF5 caches that any number of models train on.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

WORKERS = count_cores()


class Level(StrEnum):
    """The choices of ``--level``."""

    UTTERANCE = "utterance"
    FRAME = "frame"


CorpusOption = Annotated[
    list[str], typer.Option("--corpus", metavar="REF ...", help="One or more of READER:PATH or the path of a CSV.")
]
CacheOption = Annotated[Path, typer.Option("--cache", metavar="DIR", help="Folder of the caches.")]
LevelOption = Annotated[Level, typer.Option(help="utterance: one vector per clip; frame: the frames too.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Start anew even where a cache is there.")]
RetryOption = Annotated[bool, typer.Option("--retry", help="Try failed clips again.")]
StrictOption = Annotated[bool, typer.Option("--strict", help="End with exit code 1 if any clip failed.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps ...")]
WorkersOption = Annotated[int, typer.Option(min=1, help="Processes that read and encode.")]


NAMES = {modality: all_specs(modality) for modality in MODALITIES}


def _command(modality: Modality) -> Callable[..., None]:
    """Returns the command of one modality."""
    names = ", ".join(NAMES[modality])

    def extract(
        corpus: CorpusOption,
        encoder: Annotated[list[str], typer.Option(metavar="NAME ...", help=f"One or more of: {names}.")],
        cache: CacheOption,
        level: LevelOption = Level.UTTERANCE,
        overwrite: OverwriteOption = False,
        retry: RetryOption = False,
        strict: StrictOption = False,
        device: DeviceOption = "auto",
        workers: WorkersOption = WORKERS,
    ) -> None:
        from feature_extraction.extract import extract_features
        from toolkit.corpus import load_corpus

        specs = [get_spec(name, modality) for name in dict.fromkeys(encoder)]
        corpora = [load_corpus(reference) for reference in corpus]
        options = {"overwrite": overwrite, "retry": retry, "workers": workers, "device": device, "progress": True}
        pairs = [(clips, spec) for clips in corpora for spec in specs]
        _finish([extract_features(clips, spec, cache, level=level.value, **options) for clips, spec in pairs], strict)

    extract.__doc__ = f"Extract {modality} features."
    return extract


for _modality in MODALITIES:
    app.command(_modality)(_command(_modality))


@app.command()
def faces(
    corpus: CorpusOption,
    cache: CacheOption,
    encoder: Annotated[str, typer.Option(metavar="NAME", help="How faces are found.")] = "mtcnn",
    overwrite: OverwriteOption = False,
    retry: RetryOption = False,
    strict: StrictOption = False,
    device: DeviceOption = "auto",
    workers: WorkersOption = WORKERS,
) -> None:
    """Find, track and cut out the speaker's face in every clip; visual encoders read these crops."""
    from feature_extraction.extract import extract_faces
    from feature_extraction.faces.spec import get_face_spec
    from toolkit.corpus import load_corpus

    spec, corpora = get_face_spec(encoder), [load_corpus(reference) for reference in corpus]
    options = {"overwrite": overwrite, "retry": retry, "workers": workers, "device": device, "progress": True}
    _finish([extract_faces(clips, spec, cache, **options) for clips in corpora], strict)


@app.command("list")
def list_encoders(
    words: Annotated[list[str] | None, typer.Argument(help="Only rows with all these words.")] = None,
) -> None:
    """List the encoders: name, modality, family, where the weights come from, licence."""
    rows = [("name", "modality", "family", "weights", "licence")]
    rows += [(s.name, s.modality, s.family, s.checkpoint, s.licence) for s in all_specs().values()]
    wanted = [row for row in rows[1:] if all(word in " ".join(row) for word in words or ())]
    for line in aligned([rows[0], *wanted]):
        say(line)


def _finish(paths: list[Path], strict: bool) -> None:
    from feature_extraction.failures import count_failed, summary_lines

    for line in summary_lines(paths):
        say(line)
    failed = count_failed(paths)
    lists = dict.fromkeys(str(path.parent.parent / "failures.csv") for path in paths)
    say(f"{failed} {'clip' if failed == 1 else 'clips'} failed" + (f", listed in {', '.join(lists)}" if failed else ""))
    if strict and failed:
        raise typer.Exit(1)


def run() -> None:
    """Runs the command line."""
    main(app, many={"--corpus", "--encoder"})
