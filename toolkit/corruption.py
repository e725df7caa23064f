"""A corrupted copy of a corpus: noise at an exact strength in the sound, blur in the picture, all from a seed.

The method is that of the MER-NOISE track (MER2023 and MER2024; mer_challenges.md, section 2.1), with two differences:
every draw comes from a seed and is written down, and odd picture sizes stay what they are.
"""

import logging
import multiprocessing
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from toolkit.blur import blur
from toolkit.corpus import Corpus
from toolkit.corruption_clip import SAMPLE_RATE, ClipSource, Corruption, corrupt_clip
from toolkit.errors import UserError
from toolkit.manifest import Manifest
from toolkit.mixing import measure_snr, mix_at_snr
from toolkit.noise import open_noises
from toolkit.whole_file import whole_file

__all__ = ["SAMPLE_RATE", "Corruption", "blur", "corrupt_corpus", "measure_snr", "mix_at_snr"]

logger = logging.getLogger(__name__)

MANIFEST_COLUMNS = ("name", "video", "audio", "snr", "blur", "noise", "seed", "status", "reason", "recipe")


def corrupt_corpus(
    corpus: Corpus,
    out: Path,
    *,
    snr: tuple[float, float],
    noises: Path | None = None,
    blurs: Sequence[int] = (1, 2, 4),
    seed: int,
    splits: Sequence[str] | None = None,
    workers: int = 1,
) -> Path:
    """Writes a corrupted copy of a corpus that the ``folder`` reader reads.

    ``out`` gets the clips in ``media/``, ``corpus.csv`` with all columns of the corpus and ``snr`` (dB), ``blur``
    (factor), ``noise`` (where it came from) and ``source`` (the clean clip's name, which the copy has too),
    ``corpus.yaml`` with the class names, and ``manifest.csv`` with what became of each clip. The corrupted corpus is
    called after the folder. Run again, only what is missing or would differ is made.

    Args:
        corpus: the clean corpus
        out: folder to write to
        snr: lowest and highest signal-to-noise ratio in dB; whole numbers in between are drawn uniformly, equal ends
            are taken as they are
        noises: folder of noise recordings, ``None`` for built-in babble
        blurs: blur factors to draw from uniformly
        seed: with a clip's name it decides all that is random about the clip
        splits: only these splits, ``None`` for all
        workers: processes

    Returns:
        path of the new ``corpus.csv``

    Raises:
        UserError: a setting that makes no sense, noise that cannot be used, or a folder that holds something else
    """
    if splits:
        corpus = corpus.select(*splits)
    corruption = Corruption((float(snr[0]), float(snr[1])), tuple(blurs), open_noises(noises), seed)
    _require_own_folder(corpus, out)
    sources = [
        ClipSource(name, corpus.path(video), corpus.path(audio))
        for name, video, audio in corpus.table[["name", "video", "audio"]].itertuples(index=False)
    ]
    manifest = Manifest(out / "manifest.csv", MANIFEST_COLUMNS)
    todo = [source for source in sources if not _is_done(source, manifest.rows.get(source.name), corruption, out)]
    logger.info("%d clips to corrupt, %d are there already", len(todo), len(sources) - len(todo))
    for row in _progress(_run(todo, corruption, out, workers), len(sources), len(sources) - len(todo)):
        manifest.add(row)
    manifest.rewrite([source.name for source in sources])
    _write_corpus(corpus, manifest, out)
    counts = Counter(row["status"] for row in manifest.rows.values())
    logger.info("%s", ", ".join(f"{status} {count}" for status, count in counts.most_common()))
    return out / "corpus.csv"


def _require_own_folder(corpus: Corpus, out: Path) -> None:
    if out.resolve() == corpus.root.resolve():
        raise UserError(f"{out} is the folder of the clean corpus. Give the corrupted copy a folder of its own.")
    if (out / "corpus.csv").exists() and not (out / "manifest.csv").exists():
        raise UserError(f"{out} holds another corpus. Give the corrupted copy a folder of its own.")


def _is_done(source: ClipSource, row: dict[str, str] | None, corruption: Corruption, out: Path) -> bool:
    """Says whether a clip was made before, by the same recipe, from files that have not changed since."""
    if row is None or row["recipe"] != corruption.recipe(source):
        return False
    for path, made in ((source.video, row["video"]), (source.audio, row["audio"])):
        if (path is None) != (not made):
            return False
        if path is None:
            continue
        target = out / made
        if path.is_file() != target.is_file():
            return False
        if path.is_file() and target.stat().st_mtime_ns < path.stat().st_mtime_ns:
            return False
    return True


def _run(todo: list[ClipSource], corruption: Corruption, out: Path, workers: int) -> Iterator[dict[str, str]]:
    """Yields rows as clips get done."""
    if min(workers, len(todo)) <= 1:
        for source in todo:
            yield corrupt_clip(source, corruption, out)
        return
    # A fresh interpreter each: forking a process whose libraries have threads can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(todo)), mp_context=context) as pool:
        futures = [pool.submit(corrupt_clip, source, corruption, out) for source in todo]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _progress(rows: Iterator[dict[str, str]], total: int, done: int) -> Iterator[dict[str, str]]:
    from tqdm import tqdm

    return iter(tqdm(rows, desc="corrupt", total=total, initial=done, unit="clip", disable=None))


def _write_corpus(corpus: Corpus, manifest: Manifest, out: Path) -> None:
    import yaml

    table = corpus.table.copy()
    for column in ("video", "audio", "snr", "blur", "noise"):
        table[column] = [manifest.rows[name][column] for name in table["name"]]
    table["source"] = table["name"]
    with whole_file(out / "corpus.csv") as target:
        table.to_csv(target, index=False)
    facts = {"name": out.resolve().name, "emotions": list(corpus.emotions), "valence": list(corpus.valence)}
    with whole_file(out / "corpus.yaml") as target:
        target.write_text(yaml.safe_dump(facts, allow_unicode=True, sort_keys=False), encoding="utf-8")
