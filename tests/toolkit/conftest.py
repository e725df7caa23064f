"""Media files made on the spot."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from toolkit.media import Sound, write_video

MakeClip = Callable[..., Path]


def _tone(seconds: float, rate: int, pitch: float, level: float) -> Sound:
    time = np.arange(round(seconds * rate)) / rate
    return Sound((level * np.sin(2 * np.pi * pitch * time)).astype(np.float32), rate)


@pytest.fixture(scope="session")
def tone() -> Callable[..., Sound]:
    """Makes a sine: ``tone(seconds, rate, pitch, level)``."""

    def make(seconds: float = 1.0, rate: int = 16000, pitch: float = 440.0, level: float = 0.5) -> Sound:
        return _tone(seconds, rate, pitch, level)

    return make


@pytest.fixture(scope="session")
def numbered() -> Callable[..., list[np.ndarray]]:
    """Makes grey images whose brightness tells their number: ``20 + 4 n``."""

    def make(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
        return [np.full((height, width, 3), 20 + 4 * n, np.uint8) for n in range(count)]

    return make


@pytest.fixture
def make_clip(tmp_path: Path, numbered: Callable, tone: Callable) -> MakeClip:
    """Writes a small clip with picture and sound and returns its path."""

    def make(name: str = "clip.mp4", count: int = 25, *, sound: bool = True, **size: int) -> Path:
        path = tmp_path / name
        write_video(path, numbered(count, **size), frame_rate=25, sound=tone(count / 25) if sound else None)
        return path

    return make


@pytest.fixture
def encode(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file with any container and codecs through PyAV, past the toolkit's own writer.

    ``encode(name, video=codec, images=[...], audio=codec, samples=(channels, S) float in [-1, 1], rate=Hz,
    start=seconds before the sound begins, prepare=function of the video stream, options=of the container)``
    """
    import av

    def make(
        name: str,
        *,
        video: str | None = None,
        images: list[np.ndarray] = (),
        audio: str | None = None,
        samples: np.ndarray | None = None,
        rate: int = 16000,
        start: float = 0.0,
        prepare: Callable | None = None,
        **container_options: object,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", **container_options) as container:
            pictures = sounds = None
            if video:
                pictures = container.add_stream(video, rate=25)
                pictures.height, pictures.width = images[0].shape[:2]
                pictures.pix_fmt = "yuv420p"
                if prepare:
                    prepare(pictures)
            if audio:
                layout = "stereo" if len(samples) == 2 else "mono"
                sounds = container.add_stream(audio, rate=rate, layout=layout)
            for index, image in enumerate(images):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts = index
                container.mux(pictures.encode(frame))
            if video:
                container.mux(pictures.encode(None))
            if audio:
                resampler = av.AudioResampler(format=sounds.codec_context.format.name, layout=layout, rate=rate)
                frame = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(samples, dtype=np.float32), format="fltp", layout=layout
                )
                frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
                frame.pts = round(start * rate)
                for part in [*resampler.resample(frame), *resampler.resample(None)]:
                    container.mux(sounds.encode(part))
                container.mux(sounds.encode(None))
        return path

    return make
