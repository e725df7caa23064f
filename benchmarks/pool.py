"""Predicting a pool of clips, next to reading it: ``python benchmarks/pool.py [--quick] [--json FILE]``.

The pool has the size of MER2024's: 115,595 clips, random features of 1024, 5120 and 768 dimensions, in caches of their
own on the disk. Each row is a process of its own that loads an ensemble of five trimodal networks, reads all features
and predicts every clip, as predicting a split of a run does.

- *read*: `load_inputs`, once with what the system holds of the files in memory given up before (*cold*; what lies below
  a virtual machine may hold them still), once without (*warm*);
- *predict*: `FoldEnsemble.predict`, wanted to be faster than reading;
- *floor*: the matrix products of the networks alone, in as large pieces;
- *peak*: the most memory that the process ever held, and how much that is above the features' own size; wanted to be
  below 3 GB.

Needs 3.2 GB of disk and 5 GB of memory, a fifteenth of the disk if quick.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from toolkit.cache import Cache, CacheWriter, Header, Record
from toolkit.console import aligned, say

DIMS = {"audio": 1024, "text": 5120, "visual": 768}
CLIPS, FEW, FOLDS = 115_595, 8_000, 5
MODEL = "model.safetensors"
Row = dict[str, float | str]
app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


def make_caches(root: Path, clips: int) -> None:
    """Writes a cache of random numbers per feature."""
    generator = np.random.default_rng(0)
    for key, dim in DIMS.items():
        with CacheWriter(root / key / "random.h5", Header("pool", "{}", key), rows={"utterance": clips}) as writer:
            for number in range(clips):
                values = generator.standard_normal(dim, dtype=np.float32)
                writer.append(Record(f"clip{number:06d}", row={"utterance": values}))


def make_ensemble(path: Path) -> None:
    """Trains five small networks for an epoch on a few random clips, and saves them as a run does."""
    import torch

    from baseline.config import TrainingSettings
    from baseline.crossvalidation import Recipe, cross_validate
    from baseline.dataset import Examples, Inputs, Targets
    from baseline.task import EmotionTask
    from toolkit.labels import MER_EMOTIONS, MER_VALENCE

    clips = 320
    values = {key: torch.randn(clips, dim) for key, dim in DIMS.items()}
    present = {key: torch.ones(clips, dtype=torch.bool) for key in DIMS}
    emotion, valence = torch.arange(clips) % len(MER_EMOTIONS), torch.randn(clips)
    examples = Examples(Inputs(("",) * clips, values, present), Targets(emotion, valence, valence.new_zeros(clips, 0)))
    network = {"name": "attention", "hidden": 128, "dropout": 0.3}
    recipe = Recipe(network, TrainingSettings(epochs=1), "fold", 0, MER_VALENCE)
    cross_validate(examples, np.arange(clips) % FOLDS, EmotionTask(MER_EMOTIONS), recipe).ensemble.save(path)


def forget(root: Path) -> None:
    """Asks the system to give up what it holds of the caches in memory, where it can be asked."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in root.rglob("*.h5"):
        with open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def peak_bytes() -> int:
    """Returns the most memory that this process ever held; what its parent held does not count, as in `getrusage`."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


@app.command()
def child(root: Path, device: str) -> None:
    """Read and predict a pool, and print what it took as JSON."""
    from baseline.dataset import FeatureSource, load_inputs
    from baseline.fold_models import FoldEnsemble

    ensemble = FoldEnsemble.load(root / MODEL, device)
    start = time.perf_counter()
    sources = {key: FeatureSource(Cache(root / key / "random.h5"), key) for key in DIMS}
    inputs = load_inputs(sources, sources["audio"].cache.names, device)
    read = time.perf_counter()
    prediction = ensemble.predict(inputs)  # gives arrays of numpy, so a GPU has finished
    predicted = time.perf_counter()
    assert len(prediction.known) == len(inputs)
    assert prediction.known.all()
    size = sum(values.numel() * values.element_size() for values in inputs.values.values())
    facts = {"read_s": read - start, "predict_s": predicted - read, "size": size, "peak": peak_bytes()}
    say(json.dumps(facts | {"floor_s": floor(ensemble, inputs.values)}))


def floor(ensemble, features) -> float:
    """Returns the seconds of the networks' matrix products alone, for all clips."""
    import torch

    from baseline.dataset import BATCH
    from toolkit.models.linear import Linear

    layers = [one.weight.detach() for one in ensemble.models[0].network.modules() if isinstance(one, Linear)]
    starts = range(0, len(features["audio"]), BATCH)
    inner = {weight.shape[1]: features["text"].new_ones(BATCH, weight.shape[1]) for weight in layers}
    outer = {values.shape[1]: values for values in features.values()}
    start = time.perf_counter()
    for first in starts:
        for weight in layers * len(ensemble.models):
            values = outer.get(weight.shape[1])
            torch.mm(inner[weight.shape[1]] if values is None else values[first : first + BATCH], weight.mT)
    if features["text"].is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def measure(work: str, root: Path, device: str) -> Row:
    """Returns what a process of its own takes."""
    command = [sys.executable, __file__, "child", str(root), device]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    facts = json.loads(done.stdout.splitlines()[-1])
    return {
        "work": work, "read_s": facts["read_s"], "predict_s": facts["predict_s"], "floor_s": facts["floor_s"],
        "predict/read": facts["predict_s"] / facts["read_s"], "predict/floor": facts["predict_s"] / facts["floor_s"],
        "features_gb": facts["size"] / 1e9, "peak_gb": facts["peak"] / 1e9,
        "above_gb": (facts["peak"] - facts["size"]) / 1e9,
    }  # fmt: skip


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help=f"{FEW:,} clips: under a minute.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda ...")] = "cpu",
    only: Annotated[str, typer.Option(metavar="WORD", help="Only rows with this word: cold, warm.")] = "",
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the rows here.")] = None,
) -> None:
    """Measure predicting a large pool of clips."""
    clips, rounds = (FEW, 1) if quick else (CLIPS, 3)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        make_caches(root, clips)
        make_ensemble(root / MODEL)
        for number in range(rounds):
            for way in ("cold", "warm"):
                if only not in way:
                    continue
                if way == "cold":
                    forget(root)
                rows.append(measure(f"{clips:,} clips, {way}, {number + 1}", root, device))
                cells = [value if isinstance(value, str) else f"{value:.3g}" for value in rows[-1].values()]
                for line in aligned([list(rows[-1]), cells])[min(1, len(rows) - 1) :]:
                    say(line)
    if json_file is not None:
        json_file.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    if "child" not in sys.argv[1:2]:
        sys.argv.insert(1, "main")
    app()
