"""Emotion vocabularies, the valence range of the challenges, and the marks that mean "no label"."""

import pandas as pd

# Order = label id, MER2023 to MER2026 (MERTools, toolkit/globals.py).
MER_EMOTIONS = ("neutral", "angry", "happy", "sad", "worried", "surprise")
# MER2023 paper (arXiv 2304.08981), section 3.1: mean of annotators' ratings from -5 to 5.
MER_VALENCE = (-5.0, 5.0)
# What the published MER label files hold where no valence was annotated.
NO_VALENCE = -10.0

# Classes of other corpora that a corpus of one's own may use without declaring them (MELD, IEMOCAP, EmoDB, RAVDESS).
OTHER_EMOTIONS = (
    "amused", "anxious", "bored", "calm", "confused", "contempt", "disappointed", "disgust", "embarrassed", "excited",
    "fear", "frustrated", "guilty", "lonely", "love", "pain", "peaceful", "proud", "relaxed", "relieved", "satisfied",
    "shame", "tired",
)  # fmt: skip

# Other spellings of a class: nouns for adjectives (and the reverse) and the three letters of IEMOCAP and CREMA-D.
# A near meaning is no spelling: anxious stays apart from worried. MELD's joy is what other corpora call happy.
ALIASES = {
    "neutral": ("neu", "neutrality"),
    "angry": ("ang", "anger", "mad"),
    "happy": ("hap", "happiness", "joy", "joyful"),
    "sad": ("sadness",),
    "worried": ("worry", "worries", "worrying"),
    "surprise": ("sur", "surprised", "surprising"),
    "anxious": ("anxiety",),
    "bored": ("boredom",),
    "calm": ("calmness",),
    "contempt": ("contemptuous",),
    "disgust": ("dis", "disgusted"),
    "excited": ("exc", "excitement"),
    "fear": ("fea", "fearful", "afraid", "scared"),
    "frustrated": ("fru", "frustration"),
}
_CANONICAL = {alias: emotion for emotion, aliases in ALIASES.items() for alias in aliases}

# Words people write where a label is missing; blanks count too.
MISSING_MARKS = frozenset({"", "-", "?", "n/a", "na", "nan", "none", "null", "unknown", "unlabeled", "unlabelled"})


def is_missing(cell: object) -> bool:
    """Returns whether a cell of a label file says that there is no label.

    Examples:
        >>> is_missing(" NaN "), is_missing("neutral")
        (True, False)
    """
    return bool(pd.isna(cell)) or str(cell).strip().lower() in MISSING_MARKS


def normalise_emotion(word: str) -> str:
    """Returns an emotion word in the spelling of the vocabularies above; unknown words only lose case and blanks.

    Examples:
        >>> normalise_emotion(" Anger "), normalise_emotion("surprised"), normalise_emotion("grumpy")
        ('angry', 'surprise', 'grumpy')
    """
    word = " ".join(word.lower().split())
    return _CANONICAL.get(word, word)


def class_order(emotions: set[str]) -> tuple[str, ...]:
    """Returns classes in label order: those of the challenges in their order, then all others by the alphabet.

    Examples:
        >>> class_order({"sad", "fear", "angry", "bored"})
        ('angry', 'sad', 'bored', 'fear')
    """
    return tuple(e for e in MER_EMOTIONS if e in emotions) + tuple(sorted(emotions - set(MER_EMOTIONS)))
