"""Laws that hold for every encoder that needs no download, and through its ``tiny`` networks for every family."""

import dataclasses
import pickle

import numpy as np
import pytest

from feature_extraction.encoder import all_specs, build_encoder, encoders
from feature_extraction.faces.track import FaceTrack
from feature_extraction.feature_job import expected_width, feature_record
from feature_extraction.source import Speaker
from feature_extraction.spec import EncoderSpec
from toolkit.errors import ClipError, UserError
from toolkit.media import Sound
from toolkit.status import Status

# What needs a download or a file of the user's cannot run here; tiny-* specs stand for those families.
SPECS = [spec for spec in all_specs().values() if spec.checkpoint in ("builtin", "tiny")]
ONE_OF_A_FAMILY = list({spec.family: spec for spec in SPECS}.values())
# Families whose network is a package's own, which is not installed here; their tests run them on a stand-in.
FOREIGN = {"emotion2vec"}


def make_sound(seed: int, seconds: float, rate: int) -> Sound:
    """A voice-like buzz with pauses, in noise."""
    generator = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    pitch = generator.uniform(90, 250) * (1 + 0.2 * np.sin(2 * np.pi * 1.5 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = sum(np.sin(k * phase) / k for k in range(1, 12)) * np.maximum(0, np.sin(2 * np.pi * 3 * time))
    return Sound((0.2 * voice + generator.normal(0, 0.005, len(time))).astype(np.float32), rate)


def make_track(seed: int, frames: int, size: int) -> FaceTrack:
    """A smooth picture that moves a little."""
    import cv2

    generator = np.random.default_rng(seed)
    face = cv2.resize(generator.integers(0, 256, (9, 9, 3)).astype(np.uint8), (size + 40, size + 40))
    crops = np.stack([face[k : k + size, 2 * k : 2 * k + size] for k in range(frames)])
    points = np.array([[40, 50], [80, 50], [60, 75], [45, 95], [75, 95]]) + generator.normal(0, 1, (frames, 5, 2))
    boxes = np.tile(np.array([10, 10, 110, 130], np.float32), (frames, 1))
    return FaceTrack(crops, np.arange(frames) / 10, boxes, points.astype(np.float32), np.ones(frames, np.float32))


def make_speaker(seed: int, frames: int, spec: EncoderSpec) -> Speaker:
    """A face, and sound for as long as it is seen."""
    return Speaker(
        make_track(seed, frames, spec.faces.crop_size), make_sound(seed, max(0.2, frames / 10), spec.sample_rate)
    )


def make_batch(spec: EncoderSpec) -> list:
    """Five clips of different lengths."""
    if spec.modality == "audio":
        return [make_sound(seed, seconds, spec.sample_rate) for seed, seconds in enumerate((1.0, 0.5, 1.6, 0.5, 0.83))]
    if spec.modality == "visual":
        return [make_track(seed, frames, spec.faces.crop_size) for seed, frames in enumerate((4, 1, 9, 1, 20))]
    if spec.modality == "audiovisual":
        return [make_speaker(seed, frames, spec) for seed, frames in enumerate((4, 1, 9, 1, 20))]
    return ["今天很高兴！", "不", "I am so happy for you, really", "Oh", "我说了no way，你听见没有？"]


def build(spec: EncoderSpec, level: str):
    try:
        return build_encoder(spec, level=level)
    except UserError as error:
        pytest.skip(str(error))  # an optional package; the message says which


@pytest.fixture(params=SPECS, ids=lambda spec: spec.name)
def spec(request) -> EncoderSpec:
    return request.param


@pytest.fixture
def mixed_batches(monkeypatch):
    """Puts clips of all lengths into one batch, as on an accelerator, so that they are padded."""
    monkeypatch.setattr("feature_extraction.network._SLACK_ON_CPU", 100.0)


def assert_same(one, other) -> None:
    np.testing.assert_allclose(one.values, other.values, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(one.times, other.times)
    assert (one.utterance is None) == (other.utterance is None)
    if one.utterance is not None:
        np.testing.assert_allclose(one.utterance, other.utterance, rtol=0, atol=1e-4)


def test_spec(spec):
    assert spec.name == spec.name.lower()
    assert spec.licence
    assert (spec.sample_rate is not None) == (spec.modality in ("audio", "audiovisual"))
    assert (spec.faces is not None) == (spec.modality in ("visual", "audiovisual"))
    assert (spec.column is not None) == (spec.modality == "text")
    assert pickle.loads(pickle.dumps(spec)).identity == spec.identity


def test_two_specs_of_one_name(letters, monkeypatch):
    taken = dataclasses.replace(letters.specs[0], name="prosody")
    monkeypatch.setattr(letters, "specs", (taken,))
    with pytest.raises(ValueError, match="both have a spec 'prosody'"):
        all_specs()


def test_identities_are_unique():
    specs = all_specs().values()
    assert len({spec.identity for spec in specs}) == len(specs)


def test_a_clip_alone_equals_a_clip_among_others(spec, mixed_batches):
    encoder = build(spec, "frame")
    batch = make_batch(spec)
    together = encoder.encode(batch)
    assert len(together) == len(batch)
    for clip, expected in zip(batch, together, strict=True):
        (alone,) = encoder.encode([clip])
        assert_same(alone, expected)


def test_order_does_not_matter(spec, mixed_batches):
    encoder = build(spec, "frame")
    batch = make_batch(spec)
    for one, other in zip(encoder.encode(batch), encoder.encode(batch[::-1])[::-1], strict=True):
        assert_same(one, other)


def test_every_family_has_a_spec_that_runs_here():
    assert set(encoders.names()) - {spec.family for spec in SPECS} == FOREIGN


def test_values_and_times(spec):
    encoder = build(spec, "frame")
    results = encoder.encode(make_batch(spec))
    assert len({result.values.shape[1] for result in results}) == 1
    for result in results:
        assert result.values.dtype == np.float32
        assert result.values.ndim == 2
        assert len(result.values) == len(result.times) > 0
        assert np.isfinite(result.values).all()
        assert result.times.ndim == (2 if spec.modality == "text" else 1)
        assert (result.times >= 0).all()
        if spec.modality == "text":  # several tokens may share a character
            assert (np.diff(result.times, axis=0) >= 0).all()
            assert (result.times[:, 0] < result.times[:, 1]).all()
        else:
            assert (np.diff(result.times) > 0).all()


def test_times_end_with_the_clip(spec):
    for clip, result in zip(make_batch(spec), build(spec, "frame").encode(make_batch(spec)), strict=True):
        if spec.modality == "audio":
            step = result.times[1] - result.times[0] if len(result.times) > 1 else clip.seconds
            assert clip.seconds - max(0.1, 2 * step) < result.times[-1] <= clip.seconds
        elif spec.modality == "visual":
            assert result.times[-1] <= clip.times[-1]
        elif spec.modality == "audiovisual":
            assert result.times[-1] <= clip.face.times[-1]
        else:
            assert result.times[-1, 1] == len(clip)


def test_utterance_is_the_same_at_both_levels(spec):
    batch = make_batch(spec)
    records = {
        level: [feature_record("clip", result, level) for result in build(spec, level).encode(batch)]
        for level in ("utterance", "frame")
    }
    for brief, full in zip(records["utterance"], records["frame"], strict=True):
        assert brief.status == full.status == Status.OK
        assert brief.ragged == {}
        assert len(full.ragged["frames/values"]) == len(full.ragged["frames/time"])
        np.testing.assert_allclose(brief.row["utterance"], full.row["utterance"], rtol=0, atol=1e-4)
        assert brief.row["utterance"].dtype == np.float32
    assert {len(record.row["utterance"]) for record in records["utterance"]} == {expected_width(spec)}


def test_utterance_is_the_mean_of_the_frames(spec):
    if spec.pooling == "own":
        pytest.skip("the family sums a clip up in a way of its own")
    for result in build(spec, "frame").encode(make_batch(spec)):
        mean = result.values.mean(axis=0, dtype=np.float64)
        utterance = mean if result.utterance is None else result.utterance
        np.testing.assert_allclose(utterance, mean, rtol=1e-5, atol=1e-6)


def test_one_bad_clip_costs_no_other(spec):
    encoder = build(spec, "frame")
    batch = make_batch(spec)
    nothing = {
        "audio": lambda: Sound(np.zeros(3, np.float32), spec.sample_rate),
        "audiovisual": lambda: batch[0]._replace(sound=Sound(np.zeros(3, np.float32), spec.sample_rate)),
        "visual": lambda: FaceTrack(*(field[:0] for field in batch[0])),
        "text": lambda: "",
    }[spec.modality]()
    good, bad, also_good = encoder.encode([batch[0], nothing, batch[1]])
    assert isinstance(bad, ClipError)
    assert bad.status != Status.OK
    assert_same(good, encoder.encode([batch[0]])[0])
    assert_same(also_good, encoder.encode([batch[1]])[0])


def assert_sensible(result) -> None:
    """Features, or a failure that says why."""
    if isinstance(result, ClipError):
        assert result.status in {Status.TOO_SHORT, Status.EMPTY_TEXT, Status.NO_FACE, Status.SILENT}
        assert result.reason
    else:
        assert feature_record("clip", result, "frame").status == Status.OK
        assert len(result.values) == len(result.times)


def test_smallest_clips(spec):
    clips = {
        "audio": lambda: [make_sound(0, seconds, spec.sample_rate) for seconds in (0.01, 0.03, 0.1)],
        "audiovisual": lambda: [make_speaker(0, frames, spec) for frames in (1, 2)],
        "visual": lambda: [make_track(0, frames, spec.faces.crop_size) for frames in (1, 2)],
        "text": lambda: [".", "a", "\u200b", "好", "\U0001f600"],
    }[spec.modality]()
    results = build(spec, "frame").encode(clips)
    for result in results:
        assert_sensible(result)
    if spec.modality in ("visual", "audiovisual"):
        assert not isinstance(results[0], ClipError)  # one frame is a face


def test_silence(spec):
    if spec.modality != "audio":
        pytest.skip("of sound only")
    (result,) = build(spec, "frame").encode([Sound(np.zeros(spec.sample_rate, np.float32), spec.sample_rate)])
    assert_sensible(result)


@pytest.mark.parametrize("spec", ONE_OF_A_FAMILY, ids=lambda spec: spec.family, indirect=True)
def test_long_clips(spec):
    """Ten minutes of sound, 96 seconds of crops at ten a second, both, a very long text."""
    if spec.modality == "audio":
        samples = np.tile(make_sound(0, 5.0, spec.sample_rate).samples, 120)
        clip, end = Sound(samples, spec.sample_rate), 600.0
    elif spec.modality in ("visual", "audiovisual"):
        few = make_track(0, 20, spec.faces.crop_size)
        fields = {field: np.concatenate([getattr(few, field)] * 48) for field in few._fields}
        clip, end = FaceTrack(**fields | {"times": np.arange(960) / 10}), 96.0  # whole rows, of 2, 8 or 32 pictures
        if spec.modality == "audiovisual":
            clip = Speaker(clip, make_sound(0, end, spec.sample_rate))
    else:
        clip = ("今天我很happy，you know？ " * 400).rstrip()  # as texts come from a corpus
        end = len(clip)
    (result,) = build(spec, "frame").encode([clip])
    steps = np.diff(result.times, axis=0)
    assert (steps >= 0).all()
    if spec.modality != "text":
        np.testing.assert_allclose(steps, np.median(steps), atol=1e-6)  # nothing lost or doubled at a seam
    assert end - 3 * max(1.0, steps.max()) < result.times.max() <= end
    assert np.isfinite(result.values).all()


def test_shorter_numbers_stay_close(spec):
    if not encoders.get(spec.family).alone:
        pytest.skip("no network")
    clip = make_batch(spec)[0]
    (exact,), (short,) = (
        build(dataclasses.replace(spec, precision=precision), "frame").encode([clip])
        for precision in ("float32", "bfloat16")
    )
    assert short.values.dtype == np.float32
    np.testing.assert_array_equal(short.times, exact.times)
    difference = np.linalg.norm(short.values - exact.values) / np.linalg.norm(exact.values)
    assert 0 < difference < 0.05
