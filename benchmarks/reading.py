"""Reading caches next to the plain ways: ``python benchmarks/reading.py [--quick] [--json FILE]``.

The clips are made up: 50 to 150 frames of 256 float32 each, and vectors of 512. Every way reads the same numbers from
files that the system holds in memory, in turn, several rounds; the table has the median round.

- *ours*: a merged cache;
- *flat*: one file with all numbers and nothing else, read with ``np.fromfile``;
- *files*: one ``.npy`` file per clip, as MERTools keeps features.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from toolkit.cache import Cache, CacheWriter, Header, Record, merge
from toolkit.console import aligned, say

WIDTH, LONGEST, SHORTEST = 256, 150, 50
VECTOR = 512
BATCH, SPAN = 32, 2000
Row = dict[str, float | str]
Ways = dict[str, Callable[[], object]]


class Material:
    """The same made-up clips in a cache, in one flat file and in a file per clip.

    Args:
        root: folder to make them in
        clips: how many
    """

    def __init__(self, root: Path, clips: int) -> None:
        self.root = root
        self.names = [f"clip{number:06d}" for number in range(clips)]
        self.frames, self.vectors = root / "frames.h5", root / "vectors.h5"
        for folder in ("frames", "vectors"):
            (root / folder).mkdir()
        frames, vectors = Header("bench", "{}", "frames"), Header("bench", "{}", "vectors")
        with (
            CacheWriter(self.frames, frames) as frame_writer,
            CacheWriter(self.vectors, vectors) as vector_writer,
            open(root / "frames.bin", "wb") as flat_frames,
            open(root / "vectors.bin", "wb") as flat_vectors,
        ):
            for name, values, vector in self._clips():
                frame_writer.append(Record(name, ragged={"frames/values": values}))
                vector_writer.append(Record(name, row={"utterance": vector}))
                values.tofile(flat_frames)
                vector.tofile(flat_vectors)
                np.save(root / "frames" / f"{name}.npy", values)
                np.save(root / "vectors" / f"{name}.npy", vector)
        merge(self.frames, frames, [self.frames], self.names)
        merge(self.vectors, vectors, [self.vectors], self.names)

    def _clips(self) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        generator = np.random.default_rng(0)
        for name in self.names:
            length = generator.integers(SHORTEST, LONGEST, endpoint=True)
            values = generator.standard_normal((length, WIDTH), dtype=np.float32)
            yield name, values, generator.standard_normal(VECTOR, dtype=np.float32)


def bench_random(material: Material, clips: int, rounds: int) -> Row:
    """Returns the times of reading clips at random into padded batches; the cache is open already."""
    cache = Cache(material.frames)
    cache.ragged("frames/values", material.names[0])
    folder = material.root / "frames"
    generator = np.random.default_rng(1)
    drawn: list[str] = []

    def draw() -> None:
        drawn[:] = generator.permutation(material.names)[:clips].tolist()

    ways = {
        "ours": lambda: fill_batches(drawn, lambda name: cache.ragged("frames/values", name)),
        "files": lambda: fill_batches(drawn, lambda name: np.load(folder / f"{name}.npy")),
    }
    return _row("random clips", clips, _medians(ways, rounds, draw))


def fill_batches(names: Sequence[str], read: Callable[[str], np.ndarray]) -> float:
    """Reads clips into the rows of a padded batch, as a loader does, and returns a number that needed all of them."""
    batch = np.zeros((BATCH, LONGEST, WIDTH), np.float32)
    total = 0.0
    for number, name in enumerate(names):
        values = read(name)
        batch[number % BATCH, : len(values)] = values
        total += float(batch[number % BATCH, 0, 0])
    return total


def bench_everything(material: Material, rounds: int) -> list[Row]:
    """Returns the times of loading all frames in the file's order, many clips as one array and clip by clip.

    An array holds 2,000 clips: the time in which a system finds the two gigabytes of all of them differs so much from
    one moment to the next that it would hide everything else. Opening the cache is included.
    """
    folder, names = material.root / "frames", material.names
    spans = [names[start : start + SPAN] for start in range(0, len(names), SPAN)]
    with Cache(material.frames) as cache:
        values = [int(cache.joined("frames/values", span)[1].sum()) * WIDTH for span in spans]

    def joined() -> None:
        with Cache(material.frames) as cache:
            for span in spans:
                cache.joined("frames/values", span)

    def one_by_one() -> None:
        with Cache(material.frames) as cache:
            for name in names:
                cache.ragged("frames/values", name)

    def flat() -> None:
        with open(material.root / "frames.bin", "rb") as file:
            for count in values:
                np.fromfile(file, np.float32, count)

    def files() -> None:
        for name in names:
            np.load(folder / f"{name}.npy")

    times = _medians({"2,000 at once": joined, "one by one": one_by_one, "flat": flat, "files": files}, rounds)
    ways = ("2,000 at once", "one by one")
    return [_row(f"all clips, {way}", len(names), times | {"ours": times[way]}) for way in ways]


def bench_vectors(material: Material, rounds: int) -> Row:
    """Returns the times of reading one vector per clip as one array, opening included."""
    flat, folder = material.root / "vectors.bin", material.root / "vectors"
    ways = {
        "ours": lambda: Cache(material.vectors).row("utterance", material.names),
        "flat": lambda: np.fromfile(flat, np.float32).reshape(-1, VECTOR),
        "files": lambda: np.stack([np.load(folder / f"{name}.npy") for name in material.names]),
    }
    return _row("all vectors", len(material.names), _medians(ways, rounds))


def _medians(ways: Ways, rounds: int, prepare: Callable[[], None] = lambda: None) -> dict[str, float]:
    """Returns the median seconds of each way.

    They take turns, in another order each round: a busy moment of the machine hits all of them, and none is always the
    one that finds the memory which the one before it gave back.
    """
    taken: dict[str, list[float]] = {way: [] for way in ways}
    generator = np.random.default_rng(2)
    for number in range(rounds + 1):
        prepare()
        for way in generator.permutation(list(ways)).tolist():
            start = time.perf_counter()
            ways[way]()
            if number:  # the first round only warms up
                taken[way].append(time.perf_counter() - start)
    return {way: float(np.median(seconds)) for way, seconds in taken.items()}


def _row(work: str, clips: int, times: dict[str, float]) -> Row:
    flat = times.get("flat", float("nan"))
    return {
        "work": work,
        "clips": clips,
        "ours_s": times["ours"],
        "flat_s": flat,
        "files_s": times["files"],
        "flat/ours": flat / times["ours"],
        "files/ours": times["files"] / times["ours"],
    }


def main(
    quick: Annotated[bool, typer.Option("--quick", help="2,000 clips instead of 20,000: under a minute.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the rows here.")] = None,
) -> None:
    """Measure how fast caches are read and print ratios; needs 6.5 GB of disk and memory for it, a tenth if quick."""
    clips, rounds = (2000, 9) if quick else (20000, 11)
    with tempfile.TemporaryDirectory() as name:
        material = Material(Path(name), clips)
        rows = [bench_random(material, 2000, rounds), *bench_everything(material, rounds)]
        rows.append(bench_vectors(material, rounds))
    cells = [[value if isinstance(value, str) else f"{value:.4g}" for value in row.values()] for row in rows]
    for line in aligned([list(rows[0]), *[[cell.replace("nan", "-") for cell in row] for row in cells]]):
        say(line)
    if json_file is not None:
        json_file.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    typer.run(main)
