"""The faces stage next to its floor and next to the plain way: ``python benchmarks/faces.py [--quick] [--json FILE]``.

The clips are those of the demo corpus, made on the spot, or one's own. Timed in one run, in turn, medians of the
rounds, one process unless said otherwise:

- *decoding*: the frames looked at out of the video files, and nothing else;
- *searching*: the detector on the very frames that are searched, in our batches, ready in memory;
- *confirming*: its last network on the frames between them, at the places where a face is expected, likewise;
- *ours*: `extract_faces` from video files to the merged faces cache, one worker;
- *all cores*: the same with a worker per core;
- *plain*: what scripts do: the detector on every frame looked at, one at a time, ready in memory.

A frame is detected on if the networks run on it at all, so the floor is decoding + searching + confirming. The narrow
floor leaves out confirming.
"""

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import torch
import typer

from feature_extraction.extract import extract_faces
from feature_extraction.faces.detect import Detection, Detector, detectors
from feature_extraction.faces.film import Film
from feature_extraction.faces.search import Searcher
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.options import RunOptions
from toolkit.console import aligned, say
from toolkit.corpus import Corpus, corpus_from_table, load_corpus
from toolkit.device import usable_cores
from toolkit.errors import ClipError
from toolkit.media import iterate_frames

Row = dict[str, float | str]


class Recorder(Detector):
    """A detector that remembers what it was asked, to be asked it again.

    Args:
        detector: which one
    """

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self.searches: list[list[np.ndarray]] = []
        self.glances: list[tuple[list[np.ndarray], np.ndarray]] = []

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Detection]]:
        """Searches, and remembers the frames."""
        self.searches.append(list(frames))
        return self.detector.detect(frames)

    def confirm(self, frames: Sequence[np.ndarray], boxes: np.ndarray) -> list[Detection | None]:
        """Confirms, and remembers frames and boxes."""
        self.glances.append((list(frames), boxes))
        return self.detector.confirm(frames, boxes)

    def search_again(self) -> None:
        """Asks for all searches once more."""
        for frames in self.searches:
            self.detector.detect(frames)

    def confirm_again(self) -> None:
        """Asks for all confirmations once more."""
        for frames, boxes in self.glances:
            self.detector.confirm(frames, boxes)


class Bench:
    """Clips, and the ways to find the faces in them.

    Args:
        corpus: the clips; their frames have to fit the memory
        root: folder for caches
    """

    def __init__(self, corpus: Corpus, root: Path) -> None:
        self.corpus, self.root = corpus, root
        self.spec = FaceSpec()
        self.paths = [corpus.path(value) for value in corpus.table["video"]]
        self.detector = detectors.get(self.spec.detector)(self.spec)
        self.recorder = Recorder(self.detector)
        searcher = Searcher(self.spec, self.recorder)
        self.images = [frame.image for path in self.paths for frame, _ in searcher.run(Film(path, self.spec))]

    def decode(self) -> None:
        """Decodes the frames looked at."""
        for path in self.paths:
            for _ in iterate_frames(path, rate=self.spec.frame_rate):
                pass

    def plain(self) -> None:
        """Searches every frame, one at a time."""
        for image in self.images:
            self.detector.detect([image])

    def extract(self, workers: int) -> None:
        """Makes the faces cache."""
        extract_faces(self.corpus, self.spec, self.root, options=RunOptions(workers=workers, overwrite=True))

    def measure(self, rounds: int) -> Row:
        """Returns seconds and ratios."""
        works = {
            "decoding_s": self.decode,
            "searching_s": self.recorder.search_again,
            "confirming_s": self.recorder.confirm_again,
            "ours_s": lambda: self.extract(1),
            "all_cores_s": lambda: self.extract(usable_cores()),
            "plain_s": self.plain,
        }
        taken = [{name: seconds(work) for name, work in works.items()} for _ in range(rounds)]
        row: Row = {name: float(np.median([times[name] for times in taken])) for name in works}
        narrow = row["decoding_s"] + row["searching_s"]
        return self._counts() | row | {
            "ours/floor": row["ours_s"] / (narrow + row["confirming_s"]),
            "ours/narrow floor": row["ours_s"] / narrow,
            "all cores/floor": row["all_cores_s"] / (narrow + row["confirming_s"]),
            "plain/ours": row["plain_s"] / row["ours_s"],
            "clips/s": len(self.paths) / row["ours_s"],
            "clips/s, all cores": len(self.paths) / row["all_cores_s"],
        }  # fmt: skip

    def _counts(self) -> Row:
        return {
            "corpus": self.corpus.name,
            "cores": usable_cores(),
            "threads of torch": torch.get_num_threads(),
            "clips": len(self.paths),
            "frames": len(self.images),
            "searched": sum(map(len, self.recorder.searches)),
            "confirmed": sum(len(frames) for frames, _ in self.recorder.glances),
        }


def seconds(work: Callable[[], object]) -> float:
    """Returns the wall time of a piece of work in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def usable(corpus: Corpus) -> Corpus:
    """Returns the clips that can be decoded, so that every way has the same work."""
    return corpus.only(corpus.table["video"].map(lambda video: not pd.isna(video) and _decodes(corpus.path(video))))


def _decodes(path: Path) -> bool:
    try:
        return sum(1 for _ in iterate_frames(path)) > 0
    except ClipError:
        return False


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Few clips, once: under a minute on two cores.")] = False,
    videos: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Clips of one's own instead of the demo's.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the figures here.")
    ] = None,
) -> None:
    """Measure the faces stage and print seconds and ratios."""
    from toolkit.demo.make import make_demo

    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        if videos is None:
            make_demo(root / "demo", scale="tiny" if quick else "small")
            corpus = load_corpus(f"demo:{root / 'demo'}")
        else:
            files = sorted(path.name for path in videos.iterdir() if path.suffix in {".mp4", ".mpg", ".mov", ".avi"})
            corpus = corpus_from_table(videos.name, videos, pd.DataFrame({"name": files, "video": files}))
        row = Bench(usable(corpus), root / "cache").measure(1 if quick else 5)
    for line in aligned([[key, value if isinstance(value, str) else f"{value:.4g}"] for key, value in row.items()]):
        say(line)
    if json_file is not None:
        json_file.write_text(json.dumps(row, indent=2))


if __name__ == "__main__":
    typer.run(main)
