"""Peak memory of extraction: ``python benchmarks/memory.py [--quick] [--json FILE]``.

Each line is a process of its own that builds an encoder and then extracts. *model* is what the process holds once the
encoder is built, *peak* the most it ever held after that (resident set, mapped files included), in MB.

- 200 and 2,000 clips of sound, pictures and text, at both levels: memory is bounded by the batch, not the corpus;
- one recording of two hours: memory is bounded whatever a clip's length. ``--base`` takes a network of base size, which
  on two cores takes a quarter of an hour.
"""

import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from toolkit.console import aligned, say

ENCODERS = {"audio": "tiny-hubert-large", "visual": "tiny-vit", "text": "tiny-bert"}
Row = dict[str, float | str]
app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


def make_corpus(root: Path, clips: int) -> None:
    """Writes a table of clips that share twenty sounds of 1 to 4 s, and a faces cache of 10 to 40 crops each."""
    from feature_extraction.faces.reel import Reel
    from feature_extraction.faces.spec import FaceSpec
    from feature_extraction.faces.store import to_record
    from toolkit.cache import CacheWriter, Header, cache_path
    from toolkit.media import Sound, write_sound

    generator = np.random.default_rng(0)
    for number in range(20):
        noise = generator.uniform(-0.5, 0.5, generator.integers(16000, 64000)).astype(np.float32)
        write_sound(root / f"{number}.wav", Sound(noise, 16000))
    names = [f"clip{number:04d}" for number in range(clips)]
    rows = [
        {"name": name, "audio": f"{number % 20}.wav", "text": "今天我很高兴" * (1 + number % 7)}
        for number, name in enumerate(names)
    ]
    pd.DataFrame(rows).to_csv(root / f"bench{clips}.csv", index=False)
    spec = FaceSpec()
    header = Header(f"bench{clips}", spec.to_json(), spec.identity, root=str(root.resolve()))
    picture = generator.integers(0, 256, (112, 112, 3)).astype(np.uint8)
    with CacheWriter(cache_path(root, f"bench{clips}", "faces", spec.name), header) as writer:
        for number, name in enumerate(names):
            count = 10 + number % 31
            reel = Reel(spec.quality)
            for frame in range(count):
                reel.add(picture, frame / spec.frame_rate)
            writer.append(to_record(name, reel.track()))


def make_recording(root: Path, hours: float) -> None:
    """Writes a wav of noise that long, minute by minute, and a table with it alone."""
    import soundfile

    generator = np.random.default_rng(0)
    with soundfile.SoundFile(root / "long.wav", "w", 16000, 1, "PCM_16") as file:
        for _ in range(round(hours * 60)):
            file.write(generator.uniform(-0.5, 0.5, 60 * 16000).astype(np.float32))
    pd.DataFrame([{"name": "long", "audio": "long.wav"}]).to_csv(root / "long.csv", index=False)


def make_base(folder: Path) -> None:
    """Saves wav2vec2-base with random weights."""
    import transformers

    transformers.Wav2Vec2Model(transformers.Wav2Vec2Config()).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)


def resident() -> float:
    """Returns the MB that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class Peak(threading.Thread):
    """Looks at this process' memory every 10 ms; the system's own mark also counts what was held before."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.highest = resident()

    def run(self) -> None:
        """Looks until the process ends."""
        while True:
            self.highest = max(self.highest, resident())
            time.sleep(0.01)


@app.command()
def child(modality: str, encoder: str, corpus: str, cache: Path, device: str = "cpu") -> None:
    """Extract one corpus with one encoder and print the memory of the model and the peak, in MB."""
    from feature_extraction.extract import run_jobs
    from feature_extraction.feature_job import FeatureJob
    from feature_extraction.options import RunOptions
    from feature_extraction.reference import find_spec
    from feature_extraction.source import source_of
    from toolkit.cache import cache_path
    from toolkit.corpus import load_corpus

    clips, spec = load_corpus(corpus), find_spec(encoder, modality)
    job = FeatureJob(clips, spec, cache, levels=("utterance", "frame"), device=device, trusted=())
    _ = job.encoder
    peak = Peak()
    model = peak.highest
    peak.start()
    faces = cache_path(cache, clips.name, "faces", "mtcnn")
    run_jobs([job], source_of([spec], clips.root, faces), clips, RunOptions(device=device, workers=2, overwrite=True))
    say(json.dumps([model, max(peak.highest, resident())]))


def measure(work: str, modality: str, encoder: str, corpus: Path, cache: Path) -> Row:
    """Returns what a process of its own needs."""
    command = [sys.executable, __file__, "child", modality, encoder, str(corpus), str(cache)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    model, peak = json.loads(done.stdout.splitlines()[-1])
    return {"work": work, "model_mb": model, "peak_mb": peak, "above_mb": peak - model}


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help="20 and 200 clips, ten minutes: about a minute.")] = False,
    base: Annotated[bool, typer.Option("--base", help="The long recording by wav2vec2-base too.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the rows here.")] = None,
) -> None:
    """Measure the memory of extraction."""
    few, many, hours = (20, 200, 1 / 6) if quick else (200, 2000, 2.0)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for clips in (few, many):
            make_corpus(root, clips)
        for modality, encoder in ENCODERS.items():
            for clips in (few, many):
                label = f"{encoder}, {clips} clips"
                rows.append(measure(label, modality, encoder, root / f"bench{clips}.csv", root))
        make_recording(root, hours)
        rows.append(measure(f"{ENCODERS['audio']}, {hours:.2f} h", "audio", ENCODERS["audio"], root / "long.csv", root))
        if base:
            make_base(root / "wav2vec2-base")
            reference = f"hf:{root / 'wav2vec2-base'}"
            rows.append(measure(f"wav2vec2-base, {hours:.2f} h", "audio", reference, root / "long.csv", root))
    cells = [[value if isinstance(value, str) else f"{value:.0f}" for value in row.values()] for row in rows]
    for line in aligned([list(rows[0]), *cells]):
        say(line)
    if json_file is not None:
        json_file.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    if "child" not in sys.argv[1:2]:
        sys.argv.insert(1, "main")
    app()
