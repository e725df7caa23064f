"""The command line around runs: ``python -m baseline predict|report|table|search|rank ...``; ``main.py`` makes one."""

from pathlib import Path
from typing import Annotated

import typer

from baseline.fine_tuning.command import MANY as MANY_TO_FINETUNE
from baseline.fine_tuning.command import finetune
from baseline.pretraining.command import MANY as MANY_TO_PRETRAIN
from baseline.pretraining.command import pretrain
from baseline.study_cli import MANY, compare, rank, search, topn
from toolkit.console import main, say

app = typer.Typer(
    help="Search and rank; predict with, report on and compare finished runs. One is made by `python main.py`.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command(no_args_is_help=True)
def predict(
    clips: Annotated[
        list[str],
        typer.Argument(metavar="CLIP", help="Video or sound files, folders of them, a CSV or READER:PATH."),
    ],
    run: Annotated[Path, typer.Option("--run", metavar="DIR", help="A finished run, such as runs/multi/NAME.")],
    text: Annotated[
        list[str] | None,
        typer.Option(metavar="WORDS", help="Transcript; once per clip, in their order. A CSV has its own."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a .csv or .json too.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps ...")] = "auto",
    workers: Annotated[int, typer.Option(min=1, help="Processes that read and encode.")] = 1,
) -> None:
    """Predict emotion, valence or words of new clips, from media files to a table."""
    from baseline.own_clips import corpus_of
    from baseline.predict import load_run
    from baseline.predict import predict as predict_clips
    from baseline.prediction_output import require_writable, table_lines, to_json, write_predictions

    if out is not None:
        require_writable(out)
    trained = load_run(run, device=device)
    columns = [spec.column for spec in trained.specs if spec.column]
    corpus = corpus_of(clips, text or (), columns=columns or ["text"])
    predictions = predict_clips(trained, corpus, device=device, workers=workers, progress=True)
    if out is not None:
        write_predictions(predictions, out)
    for line in [to_json(predictions)] if as_json else table_lines(predictions):
        say(line)


@app.command(no_args_is_help=True)
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="DIR", help="Finished runs, such as runs/multi/NAME.")],
) -> None:
    """Make report.html of finished runs again."""
    from baseline.report import write_report

    for run in runs:
        say(str(write_report(run)))


@app.command(no_args_is_help=True)
def table(
    runs: Annotated[list[Path], typer.Argument(metavar="DIR", help="Finished runs, such as runs/multi/NAME.")],
) -> None:
    """Show runs side by side: track, score on folds and test clips, minutes, submission."""
    from baseline.run_table import table_of_runs

    for line in table_of_runs(runs):
        say(line)


@app.command(no_args_is_help=True)
def export(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="A finished run, such as runs/multi/NAME.")],
    onnx: Annotated[Path, typer.Option(metavar="FILE", help="File to write, .onnx; needs the extra onnx.")],
) -> None:
    """Write the networks of a run as one ONNX file: raw features in, probabilities and valence out."""
    from baseline.export import export_run

    difference = export_run(run, onnx)
    say(f"{onnx}: at most {difference:.1e} from the networks")


for command in (search, rank, topn, compare, pretrain, finetune):
    app.command(no_args_is_help=True)(command)


def run() -> None:
    """Runs the command line."""
    main(app, many=MANY | MANY_TO_PRETRAIN | MANY_TO_FINETUNE)
