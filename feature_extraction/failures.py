"""The account of a corpus: how many clips of each cache have which status, and every failed clip by name."""

import csv
import logging
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from feature_extraction.lock import locked
from toolkit.cache import Cache
from toolkit.console import aligned
from toolkit.errors import UserError
from toolkit.media_write import whole_file
from toolkit.status import Status

logger = logging.getLogger(__name__)

COLUMNS = ("modality", "encoder", "name", "status", "reason")


def write_failures(folder: Path) -> Path:
    """Writes ``failures.csv`` with every failed clip of every cache of one corpus.

    Args:
        folder: the corpus' folder of caches

    A cache that cannot be read is left out, and a warning names it.

    Returns:
        the file, with a header alone where nothing failed
    """
    path = folder / "failures.csv"
    # Two runs at once must not write what each of them saw before the other had finished.
    with locked(path, wait=True), whole_file(path) as target, target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for cache_file in sorted(folder.glob("*/*.h5")):
            encoder = cache_file.name.removesuffix(".h5")
            try:
                with Cache(cache_file) as cache:
                    clips = list(zip(cache.names, cache.status, cache.reason, strict=True))
            except UserError as error:  # a damaged cache of another encoder spoils no extraction
                logger.warning("%s is without this cache: %s", path, error)
                continue
            for name, status, reason in clips:
                if status != Status.OK:
                    writer.writerow((cache_file.parent.name, encoder, name, status, reason))
    return path


def summary_lines(caches: Iterable[Path]) -> list[str]:
    """Returns a table of statuses, one line per cache."""
    rows = [("corpus", "encoder", "clips", "ok", "failed")]
    for path in caches:
        with Cache(path) as cache:
            counts = Counter(cache.status)
        ok = counts.pop(Status.OK, 0)
        failed = ", ".join(f"{n} {status}" for status, n in sorted(counts.items())) or "none"
        encoder = f"{path.parent.name}/{path.name.removesuffix('.h5')}"
        rows.append((cache.corpus, encoder, str(len(cache)), str(ok), failed))
    return aligned(rows)


def count_failed(caches: Iterable[Path]) -> int:
    """Returns how many clips failed under at least one of the encoders."""
    failed = set()
    for path in caches:
        cache = Cache(path)
        failed |= {(cache.corpus, name) for name, s in zip(cache.names, cache.status, strict=True) if s != Status.OK}
        cache.close()
    return len(failed)
