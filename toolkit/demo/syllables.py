"""From characters to sounds: every Chinese character gets one syllable, always the same one.

The sounds are not Mandarin: which of them a character gets is drawn from its code point. What counts is that they are
syllables of speech, as many as the sentence has, and that the same word always sounds the same.
"""

from typing import NamedTuple

# Formants F1 to F5 in Hz of men's voices: F1 to F3 from Peterson and Barney (1952), F4 and F5 after Klatt (1980).
FORMANTS: dict[str, tuple[float, ...]] = {
    "a": (730, 1090, 2440, 3400, 3850),
    "ae": (660, 1720, 2410, 3400, 3850),
    "e": (530, 1840, 2480, 3400, 3850),
    "i": (270, 2290, 3010, 3500, 3900),
    "o": (570, 840, 2410, 3300, 3800),
    "u": (300, 870, 2240, 3300, 3800),
    "er": (490, 1350, 1690, 3300, 3800),
    "m": (270, 1000, 2200, 3300, 3800),
}
OPENING = {"a": 1.0, "ae": 0.85, "e": 0.6, "i": 0.35, "o": 0.7, "u": 0.35, "er": 0.55, "m": 0.0}
ROUNDING = {"a": 0.0, "ae": 0.0, "e": 0.0, "i": 0.0, "o": 0.8, "u": 1.0, "er": 0.3, "m": 0.2}
GLIDES = (("i", "a"), ("u", "a"), ("a", "i"), ("e", "i"), ("a", "u"), ("i", "u"), ("u", "e"))
STEADY = ("a", "ae", "e", "i", "o", "u", "er")
# Noise of the consonants: edges of the band in Hz, seconds it lasts, loudness; a negative loudness is a stop's burst.
NOISES: dict[str, tuple[float, float, float, float]] = {
    "s": (4200, 7400, 0.085, 0.10),
    "sh": (2300, 5200, 0.090, 0.12),
    "f": (1200, 7000, 0.070, 0.035),
    "p": (500, 2200, 0.020, -0.10),
    "t": (2800, 6500, 0.024, -0.14),
    "k": (1400, 3200, 0.030, -0.12),
}
CONSONANTS = ("s", "sh", "f", "p", "t", "k", "m", "m", "", "")
# Pitch in semitones at a syllable's start and end, after the four tones of Mandarin and the neutral one.
TONES = ((1.2, 1.2), (-1.2, 1.5), (-1.6, -1.0), (2.0, -2.0), (0.0, -0.3))
PAUSES = {"，": 0.12, "…": 0.16, "！": 0.06, "？": 0.06, "。": 0.06, ",": 0.12}


class Syllable(NamedTuple):
    """One syllable, or a pause.

    Attributes:
        consonant: one of `NOISES`, ``m`` for a nasal, or nothing
        start: vowel at its start, empty for a pause
        end: vowel at its end
        tone: semitones at its start and end
        pause: seconds of silence instead of sound
    """

    consonant: str
    start: str
    end: str
    tone: tuple[float, float]
    pause: float = 0.0


def syllables(text: str) -> list[Syllable]:
    """Returns the sounds of a sentence: a syllable per character, pauses for punctuation, nothing for blanks."""
    heard = (character for character in text if character in PAUSES or character.isalnum())
    return [_pause(character) if character in PAUSES else _syllable(character) for character in heard]


def _pause(character: str) -> Syllable:
    return Syllable("", "", "", (0.0, 0.0), PAUSES[character])


def _syllable(character: str) -> Syllable:
    code = ord(character) * 2_654_435_761 % 2**32  # Knuth's multiplicative hash spreads neighbours
    consonant = CONSONANTS[code % len(CONSONANTS)]
    code //= 16
    pairs = [*GLIDES, *((vowel, vowel) for vowel in STEADY)]
    start, end = pairs[code % len(pairs)]
    return Syllable(consonant, start, end, TONES[code // 64 % len(TONES)])
