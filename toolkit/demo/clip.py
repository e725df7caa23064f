"""One planned clip, drawn, spoken and written."""

import os
from pathlib import Path

import numpy as np

from toolkit.babble import make_babble
from toolkit.blur import blur
from toolkit.demo.delivery import deliver
from toolkit.demo.expressions import express, habit
from toolkit.demo.face import FRAME_RATE, Talk, draw_face, draw_nobody
from toolkit.demo.plan import DIFFICULTY, ClipPlan
from toolkit.demo.speakers import SPEAKERS
from toolkit.demo.syllables import syllables
from toolkit.demo.voice import RATE, STEP, Speech, speak
from toolkit.media import Sound, write_video
from toolkit.mixing import mix_at_snr
from toolkit.whole_file import whole_file

_QUALITY = 23  # constant rate factor of x264


def render_clip(plan: ClipPlan, path: Path) -> None:
    """Makes one clip; the file appears whole or not at all.

    Args:
        plan: what to make
        path: MP4 file to write
    """
    generators = [np.random.default_rng([*plan.seed, part]) for part in range(3)]
    speech = _say(plan, generators[0])
    frames = _draw(plan, speech, generators[1])
    sound = Sound(speech.samples, RATE)
    if plan.snr is not None:
        frames, sound = _corrupt(plan, frames, sound, generators[2])
    if plan.hostile == "silent":
        sound = Sound(np.zeros_like(sound.samples), RATE)
    if plan.hostile == "truncated":
        _write_truncated(path, frames, sound)
        return
    write_video(path, frames, frame_rate=FRAME_RATE, sound=None if plan.hostile == "no_sound" else sound,
                quality=_QUALITY)  # fmt: skip


def _say(plan: ClipPlan, generator: np.random.Generator) -> Speech:
    """Returns the sentence as spoken, padded with silence to a whole number of frames."""
    way = deliver(plan.voice.emotion, plan.voice.strength, generator, noise=DIFFICULTY["voice"].noise)
    sounds = syllables(plan.sentence.chinese)[: plan.syllables]
    speech = speak(sounds, SPEAKERS[plan.speaker].voice, way, generator)
    frames = int(np.ceil(len(speech.samples) * FRAME_RATE / RATE))
    missing = int(np.ceil(frames * RATE / FRAME_RATE)) - len(speech.samples)
    return speech._replace(samples=np.pad(speech.samples, (0, missing)))


def _draw(plan: ClipPlan, speech: Speech, generator: np.random.Generator) -> list[np.ndarray]:
    count = int(len(speech.samples) * FRAME_RATE / RATE)
    if plan.hostile == "no_face":
        return list(draw_nobody(count, generator))
    steps = np.clip(((np.arange(count) + 0.5) * RATE / FRAME_RATE / STEP).astype(int), 0, len(speech.opening) - 1)
    talk = Talk(speech.opening[steps], speech.rounding[steps])
    face = express(plan.face.emotion, plan.face.strength, generator, noise=DIFFICULTY["face"].noise)
    return list(draw_face(SPEAKERS[plan.speaker].look, face, habit(plan.speaker), talk, generator))


def _corrupt(
    plan: ClipPlan, frames: list[np.ndarray], sound: Sound, generator: np.random.Generator
) -> tuple[list[np.ndarray], Sound]:
    """Returns the clip as the noise track has it: babble at ``plan.snr`` dB, pictures blurred by ``plan.blur``."""
    noise = make_babble(len(sound.samples), RATE, generator)
    return [blur(frame, plan.blur) for frame in frames], Sound(mix_at_snr(sound.samples, noise, plan.snr), RATE)


def _write_truncated(path: Path, frames: list[np.ndarray], sound: Sound) -> None:
    with whole_file(path) as target:
        write_video(target, frames, frame_rate=FRAME_RATE, sound=sound, quality=_QUALITY)
        os.truncate(target, target.stat().st_size * 3 // 5)
