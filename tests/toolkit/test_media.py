"""Frames and sound out of media files, and into them."""

import csv
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from toolkit.errors import ClipError
from toolkit.media import (
    Frame,
    MediaInfo,
    Sound,
    is_silent,
    iterate_frames,
    probe,
    read_sound,
    require_audible,
    write_sound,
    write_video,
)
from toolkit.picture import orient
from toolkit.status import Status


def times(path, rate=None):
    return [round(frame.time, 4) for frame in iterate_frames(path, rate=rate)]


def numbers(path, rate=None):
    """Reads the numbers of the frames of the `numbered` fixture."""
    return [round((float(frame.image.mean()) - 20) / 4) for frame in iterate_frames(path, rate=rate)]


def status_of(call):
    with pytest.raises(ClipError) as error:
        call()
    return error.value.status


# Pictures


def test_every_frame_with_its_time(make_clip):
    path = make_clip(count=25)
    assert times(path) == [round(n / 25, 4) for n in range(25)]
    assert numbers(path) == list(range(25))


def test_rate_takes_the_nearest_frame_of_every_tick(make_clip):
    path = make_clip(count=25)
    assert times(path, rate=5) == [0.0, 0.2, 0.4, 0.6, 0.8]
    assert times(path, rate=10) == [0.0, 0.08, 0.2, 0.28, 0.4, 0.48, 0.6, 0.68, 0.8, 0.88]
    assert numbers(path, rate=5) == [0, 5, 10, 15, 20]
    assert times(path, rate=0.5) == [0.0]


@pytest.mark.parametrize("rate", [25, 25.0001, 29.97, 30, 1000])
def test_rate_at_or_above_the_source_gives_every_frame_once(make_clip, rate):
    assert numbers(make_clip(count=25), rate=rate) == list(range(25))


def test_variable_frame_rate(tmp_path, numbered):
    stamps = [0.0, 0.01, 0.02, 0.5, 0.54, 0.58, 0.62, 1.4, 1.41]
    path = tmp_path / "vfr.mp4"
    write_video(path, [Frame(i, t) for i, t in zip(numbered(9), stamps, strict=True)], frame_rate=25)
    assert times(path) == stamps
    # Mean rate 9 / 1.45 s, so slots of 0.1 s start 0.05 s early; where the picture holds still there are no frames.
    assert times(path, rate=10) == [0.0, 0.5, 0.58, 1.4]
    assert probe(path).frame_rate == pytest.approx(9 / 1.45, rel=0.05)


def test_picture_that_starts_late_keeps_its_offset(tmp_path, numbered, tone):
    path = tmp_path / "late.mp4"
    write_video(path, [Frame(i, 0.5 + n / 25) for n, i in enumerate(numbered(5))], frame_rate=25, sound=tone(1.0))
    assert times(path) == [0.5, 0.54, 0.58, 0.62, 0.66]
    assert read_sound(path, rate=16000).samples.shape == (16000,)


def test_container_offset_is_taken_off(encode, numbered):
    time = np.arange(16000) / 16000
    beep = np.where(time >= 0.5, np.sin(2 * np.pi * 440 * time), 0)[None] * 0.5
    path = encode("clip.ts", video="libx264", images=numbered(25), audio="aac", samples=beep)
    first = next(iterate_frames(path)).time
    heard = (np.abs(read_sound(path, rate=16000).samples) > 0.1).argmax() / 16000
    assert 0 <= first < 0.1  # the transport stream itself starts later than that
    assert heard - first == pytest.approx(0.5, abs=0.002)


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mpeg4"), ("b.avi", "libx264"), ("c.mp4", "libx264")])
def test_frames_decoded_out_of_order(encode, numbered, name, codec):
    """B-frames; AVI has stamps in decoding order only."""
    path = encode(name, video=codec, images=numbered(30), prepare=lambda s: s.codec_context.options.update(bf="2"))
    found = times(path)
    assert found == [round(n / 25 + found[0], 4) for n in range(30)]
    assert abs(found[0]) < 0.041
    assert sorted(numbers(path)) == numbers(path)
    assert times(path, rate=25) == found


def quarters():
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32], image[:24, 32:], image[24:, :32] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    return image


@pytest.mark.parametrize("degrees", [90, -90, 180])
def test_rotated(encode, degrees):
    path = encode(
        "turned.mp4",
        video="libx264",
        images=[quarters()] * 3,
        prepare=lambda stream: stream.set_display_rotation(degrees),
    )
    expected = np.rot90(quarters(), degrees // 90)  # both count counter-clockwise
    image = next(iterate_frames(path)).image
    assert image.shape == expected.shape
    assert np.abs(image[10::20, 10::20].astype(int) - expected[10::20, 10::20]).max() < 25
    assert probe(path)[1:3] == (expected.shape[1], expected.shape[0])


def test_mirrored(encode):
    path = encode(
        "mirror.mp4",
        video="libx264",
        images=[quarters()] * 2,
        prepare=lambda stream: stream.set_display_rotation(0, hflip=True),
    )
    image = next(iterate_frames(path)).image
    assert np.abs(image[10::20, 10::20].astype(int) - quarters()[:, ::-1][10::20, 10::20]).max() < 25


@pytest.mark.parametrize(
    ("a", "b", "c", "d"), [(1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, -1, 0), (0, 1, 1, 0)]
)
def test_orient_puts_every_pixel_where_the_matrix_says(a, b, c, d):
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    shown = {(a * p + c * q, b * p + d * q): image[q, p] for q in range(2) for p in range(3)}
    left, top = min(x for x, _ in shown), min(y for _, y in shown)
    result = orient(image, (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30))
    assert all((result[y - top, x - left] == value).all() for (x, y), value in shown.items())


@pytest.mark.parametrize("size", [(47, 64), (48, 63), (47, 63), (1, 1)])
def test_odd_size(make_clip, size):
    height, width = size
    image = next(iterate_frames(make_clip(count=2, height=height, width=width))).image
    assert image.shape == (height + height % 2, width + width % 2, 3)
    assert np.abs(image.astype(int) - 20).max() <= 2


@pytest.mark.parametrize(("matrix", "space"), [("ITU601", 5), ("ITU709", 1)])
@pytest.mark.parametrize(("span", "code"), [("MPEG", 1), ("JPEG", 2)])
def test_colours_follow_the_files_own_tags(tmp_path, matrix, space, span, code):
    import av

    path, image = tmp_path / "tagged.mp4", np.full((64, 64, 3), (200, 40, 90), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.height = stream.width = 64
        stream.pix_fmt = "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = space, code
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=matrix, dst_color_range=span)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert np.abs(next(iterate_frames(path)).image.astype(int) - (200, 40, 90)).max() <= 3


def test_no_video(tmp_path, tone):
    write_sound(tmp_path / "voice.wav", tone(1.0))
    assert status_of(lambda: list(iterate_frames(tmp_path / "voice.wav"))) is Status.NO_VIDEO


def test_cover_art_is_no_video(tmp_path, tone):
    import av

    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mp3", rate=44100, layout="mono")
        cover = container.add_stream("mjpeg", rate=1)
        cover.height = cover.width = 32
        cover.pix_fmt = "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        sound = tone(1.0, 44100)
        frame = av.AudioFrame.from_ndarray(sound.samples[None], format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        container.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(cover.encode(None))
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1
    assert status_of(lambda: list(iterate_frames(path))) is Status.NO_VIDEO
    assert probe(path) == MediaInfo(pytest.approx(1.0, abs=0.06), None, None, None, 44100)
    assert read_sound(path, rate=16000).seconds == pytest.approx(1.0, abs=1e-3)


def test_frames_come_one_at_a_time(make_clip):
    frames = iterate_frames(make_clip(count=25))
    assert next(frames).time == 0.0
    frames.close()


# Sound


def test_sound_is_aligned_and_trimmed(tmp_path, numbered):
    samples = np.zeros(32000, np.float32)
    samples[8000] = 0.9
    write_video(tmp_path / "click.mp4", numbered(50), frame_rate=25, sound=Sound(samples, 16000))
    sound = read_sound(tmp_path / "click.mp4", rate=16000)
    assert sound.samples.shape == (32000,)
    assert sound.samples.dtype == np.float32
    assert abs(int(np.abs(sound.samples).argmax()) - 8000) <= 16  # one millisecond


@pytest.mark.parametrize(("length", "rate"), [(1, 16000), (1023, 16000), (16001, 16000), (40007, 44100)])
def test_sound_comes_back_to_the_sample(tmp_path, numbered, tone, length, rate):
    sound = Sound(tone(2.0, rate).samples[:length], rate)
    write_video(tmp_path / "clip.mp4", numbered(5), frame_rate=25, sound=sound)
    assert len(read_sound(tmp_path / "clip.mp4", rate=rate).samples) == length


def test_twelve_seconds_of_aac_are_192000_samples(encode):
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 12 * 48000))
    sound = read_sound(encode("noise.m4a", audio="aac", samples=noise, rate=48000), rate=16000)
    assert sound.samples.shape == (192000,)
    assert sound.seconds == 12.0


@pytest.mark.parametrize(
    ("name", "codec"), [("a.wav", "pcm_s16le"), ("b.wav", "pcm_u8"), ("c.wav", "pcm_s32le"), ("d.wav", "pcm_f32le"),
                    ("e.flac", "flac"), ("f.mp3", "mp3"), ("g.m4a", "aac"), ("h.ogg", "libopus")]
)  # fmt: skip
def test_formats(encode, name, codec):
    rate = 48000
    time = np.arange(rate) / rate
    sweep = 0.5 * np.sin(2 * np.pi * (200 + 800 * time) * time)
    got = read_sound(encode(name, audio=codec, samples=sweep[None], rate=rate), rate=rate).samples
    assert got.shape == (rate,)
    if name.endswith(("wav", "flac")):
        np.testing.assert_allclose(got, sweep, atol=0.005)
    middle = np.arange(rate // 4, 3 * rate // 4)
    errors = [float(np.square(got[middle + lag] - sweep[middle]).mean()) for lag in range(-48, 49)]
    assert int(np.argmin(errors)) - 48 == 0  # not a sample early or late
    assert min(errors) < 0.01 * np.square(sweep).mean()


def test_channels_are_averaged(encode, tone):
    left = tone(0.5).samples
    path = encode("stereo.wav", audio="pcm_s16le", samples=np.stack([left, -left / 2]))
    np.testing.assert_allclose(read_sound(path, rate=16000).samples, left / 4, atol=1e-4)


def test_resampling_has_no_delay(tmp_path, tone):
    write_sound(tmp_path / "high.wav", tone(1.0, 44100))
    sound = read_sound(tmp_path / "high.wav", rate=16000)
    assert sound.samples.shape == (16000,)
    np.testing.assert_allclose(sound.samples[2000:-2000], tone(1.0).samples[2000:-2000], atol=2e-4)


def test_sound_that_starts_late_is_padded_with_silence(encode, numbered, tone):
    path = encode("late.mp4", video="libx264", images=numbered(50), audio="aac", samples=tone(1.0).samples[None],
                  start=0.5)  # fmt: skip
    samples = read_sound(path, rate=16000).samples
    assert (np.abs(samples) > 0.1).argmax() / 16000 == pytest.approx(0.5, abs=0.005)
    assert len(samples) / 16000 == pytest.approx(1.5, abs=0.005)


def test_clock_that_jumps_is_not_filled_with_silence(encode, numbered, tone):
    path = encode("jump.mp4", video="libx264", images=numbered(5), audio="aac", samples=tone(0.5).samples[None],
                  start=20000.0)  # fmt: skip
    with pytest.raises(ClipError, match="time stamps jump by 20000 s") as error:
        read_sound(path, rate=16000)
    assert error.value.status is Status.UNREADABLE


def test_wav_round_trip_is_exact(tmp_path):
    steps = np.array([-32768, -1, 0, 1, 32767], np.int16)
    write_sound(tmp_path / "steps.wav", Sound((steps / 32768).astype(np.float32), 8000))
    sound = read_sound(tmp_path / "steps.wav", rate=8000)
    assert (sound.samples * 32768).tolist() == steps.tolist()
    write_sound(tmp_path / "loud.wav", Sound(np.array([-3, 3], np.float32), 8000))
    assert (read_sound(tmp_path / "loud.wav", rate=8000).samples * 32768).tolist() == [-32768, 32767]


def test_no_audio(make_clip):
    assert status_of(lambda: read_sound(make_clip(sound=False), rate=16000)) is Status.NO_AUDIO


def test_empty_sound(tmp_path):
    write_sound(tmp_path / "empty.wav", Sound(np.zeros(0, np.float32), 16000))
    assert status_of(lambda: read_sound(tmp_path / "empty.wav", rate=16000)) is Status.NO_AUDIO


def test_not_finite(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "nan.wav", np.array([0.1, math.nan, 0.2] * 1000), 16000, subtype="FLOAT")
    assert status_of(lambda: read_sound(tmp_path / "nan.wav", rate=16000)) is Status.UNREADABLE


def test_silent(tmp_path, numbered):
    silence = Sound(np.zeros(16000, np.float32), 16000)
    write_video(tmp_path / "mute.mp4", numbered(25), frame_rate=25, sound=silence)
    sound = read_sound(tmp_path / "mute.mp4", rate=16000)  # AAC gives silence back as silence
    assert is_silent(sound)
    with pytest.raises(ClipError, match="silent") as error:
        require_audible(sound, tmp_path / "mute.mp4")
    assert error.value.status is Status.SILENT
    assert is_silent(Sound(np.full(100, 1 / 32768, np.float32), 16000))
    assert is_silent(Sound(np.zeros(0, np.float32), 16000))


def test_quiet_is_not_silent(tone):
    whisper = tone(1.0, level=1e-3)
    assert require_audible(whisper, "whisper.wav") is whisper


# Whole files


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


# Real clips


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
