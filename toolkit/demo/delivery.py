"""How an emotion is spoken: pitch, range, tempo, energy, tilt and what else a voice does."""

from typing import NamedTuple

import numpy as np


class Delivery(NamedTuple):
    """A way of speaking; all 0 is the speaker at rest.

    Attributes:
        pitch: semitones above the speaker's median
        range: change of the pitch range, as a power of two
        tempo: change of the syllable rate, as a power of two
        energy: dB above the speaker's usual loudness
        tilt: change of the source's bandwidth, as a power of two; brighter when positive
        breath: aspiration noise added, 0 to 1
        roughness: jitter added, as a relative standard deviation of a period
        tremor: depth in semitones of a trembling of about 6 Hz
        rise: semitones by which the sentence ends higher than it would
    """

    pitch: float = 0.0
    range: float = 0.0
    tempo: float = 0.0
    energy: float = 0.0
    tilt: float = 0.0
    breath: float = 0.0
    roughness: float = 0.0
    tremor: float = 0.0
    rise: float = 0.0


# Directions after the reviews of Murray and Arnott (1993) and Juslin and Laukka (2003).
PROTOTYPES: dict[str, Delivery] = {
    "neutral": Delivery(),
    "angry": Delivery(pitch=3.0, range=0.6, tempo=0.28, energy=8.0, tilt=1.1, roughness=0.022, rise=-3.0),
    "happy": Delivery(pitch=5.5, range=0.95, tempo=0.15, energy=3.5, tilt=0.5, rise=1.0),
    "sad": Delivery(pitch=-2.5, range=-1.1, tempo=-0.5, energy=-6.5, tilt=-1.1, breath=0.2, rise=-1.5),
    "worried": Delivery(
        pitch=3.0, range=-0.6, tempo=0.22, energy=-3.5, tilt=-0.5, breath=0.22, roughness=0.012, tremor=1.4, rise=1.5
    ),
    "surprise": Delivery(pitch=7.0, range=1.0, tempo=-0.2, energy=2.5, tilt=0.3, breath=0.03, rise=8.0),
}
# Standard deviations of what a voice does besides.
RESTLESSNESS = Delivery(
    pitch=1.0, range=0.25, tempo=0.10, energy=1.5, tilt=0.25, breath=0.03, roughness=0.003, tremor=0.15, rise=1.2
)


def deliver(emotion: str, strength: float, generator: np.random.Generator, *, noise: float = 1.0) -> Delivery:
    """Returns a way of speaking that shows an emotion.

    Args:
        emotion: one of `PROTOTYPES`
        strength: 0 for a voice at rest to 1 for the prototype
        generator: draws what the voice does besides
        noise: factor on `RESTLESSNESS`
    """
    drawn = generator.normal(0, noise, len(RESTLESSNESS)) * np.array(RESTLESSNESS)
    way = Delivery(*(np.array(PROTOTYPES[emotion]) * strength + drawn).tolist())
    return way._replace(breath=max(way.breath, 0.0), roughness=max(way.roughness, 0.0), tremor=max(way.tremor, 0.0))
