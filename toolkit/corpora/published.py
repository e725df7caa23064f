"""Readers that know how many clips their corpus was published with."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from toolkit.corpora.mer_release import check_sizes
from toolkit.corpus import Corpus, Reader, readers


def published(name: str, sizes: Mapping[str, int]) -> Callable[[Reader], Reader]:
    """Returns a decorator that files a reader twice: under ``name``, and as ``<name>-partial`` for incomplete copies.

    The first refuses a copy whose splits have other sizes; the corpus of the second has ``-partial`` in its name too,
    so that caches of the two are kept apart.

    Args:
        name: what the reader is called on a command line
        sizes: published number of clips of each split
    """

    def file(read: Reader) -> Reader:
        @readers.add(name)
        def read_whole(path: Path) -> Corpus:
            corpus = read(path)
            got = corpus.table["split"].value_counts().to_dict()
            check_sizes(path, got, sizes, partial=f"{name}-partial")
            return corpus

        @readers.add(f"{name}-partial")
        def read_partial(path: Path) -> Corpus:
            corpus = read(path)
            check_sizes(path, {"all": len(corpus)}, {}, partial="")
            return replace(corpus, name=f"{corpus.name}-partial")

        return read

    return file
