"""Kaldi's filter banks: what HiCMAE hears."""

from functools import lru_cache

import numpy as np

from toolkit.mel import mel_bands

RATE = 16000  # samples per second (Hz)
WINDOW, HOP = 400, 160  # samples, 25 and 10 ms
BANDS, LOWEST, HIGHEST = 128, 20.0, 8000.0  # mel bands between two frequencies (Hz)
FRAMES = 256  # of one example, 2.56 s: 16 pictures, 4 apart, at 25 a second

_BLOCK = 32  # windows computed at once: what they need stays in the cache, however long the sound
_TRANSFORM = 512  # samples, the window with zeros behind it
_EMPHASIS = 0.97  # of the sample before, taken off each
_FLOOR = float(np.finfo(np.float32).eps)  # least power whose logarithm is taken
_MEAN, _DEVIATION = -4.2677393, 4.5689974  # of AudioSet (Gong, Chung, Glass 2021, AST), which HiCMAE kept


@lru_cache(maxsize=1)
def _weights() -> np.ndarray:
    return mel_bands(BANDS, LOWEST, HIGHEST, RATE, _TRANSFORM)


def filter_bank(samples: np.ndarray) -> np.ndarray:
    """Returns logarithms of mel-weighted powers, a row per whole window, ``(T, 128)`` float32.

    The numbers of Kaldi's ``compute-fbank-feats`` with ``--htk-compat --use-energy=false --window-type=hanning
    --num-mel-bins=128 --dither=0`` and everything else as it comes: each window loses its mean, then 0.97 of the sample
    before each, its first sample counting as the one before itself.

    Args:
        samples: ``(S,)`` at 16 kHz, full scale 1
    """
    if len(samples) < WINDOW:
        return np.zeros((0, BANDS), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    logarithms = np.empty((len(windows), BANDS), np.float32)
    for start in range(0, len(windows), _BLOCK):
        logarithms[start : start + _BLOCK] = _log_energies(windows[start : start + _BLOCK])
    return logarithms


def _log_energies(windows: np.ndarray) -> np.ndarray:
    frames = windows - windows.mean(axis=1, keepdims=True, dtype=np.float64)
    frames[:, 1:] -= _EMPHASIS * frames[:, :-1]
    frames[:, 0] *= 1 - _EMPHASIS
    spectrum = np.fft.rfft(frames * np.hanning(WINDOW), _TRANSFORM)
    power = spectrum.real**2 + spectrum.imag**2
    return np.log(np.maximum(power @ _weights(), _FLOOR))


def filter_bank_example(samples: np.ndarray, frames: int = FRAMES) -> np.ndarray:
    """Returns what HiCMAE's sound encoder reads, ``(frames, 128)`` float32, nearly within plus and minus one.

    What the sound has too few of is filled up with zeros and only then normalised, so that such frames are 0.4670, as
    in the release; 2.56 s have 254 frames. The release takes the mean off the whole sound first, which changes
    nothing, as each window loses its own.

    Args:
        samples: ``(S,)`` at 16 kHz, full scale 1; what is beyond the frames wanted is not read
        frames: how many there shall be
    """
    heard = filter_bank(samples[: (frames - 1) * HOP + WINDOW])
    filled = np.zeros((frames, BANDS), np.float32)
    filled[: len(heard)] = heard
    return (filled - np.float32(_MEAN)) / np.float32(2 * _DEVIATION)
