"""CMU-MOSI (arXiv 1606.06259): opinions on films, rated from -3 to 3."""

from functools import partial
from pathlib import Path

from toolkit.corpora.published import published
from toolkit.corpora.sentiment import read_raw, sentiment_corpus, usual_sources
from toolkit.corpus import Corpus

SIZES = {"train": 1284, "val": 229, "test": 686}
VALENCE = (-3.0, 3.0)
RAW = "CMUMOSI_features_raw_2way.pkl"


@published("mosi", SIZES)
def read(path: Path) -> Corpus:
    """Returns CMU-MOSI from a folder with any of three label files; columns ``video_id`` and ``utterance_no``.

    They are ``label.npz`` (MERTools, its words in ``transcription-engchi-polish.csv``), ``label.csv`` (MMSA, with
    ``Raw/<video>/<clip>.mp4``), and the pickle `RAW`.

    Raises:
        UserError: no labels, a split of another size, or a wrong row
    """
    sources = usual_sources("english", VALENCE) | {RAW: partial(read_raw, place=RAW, valence=VALENCE)}
    return sentiment_corpus("mosi", "CMU-MOSI", path, VALENCE, sources)
