"""CMU-MOSI in the form that bc-LSTM (Poria et al., ACL 2017) trained on: two classes, three features per utterance."""

from pathlib import Path

import numpy as np
import pandas as pd

from toolkit import damage
from toolkit.corpora.published import published
from toolkit.corpus import Corpus, corpus_from_table
from toolkit.errors import UserError

FILE = "mosi_utterances.npz"
EMOTIONS = ("negative", "positive")
SIZES = {"train": 1447, "test": 752}
COLUMNS = ("split", "video_id", "utterance_no", "sentence", "label")


@published("mosi-utterances", SIZES)
def read(path: Path) -> Corpus:
    """Returns the utterances of ``mosi_utterances.npz``, or of the folder it lies in.

    Clips are called ``<video_id>_<utterance_no>``, the two being columns too. There is no validation set: folds are
    made of whole videos, which ``group`` says.

    Raises:
        UserError: the file cannot be read, or holds something else
    """
    file = path / FILE if path.is_dir() else path
    try:
        with np.load(file, allow_pickle=False) as archive:
            table = pd.DataFrame({column: archive[column] for column in COLUMNS})
    except FileNotFoundError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}). Expected {FILE}, or its folder.") from None
    except damage.NPZ as error:
        expected = f"Expected an npz file with {', '.join(COLUMNS)}, each of one value per utterance"
        raise UserError(f"{file} holds something else ({' '.join(str(error).split())}). {expected}.") from None
    strangers = table.index[~table["label"].isin(range(len(EMOTIONS)))]
    if len(strangers):
        found = table["label"][strangers[0]]
        raise UserError(f"{file}: utterance {strangers[0]} has the label {found}. Expected 0 negative, 1 positive.")
    table["text"] = table.pop("sentence").replace("", float("nan"))
    table["name"] = table["video_id"] + "_" + table["utterance_no"].astype(str)
    table["emotion"] = [EMOTIONS[label] for label in table.pop("label")]
    return corpus_from_table("mosi-utterances", file.parent, table, emotions=EMOTIONS, group="video_id")
