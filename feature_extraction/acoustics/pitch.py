"""The fundamental frequency of a voice, by autocorrelation and the cheapest path through its candidates."""

from typing import NamedTuple

import numpy as np

from feature_extraction.acoustics.frames import cut_blocks, cut_frames

LOWEST, HIGHEST = 60.0, 600.0  # Hz
WINDOW = 3 / LOWEST  # seconds; three periods of the lowest pitch

# Boersma (1993), "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
# sampled sound", Proceedings of the Institute of Phonetic Sciences 17, with the standard settings of Praat.
CANDIDATES = 6
FINER = 2  # points of the autocorrelation per sample, for the height of peaks between samples
SILENCE_THRESHOLD = 0.03
VOICING_THRESHOLD = 0.45
OCTAVE_COST = 0.01
OCTAVE_JUMP_COST = 0.35
VOICING_COST = 0.14


class Pitch(NamedTuple):
    """A pitch contour.

    Attributes:
        frequency: ``(T,)`` Hz, 0 where the sound has no voice
        strength: ``(T,)`` autocorrelation at the best period, 0 to 1
    """

    frequency: np.ndarray
    strength: np.ndarray


def track_pitch(samples: np.ndarray, rate: int) -> Pitch:
    """Returns the pitch of every frame.

    Args:
        samples: ``(S,)``
        rate: samples per second (Hz)
    """
    blocks = [
        _frame_candidates(cut_frames(stretch, rate, WINDOW)[own], rate) for stretch, own in cut_blocks(samples, rate)
    ]
    frequencies, strengths, peak = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    loudness = peak / max(float(peak.max(initial=0.0)), 1e-9)
    threshold = SILENCE_THRESHOLD / (1 + VOICING_THRESHOLD)
    unvoiced = VOICING_THRESHOLD + np.maximum(0, 2 - loudness / threshold)
    # The octave cost favours the shortest of several equal periods.
    voiced = np.where(frequencies > 0, strengths + OCTAVE_COST * np.log2(np.maximum(frequencies, 1) / LOWEST), -1.0)
    scores = np.concatenate([unvoiced[:, None], voiced], axis=1)
    frequencies = np.concatenate([np.zeros((len(scores), 1)), frequencies], axis=1)
    path = _best_path(scores, frequencies)
    best = strengths.max(axis=1, initial=0.0).clip(0, 1)
    return Pitch(frequencies[np.arange(len(path)), path], best)


def _frame_candidates(frames: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns frequency and height of the candidates ``(T, CANDIDATES)`` and the largest sample ``(T,)`` of frames."""
    frames = frames.astype(np.float64)
    frames -= frames.mean(axis=1, keepdims=True)
    frequencies, strengths = _candidates(_autocorrelation(frames, rate), FINER * rate)
    return frequencies, strengths, np.abs(frames).max(axis=1)


def _autocorrelation(frames: np.ndarray, rate: int) -> np.ndarray:
    """Returns the autocorrelation ``(T, L)`` of windowed frames divided by the window's own, 1 at lag zero.

    Lags are ``FINER`` per sample: a spectrum with zeros behind it has an inverse with points between.
    """
    width = frames.shape[1]
    window = np.hanning(width + 2)[1:-1]
    lags = FINER * (int(rate / LOWEST) + 2)
    size = 1 << (width + lags // FINER).bit_length()
    of_frames = np.fft.irfft(np.abs(np.fft.rfft(frames * window, size)) ** 2, FINER * size)[:, :lags]
    of_window = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2, FINER * size)[:lags]
    return of_frames / np.maximum(of_frames[:, :1], 1e-12) / (of_window / of_window[0])


def _candidates(correlation: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns frequency and height ``(T, CANDIDATES)`` of the highest peaks, 0 where there are fewer."""
    first = int(rate / HIGHEST)
    before, here, after = correlation[:, first - 1 : -2], correlation[:, first:-1], correlation[:, first + 1 :]
    is_peak = (here > before) & (here >= after) & (here > 0)
    order = np.argsort(np.where(is_peak, -here, 0), axis=1, kind="stable")[:, :CANDIDATES]
    before, here, after, is_peak = (np.take_along_axis(a, order, axis=1) for a in (before, here, after, is_peak))
    # A parabola through three points puts the peak between samples.
    bend = np.where(is_peak, before - 2 * here + after, -1.0)
    shift = np.where(is_peak, 0.5 * (before - after) / bend, 0.0)
    height = here - 0.25 * (before - after) * shift
    return np.where(is_peak, rate / (order + first + shift), 0.0), np.where(is_peak, height, 0.0)


def _best_path(scores: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Returns the candidate of each frame ``(T,)`` on the path of highest score less the cost of its jumps."""
    count = len(scores)
    octaves = np.log2(np.maximum(frequencies, 1.0))
    voiced = frequencies > 0
    back = np.zeros(scores.shape, np.int8)
    total = scores[0] if count else scores
    for index in range(1, count):
        jumps = OCTAVE_JUMP_COST * np.abs(octaves[index - 1, :, None] - octaves[index])
        both = voiced[index - 1, :, None] & voiced[index]
        costs = np.where(both, jumps, VOICING_COST * (voiced[index - 1, :, None] != voiced[index]))
        reached = total[:, None] - costs
        back[index] = reached.argmax(axis=0)
        total = reached.max(axis=0) + scores[index]
    path = np.zeros(count, np.int64)
    if count:
        path[-1] = total.argmax()
    for index in range(count - 1, 0, -1):
        path[index - 1] = back[index, path[index]]
    return path
