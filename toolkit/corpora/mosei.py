"""CMU-MOSEI (Zadeh et al., ACL 2018): opinions of a thousand speakers, rated from -3 to 3."""

from functools import partial
from pathlib import Path

from toolkit.corpora.published import published
from toolkit.corpora.sentiment import read_raw, sentiment_corpus, usual_sources
from toolkit.corpus import Corpus

SIZES = {"train": 16326, "val": 1871, "test": 4659}
VALENCE = (-3.0, 3.0)
RAW = "CMUMOSEI_features_raw_2way.pkl"


@published("mosei", SIZES)
def read(path: Path) -> Corpus:
    """Returns CMU-MOSEI from a folder with any of three label files; columns ``video_id`` and ``utterance_no``.

    They are ``label.npz`` (MERTools, its words in ``transcription-engchi-polish.csv``), ``label.csv`` (MMSA, with
    ``Raw/<video>/<clip>.mp4``), and the pickle `RAW`.

    Raises:
        UserError: no labels, a split of another size, or a wrong row
    """
    sources = usual_sources("english", VALENCE) | {RAW: partial(read_raw, place=RAW, valence=VALENCE)}
    return sentiment_corpus("mosei", "CMU-MOSEI", path, VALENCE, sources)
