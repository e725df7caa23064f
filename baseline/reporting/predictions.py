"""The prediction table in the one form that the report's evidence is drawn from."""

from pathlib import Path

import pandas as pd

from toolkit.metrics.open_vocabulary import parse_words

COLUMNS = (
    "name",
    "split",
    "fold",
    "emotion",
    "true_emotion",
    "confidence",
    "valence",
    "true_valence",
    "openset",
    "true_openset",
)
PROBABILITY = "p:"


def read_predictions(path: Path) -> pd.DataFrame:
    """Returns a run's predictions, one row per clip.

    Returns:
        columns `COLUMNS`, NaN where not known, and ``p:LABEL`` for every class; ``confidence`` is the probability of
        the predicted emotion; ``openset`` and ``true_openset`` are lists of words; no rows where there is no file
    """
    if not path.is_file():
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.read_csv(path, dtype={"name": str})
    table = table.rename(
        columns={c: PROBABILITY + c.removeprefix("probability_") for c in table if c.startswith("probability_")}
    )
    for column in COLUMNS:
        if column not in table:
            table[column] = float("nan")
    for column in ("openset", "true_openset"):
        table[column] = table[column].map(parse_words, na_action="ignore").astype(object)
    labels = class_labels(table)
    if labels:
        table["confidence"] = table[[PROBABILITY + label for label in labels]].max(axis=1)
    return table


def class_labels(table: pd.DataFrame) -> list[str]:
    """Returns the classes that a prediction table has probabilities of."""
    return [column.removeprefix(PROBABILITY) for column in table if column.startswith(PROBABILITY)]
