"""CH-SIMS v2 (arXiv 2209.02604), its supervised part: Chinese films and shows, rated from -1 to 1."""

from pathlib import Path

from toolkit.corpora.published import published
from toolkit.corpora.sentiment import sentiment_corpus, usual_sources
from toolkit.corpus import Corpus

SIZES = {"train": 2722, "val": 647, "test": 1034}
VALENCE = (-1.0, 1.0)


@published("simsv2", SIZES)
def read(path: Path) -> Corpus:
    """Returns CH-SIMS v2 from a folder with one of two label files; columns ``video_id`` and ``utterance_no``.

    They are ``label.npz`` (MERTools, its words in ``transcription-engchi-polish.csv``) and ``meta.csv`` (the release,
    with ``Raw/<video>/<clip>.mp4``).

    Raises:
        UserError: no labels, a split of another size, or a wrong row
    """
    return sentiment_corpus("simsv2", "CH-SIMS v2", path, VALENCE, usual_sources("chinese", VALENCE, table="meta.csv"))
