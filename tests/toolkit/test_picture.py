"""Frames out of media files: times, rates, rotation, sizes, colours."""

import numpy as np
import pytest

from toolkit.errors import ClipError
from toolkit.media import (
    Frame,
    MediaInfo,
    iterate_frames,
    probe,
    read_sound,
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


def test_frames_are_let_go_of(make_clip):
    """Frames that wait until Python looks for circles would be gigabytes of a large video."""
    import gc

    from av.video.frame import VideoFrame

    path = make_clip(count=25)
    gc.collect()
    gc.disable()
    try:
        assert len(times(path)) == 25
        assert sum(type(item) is VideoFrame for item in gc.get_objects()) <= 1
    finally:
        gc.enable()
