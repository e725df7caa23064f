"""Where noise comes from: a folder of recordings, or built-in babble."""

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from toolkit.babble import VOICES, make_babble
from toolkit.errors import ClipError, UserError
from toolkit.sound import Sound, is_silent, read_sound

SUFFIXES = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".wma", ".aif", ".aiff"}
# A folder where that many random pieces in a row are silent holds no noise worth the name.
_PATIENCE = 50


class NoisePiece(NamedTuple):
    """A piece of noise.

    Attributes:
        samples: ``(S,)`` float32
        label: where it came from, for the manifest
    """

    samples: np.ndarray
    label: str


class NoiseBank(Protocol):
    """A source of noise; the same generator gives the same piece."""

    @property
    def identity(self) -> str:
        """Tells banks apart that give different noise."""
        ...

    def draw(self, length: int, rate: int, generator: np.random.Generator) -> NoisePiece:
        """Returns ``length`` samples at ``rate`` Hz, never silent."""
        ...


@dataclass(frozen=True)
class BabbleBank:
    """Built-in babble, made for every clip anew."""

    voices: int = VOICES

    @property
    def identity(self) -> str:
        """Changes with the synthesiser and the number of voices."""
        return f"babble-1 of {self.voices}"

    def draw(self, length: int, rate: int, generator: np.random.Generator) -> NoisePiece:
        """Returns a piece of babble."""
        return NoisePiece(make_babble(length, rate, generator, voices=self.voices), "babble")


@dataclass(frozen=True)
class FolderBank:
    """Recordings in a folder, put together as the MER-NOISE generator does (mer_challenges.md, section 2.1).

    Random files are joined until they are longer than the clip, and a random piece is cut from that.

    Attributes:
        folder: searched with all its sub-folders
        files: paths of the recordings, relative to the folder, sorted
        identity: hash of the files' names and sizes
    """

    folder: Path
    files: tuple[str, ...]
    identity: str

    def draw(self, length: int, rate: int, generator: np.random.Generator) -> NoisePiece:
        """Returns a piece; one that happens to be silent is drawn again.

        Raises:
            UserError: a recording cannot be read, or there is next to nothing but silence
        """
        for _ in range(_PATIENCE):
            chosen: list[str] = []
            parts: list[np.ndarray] = []
            while sum(map(len, parts)) <= length:
                chosen.append(self.files[generator.integers(len(self.files))])
                parts.append(_read(self.folder / chosen[-1], rate))
            whole = np.concatenate(parts)
            start = int(generator.integers(0, len(whole) - length + 1))
            piece = whole[start : start + length]
            if not is_silent(Sound(piece, rate)):
                return NoisePiece(piece, f"{'+'.join(chosen)}@{start / rate:.5f}s")
        raise UserError(f"{self.folder}: {_PATIENCE} random pieces in a row are silent. Expected recordings of noise.")


def open_noises(folder: Path | None) -> NoiseBank:
    """Returns the noise of a folder, or babble where there is none.

    Raises:
        UserError: no such folder, or no recordings in it
    """
    if folder is None:
        return BabbleBank()
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}. Expected one with noise recordings, or leave the option out.")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not paths:
        raise UserError(f"{folder} holds no sound file. Expected noise recordings: {', '.join(sorted(SUFFIXES))}.")
    files = tuple(path.relative_to(folder).as_posix() for path in paths)
    facts = json.dumps([[file, path.stat().st_size] for file, path in zip(files, paths, strict=True)])
    return FolderBank(folder, files, hashlib.sha256(facts.encode()).hexdigest()[:16])


@functools.lru_cache(maxsize=4)  # noise recordings can be minutes long
def _read(path: Path, rate: int) -> np.ndarray:
    try:
        return read_sound(path, rate=rate).samples
    except ClipError as error:
        raise UserError(f"Noise recording {error.reason}. Take it out of the folder, or mend it.") from error
