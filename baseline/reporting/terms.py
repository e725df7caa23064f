"""What the report's words mean: tracks, scores and statuses, in one place."""

from typing import NamedTuple


class Score(NamedTuple):
    """A score as a reader meets it.

    Attributes:
        title: name in tables
        meaning: one sentence
        falls: lower is better
    """

    title: str
    meaning: str
    falls: bool = False


class Track(NamedTuple):
    """A track's heading and one sentence about its task."""

    title: str
    task: str


TRACKS = {
    "multi": Track("Emotion and valence", "One of the emotions and a degree of valence for every clip."),
    "noise": Track("Emotion in noise", "The emotion of clips with babble in their sound and blur in their picture."),
    "semi": Track(
        "Emotion with few labels", "The emotion of every clip, learnt from few labels and many clips without."
    ),
    "ov": Track("Emotion in free words", "Any number of words for what a person shows, from an open vocabulary."),
}

SCORES = {
    "weighted_f1": Score("Weighted F1", "F1 of every class, averaged with the class sizes as weights"),
    "accuracy": Score("Accuracy", "share of clips with the right class"),
    "unweighted_recall": Score("Unweighted recall", "recall of every class, averaged with equal weights"),
    "mse": Score("Valence MSE", "mean squared error of valence", falls=True),
    "concordance": Score("Valence CCC", "concordance correlation of valence"),
    "set_accuracy": Score("Set accuracy", "share of the predicted words that are true, averaged over clips"),
    "set_recall": Score("Set recall", "share of the true words that are predicted, averaged over clips"),
    "set_score": Score("Set score", "mean of set accuracy and set recall"),
    "wheel_level1": Score("Wheel F1, inner ring", "the same with the sectors of the innermost ring"),
    "wheel_level2": Score("Wheel F1, second ring", "the same with the sectors of the second ring"),
    "wheel_f1": Score("Wheel F1", "F1 after words of one sector of an emotion wheel count as one"),
}


def score_of(key: str, score_name: str) -> Score:
    """Returns how to speak of a score; ``score`` is the track's own.

    Args:
        key: as in ``metrics.json``
        score_name: the track's own name of its score
    """
    if key == "score":
        title = score_name[:1].upper() + score_name[1:]
        return Score(title.replace(" - ", " − "), meaning_of_own(score_name))
    return SCORES.get(key, Score(key.replace("_", " ").capitalize(), ""))


def meaning_of_own(score_name: str) -> str:
    """Returns one sentence on how to read a track's own score."""
    name = score_name.lower()
    if "mse" in name:
        return "weighted F1 of the emotions minus a quarter of the mean squared error of valence; 1 is perfect"
    if "set" in name or "recall" in name:
        return "mean of the share of predicted words that are true and of true words that are predicted; 1 is perfect"
    if "wheel" in name:
        return "F1 after words of one sector of an emotion wheel count as one; 1 is perfect"
    if "f1" in name or "waf" in name:
        return "F1 of every class, averaged with the class sizes as weights; 1 is perfect"
    return "the track's own score; higher is better"


def plain(name: str) -> str:
    """Returns a key as words: ``test_multi`` becomes ``test multi``."""
    return name.replace("_", " ")
