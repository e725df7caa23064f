"""Whole media files: probed, refused, written; and real clips."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from toolkit.errors import ClipError
from toolkit.media import (
    MediaInfo,
    is_silent,
    iterate_frames,
    probe,
    read_sound,
    write_sound,
    write_video,
)
from toolkit.status import Status


def times(path, rate=None):
    return [round(frame.time, 4) for frame in iterate_frames(path, rate=rate)]


def status_of(call):
    with pytest.raises(ClipError) as error:
        call()
    return error.value.status


def test_probe(make_clip, tmp_path, tone):
    assert probe(make_clip(count=50)) == MediaInfo(2.0, 64, 48, 25.0, 16000)
    assert probe(make_clip("mute.mp4", count=50, sound=False)) == MediaInfo(2.0, 64, 48, 25.0, None)
    write_sound(tmp_path / "voice.wav", tone(1.5, 44100))
    assert probe(tmp_path / "voice.wav") == MediaInfo(1.5, None, None, None, 44100)


@pytest.mark.parametrize("read", [probe, lambda p: read_sound(p, rate=16000), lambda p: list(iterate_frames(p))])
def test_missing_directory_and_not_media(tmp_path, read):
    assert status_of(lambda: read(tmp_path / "nowhere.mp4")) is Status.MISSING
    assert status_of(lambda: read(tmp_path)) is Status.UNREADABLE
    for name, content in {
        "empty.mp4": b"",
        "zeros.mp4": bytes(5000),
        "noise.mp4": np.random.default_rng(0).bytes(5000),
        "page.txt": b"hello\n" * 50,  # FFmpeg would draw it
        "table.csv": b"name,emotion\na,happy\n",
        "words.srt": b"1\n00:00:01,000 --> 00:00:02,000\nhi\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        assert status_of(lambda name=name: read(tmp_path / name)) is Status.UNREADABLE


@pytest.mark.parametrize("read", [probe, lambda p: list(iterate_frames(p))])
def test_unknown_codec(make_clip, read):
    path = make_clip()
    path.write_bytes(path.read_bytes().replace(b"avc1", b"xxxx"))
    with pytest.raises(ClipError, match="no decoder for its video") as error:
        read(path)
    assert error.value.status is Status.UNREADABLE


def test_name_that_looks_like_a_protocol(make_clip, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    make_clip("12:30.mp4", count=5)
    write_video("http:a.mp4", [frame.image for frame in iterate_frames("12:30.mp4")], frame_rate=25)
    assert len(times("http:a.mp4")) == 5
    assert read_sound("12:30.mp4", rate=16000).seconds == pytest.approx(0.2)


def test_transcript_in_the_column_of_paths(tmp_path):
    assert status_of(lambda: read_sound(tmp_path / ("so happy " * 40), rate=16000)) is Status.UNREADABLE


@pytest.mark.parametrize("part", [0.02, 0.5, 0.95])
@pytest.mark.parametrize(
    ("name", "options"), [("a.mp4", {}), ("b.mp4", {"movflags": "+faststart"}), ("c.mkv", {}), ("d.avi", {})]
)
def test_truncated(encode, numbered, tone, name, options, part):
    codec = "mp3" if name.endswith("avi") else "aac"
    path = encode(name, video="libx264", images=numbered(50), audio=codec, samples=tone(2.0).samples[None],
                  options=options)  # fmt: skip
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    assert status_of(lambda: list(iterate_frames(path))) is Status.UNREADABLE
    assert status_of(lambda: read_sound(path, rate=16000)) is Status.UNREADABLE


@pytest.mark.parametrize(("name", "codec"), [("a.wav", "pcm_s16le"), ("b.flac", "flac"), ("c.m4a", "aac")])
def test_truncated_sound(encode, name, codec):
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 32000))
    path = encode(name, audio=codec, samples=noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert status_of(lambda: read_sound(path, rate=16000)) is Status.UNREADABLE


def test_recording_never_finished_is_read(tmp_path, tone):
    """A WAV written into a pipe cannot say how long it is."""
    write_sound(tmp_path / "pipe.wav", tone(1.0))
    data = bytearray((tmp_path / "pipe.wav").read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "pipe.wav").write_bytes(bytes(data))
    assert read_sound(tmp_path / "pipe.wav", rate=16000).samples.shape == (16000,)


def test_damaged(encode, tone):
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(25)]
    path = encode("clip.mp4", video="libx264", images=images, audio="aac", samples=tone(1.0).samples[None])
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = generator.bytes(4000)
    path.write_bytes(bytes(data))
    with pytest.raises(ClipError, match=r"clip\.mp4: .*nvalid data") as error:
        list(iterate_frames(path))
    assert error.value.status is Status.UNREADABLE


def test_same_bytes_twice(make_clip):
    one, other = make_clip("one.mp4"), make_clip("other.mp4")
    assert one.read_bytes() == other.read_bytes()


WRITE_ROLLING = """
import sys
import numpy as np
from toolkit.media import write_video
picture = np.random.default_rng(0).integers(0, 255, (15, 20, 3), np.uint8).repeat(16, 0).repeat(16, 1)
write_video(sys.argv[1], [np.roll(picture, 3 * number, 1) for number in range(16)], frame_rate=12)
"""


def test_same_bytes_whatever_lay_in_memory(tmp_path):
    for octet in "01":  # what the C library of Linux fills new memory with; 0: nothing
        command = [sys.executable, "-c", WRITE_ROLLING, str(tmp_path / f"{octet}.mp4")]
        subprocess.run(command, check=True, env={**os.environ, "MALLOC_PERTURB_": octet})
    assert (tmp_path / "0.mp4").read_bytes() == (tmp_path / "1.mp4").read_bytes()


def test_failed_write_leaves_nothing(tmp_path, numbered):
    def broken():
        yield from numbered(3)
        raise RuntimeError("camera fell down")

    (tmp_path / "old.mp4").write_bytes(b"old")
    with pytest.raises(RuntimeError, match="camera"):
        write_video(tmp_path / "old.mp4", broken(), frame_rate=25)
    assert [p.name for p in tmp_path.iterdir()] == ["old.mp4"]
    assert (tmp_path / "old.mp4").read_bytes() == b"old"


def test_write_refuses_nonsense(tmp_path, numbered, tone):
    with pytest.raises(ValueError, match="at least one frame"):
        write_video(tmp_path / "a.mp4", [], frame_rate=25)
    with pytest.raises(ValueError, match="frame 1 is 32 x 16 in a video of 64 x 48"):
        write_video(tmp_path / "a.mp4", [*numbered(1), *numbered(1, 16, 32)], frame_rate=25)
    with pytest.raises(ValueError, match="no rate of 10000 Hz"):
        write_video(tmp_path / "a.mp4", numbered(2), frame_rate=25, sound=tone(1.0, 10000))


def test_import_is_light():
    code = "import sys, toolkit.media; print({'av', 'soxr', 'soundfile', 'cv2', 'torch'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert run.stdout.strip() == "set()"


def test_real_clips(shared_data):
    folder = shared_data / "talking_face_clips"
    rows = list(csv.DictReader((folder / "index.csv").open()))
    assert len(rows) == 20
    for row in rows:
        path = folder / row["file"]
        info = probe(path)
        assert (info.width, info.height) == (int(row["width"]), int(row["height"])), row["file"]
        assert info.frame_rate == pytest.approx(float(row["fps"]), abs=0.01), row["file"]
        if info.width < 1000:  # the large ones take long
            stamps = [frame.time for frame in iterate_frames(path, rate=1000)]
            assert len(stamps) == int(row["frames"]), row["file"]
            assert (np.diff(stamps) > 0).all(), row["file"]
        sound = read_sound(path, rate=16000)
        assert -0.05 < info.seconds - sound.seconds < 0.05 or row["file"] == "pyfeat_noface_face.mov", row["file"]
        assert is_silent(sound) == ("silent" in row["note"]), row["file"]


def test_real_variable_frame_rate(shared_data):
    path = shared_data / "talking_face_clips" / "pyfeat_face_noface.mov"
    every = [frame.time for frame in iterate_frames(path)]
    chosen = [frame.time for frame in iterate_frames(path, rate=10)]
    assert np.diff(every).min() < 0.014 < 0.041 < np.diff(every).max()
    assert set(chosen) <= set(every)
    assert len(chosen) == 64
    assert np.abs(np.array(chosen) - np.arange(64) / 10).max() <= 0.021  # every tick within half a frame
    assert np.abs(read_sound(path, rate=16000).samples[: int(2.4 * 16000)]).max() < 1e-6  # the sound starts at 2.43 s
