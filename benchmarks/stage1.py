"""Stage 1 next to its floor and next to the plain way: ``python benchmarks/stage1.py [--quick] [--json FILE]``.

The clips are those of the demo corpus, made on the spot. Per encoder three things are timed in one run, in turn:

- *floor*: the bare encoder on material that is decoded already, in this process;
- *ours*: `extract_features` from media files to the merged cache, one worker;
- *all cores*: the same with a worker per core.

Faces, networks, memory and reading have benchmarks of their own beside this one.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from feature_extraction.encoder import EncoderSpec, build_encoder, get_spec
from feature_extraction.extract import extract_faces, extract_features
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.options import RunOptions
from feature_extraction.source import source_of
from toolkit.cache import cache_path
from toolkit.console import aligned, say
from toolkit.corpus import Corpus, load_corpus
from toolkit.device import usable_cores
from toolkit.errors import ClipError

ENCODERS = {"egemaps": "audio", "prosody": "audio", "face-hog": "visual", "char-hash": "text"}
Row = dict[str, float | str]


def seconds(work: Callable[[], object], times: int) -> float:
    """Returns the median wall time of a piece of work in seconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def bench_encoder(corpus: Corpus, spec: EncoderSpec, root: Path, times: int) -> Row:
    """Returns floor, ours and all cores of one encoder; faces are there already."""
    source = source_of(
        [spec], corpus.root, cache_path(root, corpus.name, "faces", spec.faces.name) if spec.faces else None
    )
    items = [source.view(source.load(row), spec) for row in corpus.table.to_dict("records")]
    encoder = build_encoder(spec)
    encoder.encode(items[:1])  # first use loads libraries
    floor = seconds(lambda: [encoder.encode([item]) for item in items], times)
    one, all_cores = (RunOptions(overwrite=True, workers=workers) for workers in (1, usable_cores()))
    ours = seconds(lambda: extract_features(corpus, [spec], root, options=one), times)
    cores = seconds(lambda: extract_features(corpus, [spec], root, options=all_cores), times)
    return _row(f"{spec.modality}/{spec.name}", len(items), floor=floor, ours=ours, cores=cores)


def _row(name: str, clips: int, *, floor: float, ours: float, cores: float) -> Row:
    return {
        "work": name,
        "clips": clips,
        "floor_s": floor,
        "ours_s": ours,
        "ours/floor": ours / floor,
        "all cores/floor": cores / floor,
    }


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Few clips, once: under a minute on two cores.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the rows here.")] = None,
) -> None:
    """Measure stage 1 on demo clips and print ratios."""
    from toolkit.demo.make import make_demo

    times = 1 if quick else 3
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        make_demo(root / "demo", scale="tiny" if quick else "small")
        corpus = _sound(load_corpus(f"demo:{root / 'demo'}"))
        rows = []
        extract_faces(corpus, FaceSpec(), root)
        corpus = corpus.only(corpus.table["name"].isin(_with_faces(corpus, root)))
        for encoder, modality in ENCODERS.items():
            rows.append(bench_encoder(corpus, get_spec(encoder, modality), root, times))
    cells = [[value if isinstance(value, str) else f"{value:.4g}" for value in row.values()] for row in rows]
    for line in aligned([list(rows[0]), *cells]):
        say(line)
    if json_file is not None:
        json_file.write_text(json.dumps(rows, indent=2))


def _sound(corpus: Corpus) -> Corpus:
    """Returns the clips without a hostility, so that every encoder has the same work."""
    return corpus.only(corpus.table["hostile"].isna())


def _with_faces(corpus: Corpus, root: Path) -> list[str]:
    source = source_of([get_spec("face-hog", "visual")], corpus.root, cache_path(root, corpus.name, "faces", "mtcnn"))
    names = []
    for row in corpus.table.to_dict("records"):
        try:
            source.load(row)
        except ClipError:
            continue
        names.append(row["name"])
    return names


if __name__ == "__main__":
    typer.run(main)
