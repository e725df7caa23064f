"""Encoders next to their floor and next to the plain loop: ``python benchmarks/extraction.py [--quick] [--json FILE]``.

Base-size networks of transformers with random weights, one audio, one image, one video and one text family. Material is
made on the spot. Timed in one run, in turn, medians of the rounds:

- *floor*: the bare network on the very tensors of our batches, kept ready in memory;
- *ours*: from files (sound, transcripts; for pictures the faces cache) to the merged cache, a reading thread per core;
- *plain*: what scripts do: one file at a time, one sample per forward, frames through image files, a ``.npy`` per clip.

Loading the network's weights is part of none of them. The last rows have three image encoders run together, beside the
sum of their floors, and bfloat16 beside the plain loop, which is in float32.
"""

import dataclasses
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
import torch
import transformers as tr
import typer

from feature_extraction.extract import run_jobs
from feature_extraction.faces.reel import Reel
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.faces.store import to_record
from feature_extraction.feature_job import FeatureJob
from feature_extraction.options import RunOptions
from feature_extraction.reference import find_spec
from feature_extraction.source import source_of
from feature_extraction.text.tiny import character_tokenizer
from toolkit.cache import Cache, CacheWriter, Header, cache_path
from toolkit.console import aligned, say
from toolkit.corpus import Corpus, corpus_from_table
from toolkit.device import resolve_device, usable_cores
from toolkit.media import Sound, write_sound


class Case(NamedTuple):
    """A network to be measured.

    Attributes:
        modality: what it is given
        config: makes its configuration, of base size
        network: class of the network
        processor: makes what the plain loop prepares its input with
        plain: the plain loop
    """

    modality: str
    config: Callable[[], Any]
    network: type
    processor: Callable[[], Any]
    plain: Callable[..., None]


def plain_audio(corpus: Corpus, processor: Any, network: Any, out: Path) -> None:
    """A file at a time through wav2vec2, the last four layers added."""
    import librosa

    for name, file in zip(corpus.table["name"], corpus.table["audio"], strict=True):
        samples, _ = librosa.load(corpus.root / file, sr=16000, res_type="soxr_hq")
        inputs = processor(samples, sampling_rate=16000, return_tensors="pt").input_values.to(network.device)
        states = network(inputs, output_hidden_states=True).hidden_states
        np.save(out / f"{name}.npy", sum(states[-4:])[0].mean(dim=0).cpu().numpy())


def plain_image(corpus: Corpus, processor: Any, network: Any, out: Path) -> None:
    """A picture file at a time."""
    from PIL import Image

    for name in corpus.table["name"]:
        rows = []
        for file in sorted((corpus.root / "pictures" / name).iterdir()):
            inputs = processor(images=Image.open(file), return_tensors="pt").pixel_values.to(network.device)
            rows.append(network(inputs).last_hidden_state[0, 0].cpu().numpy())
        np.save(out / f"{name}.npy", np.mean(rows, axis=0))


def plain_video(corpus: Corpus, processor: Any, network: Any, out: Path) -> None:
    """A window of sixteen picture files at a time."""
    from PIL import Image

    for name in corpus.table["name"]:
        files = sorted((corpus.root / "pictures" / name).iterdir())
        rows = []
        for start in range(0, len(files), 16):
            pictures = [Image.open(file) for file in files[start : start + 16]]
            pictures += pictures[-1:] * (16 - len(pictures))
            inputs = processor(pictures, return_tensors="pt").pixel_values.to(network.device)
            rows.append(network(inputs).last_hidden_state[0].mean(dim=0).cpu().numpy())
        np.save(out / f"{name}.npy", np.mean(rows, axis=0))


def plain_text(corpus: Corpus, processor: Any, network: Any, out: Path) -> None:
    """A sentence at a time, the last four layers added."""
    for name, text in zip(corpus.table["name"], corpus.table["text"], strict=True):
        inputs = processor(text, return_tensors="pt").to(network.device)
        states = network(**inputs, output_hidden_states=True).hidden_states
        np.save(out / f"{name}.npy", sum(states[-4:])[0, 1:-1].mean(dim=0).cpu().numpy())


def _bert_config() -> tr.BertConfig:
    return tr.BertConfig(vocab_size=len(character_tokenizer()))


def _tokenizer() -> Any:
    tokenizer = character_tokenizer()
    tokenizer.model_max_length = 512
    return tokenizer


CASES = {
    "wav2vec2-base": Case("audio", tr.Wav2Vec2Config, tr.Wav2Vec2Model, tr.Wav2Vec2FeatureExtractor, plain_audio),
    "vit-base-16": Case("visual", tr.ViTConfig, tr.ViTModel, tr.ViTImageProcessorPil, plain_image),
    "videomae-base": Case("visual", tr.VideoMAEConfig, tr.VideoMAEModel, tr.VideoMAEImageProcessorPil, plain_video),
    "bert-base": Case("text", _bert_config, tr.BertModel, _tokenizer, plain_text),
}
# Run together with vit-base-16.
MORE_IMAGES = {
    "clip-base-32": Case(
        "visual", tr.CLIPVisionConfig, tr.CLIPVisionModelWithProjection, tr.CLIPImageProcessorPil, plain_image
    ),
    "dinov2-base": Case("visual", tr.Dinov2Config, tr.Dinov2Model, tr.BitImageProcessorPil, plain_image),
}
Row = dict[str, float | str]


# Clips of each modality, and how many of them --quick takes; so many that a run takes seconds, not tenths.
CLIPS = {"audio": (30, 4), "visual": (4, 1), "text": (800, 60)}


def make_corpora(root: Path, *, quick: bool) -> dict[str, Corpus]:
    """Returns a corpus of voices of 2 to 5 s, one of face tracks of 12 to 36 crops, one of 5 to 40 Chinese signs."""
    generator = np.random.default_rng(0)
    tables: dict[str, list[dict[str, str]]] = {modality: [] for modality in CLIPS}
    for modality, table in tables.items():
        for number in range(CLIPS[modality][quick]):
            table.append({"name": f"clip{number:03d}"})
    for row in tables["audio"]:
        row["audio"] = f"{row['name']}.wav"
        noise = np.cumsum(generator.normal(0, 0.1, round(generator.uniform(2, 5) * 44100)))
        write_sound(root / row["audio"], Sound((noise / 50 % 1 - 0.5).astype(np.float32), 44100))
    for row in tables["text"]:
        signs = generator.integers(0x4E00, 0x9FA5, generator.integers(5, 41))
        row["text"] = "".join(map(chr, signs))
    make_faces(root, [row["name"] for row in tables["visual"]], generator)
    return {modality: corpus_from_table("bench", root, pd.DataFrame(table)) for modality, table in tables.items()}


def make_faces(root: Path, names: Sequence[str], generator: np.random.Generator) -> None:
    """Writes the faces cache, and the same crops as picture files."""
    spec = FaceSpec()
    header = Header("bench", spec.to_json(), spec.identity, root=str(root.resolve()))
    with CacheWriter(cache_path(root, "bench", "faces", spec.name), header) as writer:
        for name in names:
            crops, reel = make_crops(generator, int(generator.integers(12, 37))), Reel(spec.quality)
            save_pictures(root / "pictures" / name, crops)
            for frame, crop in enumerate(crops):
                reel.add(crop, frame / spec.frame_rate)
            writer.append(to_record(name, reel.track()))


def make_crops(generator: np.random.Generator, frames: int) -> np.ndarray:
    """Returns crops ``(frames, 112, 112, 3)`` uint8 of a smooth picture that moves."""
    import cv2

    picture = cv2.resize(generator.integers(0, 256, (12, 12, 3)).astype(np.uint8), (160, 160))
    return np.stack([picture[k : k + 112, k : k + 112] for k in range(frames)])


def save_pictures(folder: Path, crops: np.ndarray) -> None:
    """Writes crops as picture files, which is what the plain loops read."""
    from PIL import Image

    folder.mkdir(parents=True)
    for number, crop in enumerate(crops):
        Image.fromarray(crop).save(folder / f"{number:05d}.jpg", quality=95)


def seconds(work: Callable[[], object]) -> float:
    """Returns the wall time of a piece of work in seconds."""
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


class Bench:
    """Networks in folders, and a corpus to run them on.

    Args:
        root: folder for all of it
        corpora: the clips, by modality
        device: torch device
        rounds: how often everything is timed
    """

    def __init__(self, root: Path, corpora: dict[str, Corpus], device: str, rounds: int) -> None:
        self.root, self.corpora, self.device, self.rounds = root, corpora, device, rounds
        self.options = RunOptions(device=device, workers=usable_cores(), overwrite=True)

    def job(self, name: str, case: Case, precision: str = "float32") -> FeatureJob:
        """Returns the job of a network, ready to run."""
        folder = self.root / "models" / name
        if not folder.exists():
            torch.manual_seed(0)
            case.network(case.config()).save_pretrained(folder)
            case.processor().save_pretrained(folder)
        spec = dataclasses.replace(find_spec(f"hf:{folder}", case.modality), precision=precision)
        job = FeatureJob(
            self.corpora[case.modality], spec, self.root, levels=("utterance",), device=self.device, trusted=()
        )
        _ = job.encoder
        return job

    def run(self, jobs: Sequence[FeatureJob]) -> None:
        """Extracts with jobs that are ready, and leaves them ready."""
        encoders = [job.encoder for job in jobs]
        specs = [job.spec for job in jobs]
        corpus = self.corpora[specs[0].modality]
        faces = cache_path(self.root, corpus.name, "faces", "mtcnn")
        run_jobs(jobs, source_of(specs, corpus.root, faces), corpus, self.options)
        for job, encoder in zip(jobs, encoders, strict=True):
            job.__dict__["encoder"] = encoder
            with Cache(job.targets[0].path) as cache:
                assert set(cache.status) == {"ok"}

    def calls(self, job: FeatureJob) -> list[tuple[tuple, dict]]:
        """Returns what our batches give the network."""
        calls: list[tuple[tuple, dict]] = []
        hook = job.encoder.network.register_forward_pre_hook(
            lambda _, args, kwargs: calls.append((args, kwargs)), with_kwargs=True
        )
        self.run([job])
        hook.remove()
        return calls

    @staticmethod
    def floor(job: FeatureJob, calls: list[tuple[tuple, dict]]) -> None:
        """Runs the bare network on ready tensors."""
        with torch.inference_mode():
            for args, kwargs in calls:
                job.encoder.network(*args, **kwargs)

    def plain(self, name: str, case: Case) -> Callable[[], None]:
        """Returns the plain loop of a case, ready to run."""
        folder, out = self.root / "models" / name, self.root / "plain" / name
        out.mkdir(parents=True, exist_ok=True)
        network = case.network.from_pretrained(folder).eval().to(self.device)
        processor = _tokenizer() if case.modality == "text" else case.processor.from_pretrained(folder)

        def loop() -> None:
            with torch.inference_mode():
                case.plain(self.corpora[case.modality], processor, network, out)

        return loop

    def compare(self, name: str, case: Case) -> list[Row]:
        """Returns a row in float32 and one in bfloat16."""
        exact, short = self.job(name, case), self.job(name, case, "bfloat16")
        calls, short_calls = self.calls(exact), self.calls(short)
        works = {
            "floor": lambda: self.floor(exact, calls),
            "ours": lambda: self.run([exact]),
            "floor16": lambda: self.floor(short, short_calls),
            "ours16": lambda: self.run([short]),
            "plain": self.plain(name, case),
        }
        taken = self._timed(works)
        return [
            _row(name, taken["floor"], taken["ours"], taken["plain"]),
            _row(f"{name}, bfloat16", taken["floor16"], taken["ours16"], taken["plain"]),
        ]

    def together(self, cases: dict[str, Case]) -> Row:
        """Returns a row for several encoders in one run beside the sum of their floors."""
        jobs = [self.job(name, case) for name, case in cases.items()]
        works = {f"floor{n}": self._floor(job) for n, job in enumerate(jobs)}
        taken = self._timed(works | {"ours": lambda: self.run(jobs)})
        floors = sum(taken[f"floor{n}"] for n in range(len(jobs)))
        return _row(" + ".join(cases), floors, taken["ours"], float("nan"))

    def _floor(self, job: FeatureJob) -> Callable[[], None]:
        calls = self.calls(job)
        return lambda: self.floor(job, calls)

    def _timed(self, works: dict[str, Callable[[], None]]) -> dict[str, float]:
        rounds = [{name: seconds(work) for name, work in works.items()} for _ in range(self.rounds)]
        return {name: float(np.median([taken[name] for taken in rounds])) for name in works}


def _row(work: str, floor: float, ours: float, plain: float) -> Row:
    return {
        "work": work, "floor_s": floor, "ours_s": ours, "plain_s": plain,
        "ours/floor": ours / floor, "ours/plain": ours / plain,
    }  # fmt: skip


def _shown(rows: list[Row]) -> list[Row]:
    """Prints rows as they come, since a whole run takes a while."""
    cells = [[value if isinstance(value, str) else f"{value:.3f}" for value in row.values()] for row in rows]
    for line in aligned([list(rows[0]), *[[cell.replace("nan", "-") for cell in row] for row in cells]]):
        say(line)
    return rows


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Few clips, once: about a minute on two cores.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda ...")] = "cpu",
    only: Annotated[str, typer.Option(metavar="WORD", help="Only networks with this word in their name.")] = "",
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the rows here.")] = None,
) -> None:
    """Measure encoders on made-up clips and print ratios."""
    tr.logging.set_verbosity_error()
    tr.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        bench = Bench(root, make_corpora(root, quick=quick), resolve_device(device), rounds=1 if quick else 3)
        rows: list[Row] = []
        for title, case in CASES.items():
            if only in title:
                rows += _shown(bench.compare(title, case))
        if only in "three images":
            rows += _shown([bench.together({"vit-base-16": CASES["vit-base-16"], **MORE_IMAGES})])
        shutil.rmtree(root / "models")
    if json_file is not None:
        json_file.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    typer.run(main)
