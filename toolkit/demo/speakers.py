"""The demo's twelve speakers: what their heads look like and what their voices sound like."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Colour = tuple[int, int, int]
HairStyle = Literal["short", "side", "bob", "long", "bun", "curly", "bald"]

IVORY: Colour = (250, 219, 196)
BEIGE: Colour = (238, 196, 162)
TAN: Colour = (218, 168, 128)
OLIVE: Colour = (196, 148, 108)
BROWN: Colour = (158, 108, 76)
DARK: Colour = (122, 80, 58)

BLACK_HAIR: Colour = (38, 32, 34)
DARK_HAIR: Colour = (62, 44, 34)
BROWN_HAIR: Colour = (104, 68, 42)
RED_HAIR: Colour = (150, 74, 38)
BLOND_HAIR: Colour = (190, 150, 94)
GREY_HAIR: Colour = (160, 158, 160)


@dataclass(frozen=True, kw_only=True)
class Look:
    """A head; lengths are factors of the average head, colours are RGB.

    Attributes:
        skin: skin in full light
        hair: hair colour
        style: hair cut
        iris: colour of the eyes
        shirt: colour of the shirt
        wall: colour of the wall behind
        width: of the face
        length: of the face
        jaw: 0 pointed to 1 square
        eyes: size of the eyes
        apart: distance between the eyes
        nose: size of the nose
        lips: fullness of the lips
        brows: thickness of the brows
        rouge: how red the lips are, 0 to 1
        beard: strength of the beard's shadow, 0 to 1
        glasses: whether glasses are worn
    """

    skin: Colour
    hair: Colour
    style: HairStyle
    iris: Colour
    shirt: Colour
    wall: Colour
    width: float = 1.0
    length: float = 1.0
    jaw: float = 0.5
    eyes: float = 1.0
    apart: float = 1.0
    nose: float = 1.0
    lips: float = 1.0
    brows: float = 1.0
    rouge: float = 0.3
    beard: float = 0.0
    glasses: bool = False


@dataclass(frozen=True, kw_only=True)
class Voice:
    """A voice at rest.

    Attributes:
        pitch: median fundamental frequency in Hz
        tract: factor on all formants, above one for a shorter vocal tract
        tempo: syllables per second
        breath: share of aspiration noise in the source, 0 to 1
        jitter: relative standard deviation of a period
    """

    pitch: float
    tract: float
    tempo: float
    breath: float
    jitter: float


class Speaker(NamedTuple):
    """One of the demo's people."""

    name: str
    look: Look
    voice: Voice


def _speaker(number: int, look: Look, *voice: float) -> Speaker:
    pitch, tract, tempo, breath, jitter = voice
    return Speaker(
        f"speaker{number:02d}", look, Voice(pitch=pitch, tract=tract, tempo=tempo, breath=breath, jitter=jitter)
    )


_HAZEL, _BLUE, _DARK_EYE, _GREEN = (112, 80, 40), (70, 112, 160), (62, 42, 30), (84, 116, 74)
_SLATE, _SAGE, _SAND, _SKY, _PLUM = (120, 134, 150), (146, 160, 138), (196, 180, 156), (158, 184, 204), (138, 118, 138)

# fmt: off
SPEAKERS: tuple[Speaker, ...] = (
    _speaker(
        1,
        Look(skin=IVORY, hair=BLACK_HAIR, style="bob", iris=_DARK_EYE, shirt=(178, 60, 70), wall=_SKY, jaw=0.3,
             eyes=1.06, lips=1.05, rouge=0.7, brows=0.8),
        212, 1.15, 4.9, 0.10, 0.008,
    ),
    _speaker(
        2,
        Look(skin=BEIGE, hair=DARK_HAIR, style="short", iris=_HAZEL, shirt=(52, 78, 116), wall=_SAND, width=1.05,
             jaw=0.8, brows=1.25, beard=0.35),
        112, 0.97, 4.6, 0.05, 0.010,
    ),
    _speaker(
        3,
        Look(skin=BROWN, hair=BLACK_HAIR, style="curly", iris=_DARK_EYE, shirt=(222, 176, 62), wall=_SLATE,
             lips=1.3, nose=1.1, rouge=0.5),
        196, 1.12, 5.1, 0.08, 0.007,
    ),
    _speaker(
        4,
        Look(skin=TAN, hair=BLACK_HAIR, style="side", iris=_DARK_EYE, shirt=(70, 110, 86), wall=_PLUM, length=1.04,
             jaw=0.6, glasses=True),
        126, 1.00, 5.2, 0.07, 0.009,
    ),
    _speaker(
        5,
        Look(skin=IVORY, hair=RED_HAIR, style="long", iris=_GREEN, shirt=(60, 96, 92), wall=_SAND, width=0.96,
             jaw=0.25, eyes=1.1, rouge=0.6, brows=0.75),
        228, 1.18, 4.7, 0.14, 0.007,
    ),
    _speaker(
        6,
        Look(skin=DARK, hair=BLACK_HAIR, style="short", iris=_DARK_EYE, shirt=(196, 196, 204), wall=_SAGE,
             width=1.02, jaw=0.7, lips=1.25, nose=1.15, beard=0.2),
        98, 0.94, 4.4, 0.05, 0.011,
    ),
    _speaker(
        7,
        Look(skin=BEIGE, hair=GREY_HAIR, style="bun", iris=_BLUE, shirt=(112, 84, 130), wall=_SLATE, width=0.98,
             jaw=0.4, eyes=0.94, lips=0.85, glasses=True),
        182, 1.08, 4.2, 0.18, 0.014,
    ),
    _speaker(
        8,
        Look(skin=OLIVE, hair=DARK_HAIR, style="side", iris=_HAZEL, shirt=(150, 92, 56), wall=_SKY, width=1.03,
             jaw=0.75, brows=1.3, beard=0.5, nose=1.1),
        118, 0.99, 5.0, 0.06, 0.009,
    ),
    _speaker(
        9,
        Look(skin=IVORY, hair=BLOND_HAIR, style="bob", iris=_BLUE, shirt=(92, 124, 168), wall=_SAGE, jaw=0.35,
             eyes=1.08, apart=1.03, brows=0.85, rouge=0.45),
        204, 1.14, 5.3, 0.11, 0.007,
    ),
    _speaker(
        10,
        Look(skin=BEIGE, hair=GREY_HAIR, style="bald", iris=_GREEN, shirt=(84, 88, 98), wall=_PLUM, width=1.04,
             length=1.03, jaw=0.65, eyes=0.95, lips=0.8, nose=1.12),
        104, 0.95, 4.1, 0.10, 0.015,
    ),
    _speaker(
        11,
        Look(skin=TAN, hair=BROWN_HAIR, style="long", iris=_HAZEL, shirt=(190, 110, 120), wall=_SLATE, width=0.98,
             jaw=0.3, lips=1.15, rouge=0.8),
        188, 1.10, 4.8, 0.12, 0.008,
    ),
    _speaker(
        12,
        Look(skin=BROWN, hair=BLACK_HAIR, style="bun", iris=_DARK_EYE, shirt=(64, 132, 140), wall=_SAND,
             width=0.97, eyes=1.05, lips=1.2, rouge=0.6, brows=0.9),
        220, 1.16, 5.0, 0.09, 0.006,
    ),
)
# fmt: on
