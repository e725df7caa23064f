"""What each emotion does to a face, and how it varies from clip to clip."""

import numpy as np

from toolkit.demo.features import Expression

# Prototypes after the action units that Ekman and Friesen (1978) and EMFACS list for each emotion.
PROTOTYPES: dict[str, Expression] = {
    "neutral": Expression(),
    "angry": Expression(
        inner_brow=-1.0, outer_brow=0.15, frown=1.0, lids=0.2, squint=0.5, smile=-0.45, jaw=0.08, press=0.3,
        snarl=0.6, blush=1.0,
    ),
    "happy": Expression(outer_brow=0.15, lids=-0.05, squint=0.6, smile=1.0, stretch=0.3, jaw=0.22, blush=0.3),
    "sad": Expression(
        inner_brow=0.8, outer_brow=-0.5, frown=0.4, lids=-0.55, smile=-0.9, press=0.2, gaze=0.8,
    ),
    "worried": Expression(
        inner_brow=0.75, outer_brow=0.1, frown=1.0, lids=0.35, smile=-0.35, stretch=0.7, jaw=0.1,
    ),
    "surprise": Expression(inner_brow=0.85, outer_brow=1.0, lids=0.95, stretch=-0.4, jaw=0.75),
}  # fmt: skip
# Standard deviations of what a face does besides: muscles move of themselves, and each speaker rests differently.
RESTLESSNESS = Expression(
    inner_brow=0.20, outer_brow=0.20, frown=0.14, lids=0.12, squint=0.12, smile=0.20, stretch=0.15, jaw=0.04,
    press=0.10, snarl=0.06, gaze=0.20, blush=0.15,
)  # fmt: skip
_LOW = Expression(-1.3, -1, -0.2, -1, 0, -1.3, -1, 0, 0, 0, -0.4, 0)
_HIGH = Expression(1.3, 1.3, 1.3, 1.1, 1, 1.3, 1, 0.9, 1, 1, 1, 1.2)


def express(emotion: str, strength: float, generator: np.random.Generator, *, noise: float = 1.0) -> Expression:
    """Returns a face that shows an emotion.

    Args:
        emotion: one of `PROTOTYPES`
        strength: 0 for a face at rest to 1 for the prototype
        generator: draws what the face does besides
        noise: factor on `RESTLESSNESS`
    """
    drawn = generator.normal(0, noise, len(RESTLESSNESS)) * np.array(RESTLESSNESS)
    return Expression(*np.clip(np.array(PROTOTYPES[emotion]) * strength + drawn, _LOW, _HIGH).tolist())


def habit(number: int) -> Expression:
    """Returns how a speaker's face rests, always the same for a speaker's number."""
    drawn = np.random.default_rng([7_431, number]).normal(0, 0.6, len(RESTLESSNESS))
    return Expression(*(drawn * np.array(RESTLESSNESS)).tolist())


def add(one: Expression, other: Expression) -> Expression:
    """Returns the sum of two expressions, within what a face can do."""
    return Expression(*np.clip(np.add(one, other), _LOW, _HIGH).tolist())


def fade(face: Expression, share: float) -> Expression:
    """Returns a share of an expression."""
    return Expression(*(share * value for value in face))
