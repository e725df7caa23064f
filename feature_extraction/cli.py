"""The command line of stage 1: ``python -m feature_extraction MODALITY|faces|transcribe|merge|list``."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from feature_extraction.encoder import all_specs
from feature_extraction.options import RunOptions, Shard
from feature_extraction.reference import find_spec
from feature_extraction.spec import MODALITIES, EncoderSpec, Level, Modality
from feature_extraction.variant import vary
from toolkit.console import aligned, main, say
from toolkit.device import usable_cores
from toolkit.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from toolkit.corpus import Corpus

app = typer.Typer(
    help="Extract features of a corpus once, into HDF5 caches that any number of models train on.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

WORKERS = usable_cores()


class Detail(StrEnum):
    """The choices of ``--level``."""

    UTTERANCE = "utterance"
    FRAME = "frame"
    BOTH = "both"

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels of detail it means."""
        return ("utterance", "frame") if self is Detail.BOTH else (self.value,)


class Precision(StrEnum):
    """The choices of ``--dtype``."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


CorpusOption = Annotated[
    list[str], typer.Option("--corpus", metavar="REF ...", help="One or more of READER:PATH or the path of a CSV.")
]
CacheOption = Annotated[Path, typer.Option("--cache", metavar="DIR", help="Folder of the caches.")]
EncoderOption = Annotated[
    list[str],
    typer.Option(
        "--encoder",
        metavar="NAME ...",
        help="One or more names of `list`, hf:ORG/NAME, hf:FOLDER or FAMILY:FILE; after an @ their variants, as in "
        "wavlm-large@layers-1 or roberta-base@mean+bfloat16. Encoders named together read each clip once.",
    ),
]
LevelOption = Annotated[
    Detail, typer.Option(help="utterance: one vector per clip; frame: the frames too; both: a cache of each.")
]
PrecisionOption = Annotated[
    Precision | None,
    typer.Option("--dtype", help="Number type of networks; other than the encoder's own it makes a variant @DTYPE."),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Start anew even where a cache is there.")]
RetryOption = Annotated[bool, typer.Option("--retry", help="Try failed clips again.")]
StrictOption = Annotated[bool, typer.Option("--strict", help="End with exit code 1 if any clip failed.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps ...")]
WorkersOption = Annotated[
    int, typer.Option(min=1, help="Processes that read and encode; for networks, threads that read.")
]
ShardOption = Annotated[
    str | None,
    typer.Option(metavar="I/N", help="Do the I-th of N parts only (I from 0), then `merge` them; see docs/quickstart."),
]
TrustOption = Annotated[
    list[str] | None, typer.Option("--trust", metavar="NAME ...", help="Models whose own program code may run.")
]


def _command(modality: Modality) -> Callable[..., None]:
    """Returns the command of one modality."""

    def extract(
        corpus: CorpusOption,
        encoder: EncoderOption,
        cache: CacheOption,
        level: LevelOption = Detail.UTTERANCE,
        dtype: PrecisionOption = None,
        overwrite: OverwriteOption = False,
        retry: RetryOption = False,
        strict: StrictOption = False,
        device: DeviceOption = "auto",
        workers: WorkersOption = WORKERS,
        shard: ShardOption = None,
        trust: TrustOption = None,
    ) -> None:
        from feature_extraction.extract import extract_features
        from toolkit.corpus import load_corpus

        specs = [find_spec(reference, modality) for reference in dict.fromkeys(encoder)]
        specs = [vary(spec, [dtype.value]) if dtype and dtype.value != spec.precision else spec for spec in specs]
        corpora = [load_corpus(reference) for reference in corpus]
        _require_columns(specs, corpora)
        options = _options(shard, overwrite, retry, device, workers, trust)
        paths = [extract_features(clips, specs, cache, levels=level.levels, options=options) for clips in corpora]
        _finish([path for some in paths for path in some], shard, strict)

    extract.__doc__ = f"Extract {modality} features."
    return extract


for _modality in MODALITIES:
    app.command(_modality)(_command(_modality))


@app.command()
def faces(
    corpus: CorpusOption,
    cache: CacheOption,
    encoder: Annotated[list[str], typer.Option(metavar="NAME", help="How faces are found.")] = ("mtcnn",),
    overwrite: OverwriteOption = False,
    retry: RetryOption = False,
    strict: StrictOption = False,
    device: DeviceOption = "auto",
    workers: WorkersOption = WORKERS,
    shard: ShardOption = None,
) -> None:
    """Find, track and cut out the speaker's face in every clip; visual encoders read these crops."""
    from feature_extraction.extract import extract_faces
    from feature_extraction.faces.spec import get_face_spec
    from toolkit.corpus import load_corpus

    spec, corpora = get_face_spec(_only(encoder, "--encoder")), [load_corpus(reference) for reference in corpus]
    options = _options(shard, overwrite, retry, device, workers)
    _finish([extract_faces(clips, spec, cache, options=options) for clips in corpora], shard, strict)


@app.command("transcribe")
def transcribe_corpus(
    corpus: Annotated[list[str], typer.Option(metavar="REF", help="READER:PATH or the path of a CSV.")],
    model: Annotated[
        str, typer.Option(metavar="NAME", help="A whisper model of `list`, ORG/NAME on the hub, or a folder.")
    ],
    output: Annotated[Path, typer.Option(metavar="FILE", help="CSV to write; it is a corpus of its own.")],
    language: Annotated[
        str | None, typer.Option(metavar="NAME", help="chinese, zh, en ...; left out, the model finds out.")
    ] = None,
    dtype: Annotated[Precision, typer.Option("--dtype", help="Number type of the network.")] = Precision.FLOAT32,
    batch: Annotated[int, typer.Option(min=1, help="Stretches of up to 30 s computed at once.")] = 8,
    retry: RetryOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Write down what is said in clips without a transcript, into a CSV that --corpus takes."""
    from feature_extraction.transcription.transcribe import transcribe
    from toolkit.corpus import load_corpus

    options = {"language": language, "device": device, "batch": batch, "retry": retry, "progress": True}
    say(str(transcribe(load_corpus(_only(corpus, "--corpus")), model, output, precision=dtype.value, **options)))


@app.command()
def merge(
    corpus: CorpusOption,
    cache: CacheOption,
    others: Annotated[
        list[Path] | None, typer.Option("--from", metavar="DIR ...", help="Further --cache folders to take from.")
    ] = None,
    strict: StrictOption = False,
) -> None:
    """Join what shards made into finished caches."""
    from feature_extraction.shards import merge_shards
    from toolkit.corpus import load_corpus

    corpora = [load_corpus(reference) for reference in corpus]
    paths = [merge_shards(clips, cache, others or ()) for clips in corpora]
    _finish([path for some in paths for path in some], None, strict)


@app.command("list")
def list_encoders(
    words: Annotated[list[str] | None, typer.Argument(help="Only rows with all these words.")] = None,
    modality: Annotated[str | None, typer.Option(metavar="NAME", help=f"One of: {', '.join(MODALITIES)}.")] = None,
) -> None:
    """List the encoders: name, modality, family, numbers per clip, layers, weights, licence."""
    if modality is not None and modality not in MODALITIES:
        raise UserError(f"Unknown modality '{modality}'. {did_you_mean(modality, MODALITIES)}")
    rows = [_facts(spec) for spec in all_specs(modality).values()]
    wanted = [row for row in rows if all(word.lower() in " ".join(row).lower() for word in words or ())]
    if not wanted:
        raise UserError(f"No encoder has all of these words: {' '.join(words or ())}. Leave some out.")
    head = ("name", "modality", "family", "numbers", "layers", "pooling", "weights", "licence")
    for line in aligned([head, *wanted]):
        say(line)


def _facts(spec: EncoderSpec) -> tuple[str, ...]:
    numbers = "" if spec.dim is None else str(spec.dim)
    layers = f"{spec.combine} of {','.join(map(str, spec.layers))}" if spec.layers else ""
    weights = spec.checkpoint + (f"#{spec.revision}" if spec.checkpoint.startswith("hf:") else "")
    return (spec.name, spec.modality, spec.family, numbers, layers, spec.pooling, weights, spec.licence)


def _only(values: Sequence[str], option: str) -> str:
    """Returns the one value of an option that takes several in other commands."""
    if len(values) > 1:
        raise UserError(f"{option} takes one value here, got {', '.join(values)}. Run the command for each of them.")
    return values[0]


def _require_columns(specs: Sequence[EncoderSpec], corpora: "Sequence[Corpus]") -> None:
    """Checks that there is a column for each encoder of text: without one every clip would be ``empty_text``."""
    for corpus in corpora:
        for spec in specs:
            if spec.column and spec.column not in corpus.table:
                hint = did_you_mean(spec.column, map(str, corpus.table.columns))
                raise UserError(f"Corpus '{corpus.name}' has no column '{spec.column}' for '{spec.name}'. {hint}")


def _options(
    shard: str | None, overwrite: bool, retry: bool, device: str, workers: int, trust: list[str] | None = None
) -> RunOptions:
    return RunOptions(
        shard=Shard.parse(shard) if shard else None,
        overwrite=overwrite,
        retry=retry,
        device=device,
        workers=workers,
        progress=True,
        trusted=frozenset(trust or ()),
    )


def _finish(paths: list[Path], shard: str | None, strict: bool) -> None:
    """Prints what became of the clips; a shard leaves no cache to account for yet."""
    from feature_extraction.failures import count_failed, summary_lines

    if shard is not None:
        say(f"Shard {shard} is done. When all are: python -m feature_extraction merge --corpus ... --cache ...")
        return
    for line in summary_lines(paths):
        say(line)
    failed = count_failed(paths)
    lists = dict.fromkeys(str(path.parent.parent / "failures.csv") for path in paths)
    say(f"{failed} {'clip' if failed == 1 else 'clips'} failed" + (f", listed in {', '.join(lists)}" if failed else ""))
    if strict and failed:
        raise typer.Exit(1)


def run() -> None:
    """Runs the command line."""
    main(app, many={"--corpus", "--encoder", "--trust", "--from"})
