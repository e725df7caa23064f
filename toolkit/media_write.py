"""Pictures and sound into a media file, the same bytes for the same input."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from toolkit.picture import Frame
from toolkit.sound import Sound
from toolkit.whole_file import whole_file

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

# Ticks per second of frames with times of their own; MPEG's clock, which holds every usual frame rate.
_CLOCK = 90_000
_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


def write_video(
    path: Path | str,
    frames: Iterable[np.ndarray | Frame],
    *,
    frame_rate: float,
    sound: Sound | None = None,
    quality: int = 18,
) -> None:
    """Writes an MP4 of H.264 (yuv420p, BT.601) and, where there is sound, AAC; the file appears whole or not at all.

    H.264 in 4:2:0 has even sizes only: an odd height or width grows by a copy of the last row or column.

    Args:
        path: file to write, replaced where it exists
        frames: ``(H, W, 3)`` uint8 RGB images, shown at the frame rate, or `Frame` for times of their own (rising);
            all of one kind and one size
        frame_rate: frames per second (Hz)
        sound: starts with the clip; its rate must be one that AAC has
        quality: constant rate factor of x264, 0 (lossless) to 51

    Raises:
        ValueError: no frames, frames of unlike shapes, or a rate that AAC does not have
    """
    import av
    from av.video.reformatter import VideoReformatter

    if sound is not None and sound.rate not in _AAC_RATES:
        raise ValueError(f"AAC has no rate of {sound.rate} Hz, only {_AAC_RATES}")
    options = {"fflags": "+bitexact"}
    if sound is not None:
        options["movie_timescale"] = str(sound.rate)  # the default of 1000 rounds the sound's end to a millisecond
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise ValueError(f"{path}: a video needs at least one frame")
    with (
        whole_file(path) as target,
        av.open(f"file:{target}", "w", format="mp4", options=options) as container,
    ):
        video = _add_video(container, _image(first), frame_rate, quality, timed=isinstance(first, Frame))
        audio = None if sound is None else _add_audio(container, sound.rate)
        written, reformatter = 0, VideoReformatter()
        for index, item in enumerate(chain([first], frames)):
            picture = _picture(item, index, video, reformatter)
            container.mux(video.encode(picture))
            if sound is not None:
                until = int((picture.pts * video.codec_context.time_base + 1) * sound.rate)
                written = _encode_sound(container, audio, sound, written, until)
        container.mux(video.encode(None))
        if sound is not None:
            _encode_sound(container, audio, sound, written, len(sound.samples))
            container.mux(audio.encode(None))


def write_sound(path: Path | str, sound: Sound) -> None:
    """Writes a 16-bit WAV; full scale is 32768, so that reading it again gives the same values to half a step.

    Args:
        path: file to write, replaced where it exists
        sound: what to write; values beyond full scale are cut off
    """
    import soundfile

    steps = np.clip(np.round(sound.samples.astype(np.float64) * 32768), -32768, 32767).astype(np.int16)
    with whole_file(path) as target:
        soundfile.write(target, steps, sound.rate, subtype="PCM_16", format="WAV")


def _add_video(
    container: "OutputContainer", image: np.ndarray, frame_rate: float, quality: int, *, timed: bool
) -> "VideoStream":
    rate = Fraction(frame_rate).limit_denominator(1001)
    # No B-frames: their decoding times would give a clip of uneven frames a wrong duration. No macroblock tree: x264
    # reads memory there that nobody has written, so that the same pictures would now and then give other bytes.
    options = {"crf": str(quality), "preset": "veryfast", "bf": "0", "mbtree": "0"}
    stream = container.add_stream("libx264", rate=rate, options=options)
    stream.height, stream.width = (size + size % 2 for size in image.shape[:2])
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, _CLOCK) if timed else 1 / rate
    context.thread_count = 1  # x264's output depends on the number of threads
    context.flags |= 1 << 23  # AV_CODEC_FLAG_BITEXACT
    context.colorspace, context.color_range = 6, 1  # SMPTE 170M (BT.601), limited range
    return stream


def _add_audio(container: "OutputContainer", rate: int) -> "AudioStream":
    stream = container.add_stream("aac", rate=rate, layout="mono")
    stream.codec_context.bit_rate = min(128_000, 6 * rate)  # the most AAC has room for in one channel
    stream.codec_context.flags |= 1 << 23
    stream.codec_context.time_base = Fraction(1, rate)
    return stream


def _image(item: np.ndarray | Frame) -> np.ndarray:
    return item.image if isinstance(item, Frame) else item


def _picture(
    item: np.ndarray | Frame, index: int, stream: "VideoStream", reformatter: "VideoReformatter"
) -> "VideoFrame":
    import av

    image = _image(item)
    height, width = image.shape[:2]
    if (height + height % 2, width + width % 2) != (stream.height, stream.width):
        raise ValueError(f"frame {index} is {width} x {height} in a video of {stream.width} x {stream.height}")
    if height % 2 or width % 2:
        image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    # One thread: quicker for small pictures, and the same bytes on every machine.
    picture = reformatter.reformat(frame, format="yuv420p", dst_colorspace="ITU601", dst_color_range="MPEG", threads=1)
    base = stream.codec_context.time_base
    picture.pts = round(item.time / base) if isinstance(item, Frame) else index
    picture.time_base = base
    return picture


def _encode_sound(container: "OutputContainer", stream: "AudioStream", sound: Sound, start: int, stop: int) -> int:
    """Encodes samples ``start`` to ``stop`` and returns where it ended."""
    import av

    # In steps of 16 bits: the last bits of computed sound depend on where arrays lay in memory, the file must not.
    steps = np.round(sound.samples[start:stop].astype(np.float64) * 32768)
    chunk = (steps / 32768).astype(np.float32)
    if not len(chunk):
        return start
    frame = av.AudioFrame.from_ndarray(chunk[None], format="fltp", layout="mono")
    frame.sample_rate = sound.rate
    frame.pts = start
    frame.time_base = Fraction(1, sound.rate)
    container.mux(stream.encode(frame))
    return start + len(chunk)
