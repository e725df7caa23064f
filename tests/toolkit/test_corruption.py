"""A corrupted copy of a corpus."""

import math
import os

import numpy as np
import pandas as pd
import pytest

from toolkit.corpus import corpus_from_table, load_corpus
from toolkit.corruption import corrupt_corpus, measure_snr
from toolkit.corruption_clip import ClipSource, Corruption, corrupt_clip
from toolkit.errors import UserError
from toolkit.media import Frame, Sound, iterate_frames, probe, read_sound, write_sound, write_video
from toolkit.noise import BabbleBank, open_noises
from toolkit.seeds import generator_for


def textured(count, height=48, width=64):
    generator = np.random.default_rng(0)
    base = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return [np.roll(base, n, axis=1) for n in range(count)]


@pytest.fixture
def clean(tmp_path, tone):
    """Six clips, two of each kind, in two splits."""
    root = tmp_path / "clean"
    for n in range(2):
        write_video(root / f"v{n}.mp4", textured(10), frame_rate=25, sound=tone(0.4, 16000, 200 + n, 0.3))
        write_sound(root / f"a{n}.wav", tone(0.5, 44100, 300 + n, 0.3))
    table = pd.DataFrame(
        {
            "name": ["v0", "v1", "a0", "a1", "t0", "both"],
            "video": ["v0.mp4", "v1.mp4", None, None, None, "v0.mp4"],
            "audio": [None, None, "a0.wav", "a1.wav", None, "a0.wav"],
            "text": ["好的", "no, never", "a\nb", None, "only words", "x"],
            "emotion": ["happy", "sad", None, "angry", "happy", "neutral"],
            "valence": [1.5, -2.25, None, -1.0, 0.0, 0.5],
            "openset": ["['glad', 'calm']", None, None, None, None, None],
            "split": ["train", "train", "train", "test_noise", "train", "test_noise"],
            "speaker": ["03", "b", "c", "d", "e", "f"],
        }
    )
    return corpus_from_table("tiny", root, table, emotions=("happy", "sad", "angry", "neutral"), valence=(-3.0, 3.0))


def manifest(out):
    return pd.read_csv(out / "manifest.csv", dtype=str, keep_default_na=False).set_index("name")


def texts(column):
    return ["-" if pd.isna(cell) else str(cell) for cell in column]


def content(out):
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def one(path, out, *, snr=(5.0, 5.0), blurs=(2,), **columns):
    corruption = Corruption(snr, blurs, BabbleBank(), 1)
    return corrupt_clip(ClipSource("clip", columns.get("video", path), columns.get("audio")), corruption, out)


def test_copy_has_everything_the_corpus_has(clean, tmp_path):
    path = corrupt_corpus(clean, tmp_path / "noisy", snr=(5, 10), seed=1)
    assert path == tmp_path / "noisy" / "corpus.csv"
    copy = load_corpus(str(path))
    assert (copy.name, copy.emotions, copy.valence) == ("noisy", clean.emotions, clean.valence)
    for column in ("name", "split", "text", "emotion", "valence", "openset", "speaker"):
        assert texts(copy.table[column]) == texts(clean.table[column]), column
    assert copy.table["source"].tolist() == clean.table["name"].tolist()
    assert copy.table["video"].fillna("-").tolist() == ["media/v0.mp4", "media/v1.mp4", "-", "-", "-", "media/both.mp4"]
    assert copy.table["audio"].fillna("-").tolist() == ["-", "-", "media/a0.wav", "media/a1.wav", "-", "media/both.wav"]
    assert copy.table["snr"].dropna().isin([5, 6, 7, 8, 9, 10]).all()
    assert copy.table["snr"].isna().tolist() == [False, False, False, False, True, False]
    assert copy.table["blur"].isna().tolist() == [False, False, True, True, True, False]
    assert copy.table["noise"].fillna("-").tolist() == ["babble"] * 4 + ["-", "babble"]
    rows = manifest(tmp_path / "noisy")
    assert rows["status"].tolist() == ["ok", "ok", "ok", "ok", "missing", "ok"]
    assert set(rows["seed"]) == {"1"}


@pytest.mark.parametrize("snr", [0, 5, 10])
def test_snr_in_the_files(clean, tmp_path, snr):
    """The clip's own noise is drawn again and its share measured, in 16-bit sound and after AAC."""
    corrupt_corpus(clean, tmp_path / "noisy", snr=(snr, snr), seed=4)
    for name, file, tolerance in (("a0", "a0.wav", 0.01), ("both", "both.wav", 0.01), ("v0", "v0.mp4", 0.2)):
        source = clean.root / ("v0.mp4" if name == "v0" else "a0.wav")
        speech = read_sound(source, rate=16000).samples
        noise = BabbleBank().draw(len(speech), 16000, generator_for(4, "noise", name)).samples
        mixture = read_sound(tmp_path / "noisy" / "media" / file, rate=16000).samples
        assert measure_snr(mixture[: len(speech)], speech, noise) == pytest.approx(snr, abs=tolerance), name
        assert manifest(tmp_path / "noisy").loc[name, "snr"] == str(snr)


def test_picture_is_blurred_and_keeps_its_times(tmp_path, tone):
    stamps = [0.0, 0.04, 0.3, 0.34, 1.0]
    frames = [Frame(image, time) for image, time in zip(textured(5), stamps, strict=True)]
    write_video(tmp_path / "vfr.mp4", frames, frame_rate=25, sound=tone(1.0))
    row = one(tmp_path / "vfr.mp4", tmp_path / "out", blurs=(4,))
    assert (row["status"], row["blur"], row["video"]) == ("ok", "4", "media/clip.mp4")
    seen = list(iterate_frames(tmp_path / "out" / row["video"]))
    assert [round(frame.time, 4) for frame in seen] == stamps
    assert np.std(seen[0].image) < 0.3 * np.std(textured(1)[0])
    assert probe(tmp_path / "out" / row["video"]).sample_rate == 16000


def test_factor_one_keeps_the_picture(tmp_path):
    smooth = [np.full((48, 64, 3), (40, 120, 200), np.uint8)] * 3
    write_video(tmp_path / "clean.mp4", smooth, frame_rate=25)
    row = one(tmp_path / "clean.mp4", tmp_path / "out", blurs=(1,))
    image = next(iterate_frames(tmp_path / "out" / row["video"])).image
    assert np.abs(image.astype(int) - smooth[0]).max() <= 4


def test_noise_from_a_folder(clean, tmp_path, shared_data):
    noises = shared_data / "noise_rir_samples"
    corrupt_corpus(clean, tmp_path / "noisy", snr=(5, 5), noises=noises, seed=2, splits=["train"])
    rows = manifest(tmp_path / "noisy")
    assert list(rows.index) == ["v0", "v1", "a0", "t0"]
    assert rows.loc["v0", "noise"].split("@")[0].split("+")[0] in open_noises(noises).files


# Draws


def test_draws_cover_the_range_evenly():
    corruption = Corruption((5.0, 10.0), (1, 2, 4), BabbleBank(), 0)
    ratios = [corruption.draw_snr(f"clip{n}") for n in range(3000)]
    blurs = [corruption.draw_blur(f"clip{n}") for n in range(3000)]
    for value in (5, 6, 7, 8, 9, 10):
        assert 430 < ratios.count(value) < 570
    for factor in (1, 2, 4):
        assert 900 < blurs.count(factor) < 1100
    assert abs(np.corrcoef(ratios, blurs)[0, 1]) < 0.05


def test_equal_ends_are_exact_even_between_whole_numbers():
    assert Corruption((7.5, 7.5), (1,), BabbleBank(), 0).draw_snr("a") == 7.5
    assert Corruption((4.5, 6.5), (1,), BabbleBank(), 0).draw_snr("a") in {5.0, 6.0}


def test_draws_are_pinned():
    """The same seed gives the same corpus in every version of the toolkit."""
    corruption = Corruption((5.0, 10.0), (1, 2, 4), BabbleBank(), 7)
    assert [corruption.draw_snr(f"clip{n}") for n in range(6)] == [6, 9, 7, 9, 7, 7]
    assert [corruption.draw_blur(f"clip{n}") for n in range(6)] == [1, 1, 4, 2, 1, 1]


def test_same_bytes_whatever_the_order_the_subset_and_the_workers(clean, tmp_path):
    settings = {"snr": (5, 10), "seed": 3}
    corrupt_corpus(clean, tmp_path / "one", **settings)
    corrupt_corpus(clean, tmp_path / "two" / "one", workers=2, **settings)
    assert content(tmp_path / "one") == content(tmp_path / "two" / "one")
    backwards = corpus_from_table("x", clean.root, clean.table[::-1])
    corrupt_corpus(backwards, tmp_path / "three", splits=["test_noise"], **settings)
    some = content(tmp_path / "three")
    media = {name for name in some if name.startswith("media")}
    assert media == {"media/a1.wav", "media/both.wav", "media/both.mp4"}
    assert all(some[name] == content(tmp_path / "one")[name] for name in media)
    corrupt_corpus(clean, tmp_path / "four", snr=(5, 10), seed=4)
    assert content(tmp_path / "four")["media/v0.mp4"] != content(tmp_path / "one")["media/v0.mp4"]


# Running again


def test_run_again_does_nothing(clean, tmp_path):
    corrupt_corpus(clean, tmp_path / "noisy", snr=(5, 10), seed=3)
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "noisy" / "media").iterdir()}
    corrupt_corpus(clean, tmp_path / "noisy", snr=(5, 10), seed=3)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "noisy" / "media").iterdir()} == before


def test_killed_run_is_resumed(clean, tmp_path):
    out = tmp_path / "noisy"
    corrupt_corpus(clean, out, snr=(5, 10), seed=3)
    whole = content(out)
    text = (out / "manifest.csv").read_text()
    lines = text.splitlines(keepends=True)
    (out / "manifest.csv").write_text("".join(lines[:3]) + lines[3][:25])  # the third clip's row is torn
    (out / "corpus.csv").unlink()
    (out / "media" / "v1.mp4").unlink()
    kept = (out / "media" / "v0.mp4").stat().st_mtime_ns
    redone = (out / "media" / "a0.wav").stat().st_mtime_ns
    corrupt_corpus(clean, out, snr=(5, 10), seed=3)
    assert content(out) == whole
    assert (out / "media" / "v0.mp4").stat().st_mtime_ns == kept
    assert (out / "media" / "a0.wav").stat().st_mtime_ns > redone


def test_other_settings_and_changed_sources_are_redone(clean, tmp_path, tone):
    out = tmp_path / "noisy"
    corrupt_corpus(clean, out, snr=(5, 5), seed=3)
    first = content(out)
    corrupt_corpus(clean, out, snr=(10, 10), seed=3)
    assert content(out)["media/a0.wav"] != first["media/a0.wav"]
    assert manifest(out).loc["a0", "snr"] == "10"
    write_sound(clean.root / "a0.wav", tone(0.7, 44100))
    corrupt_corpus(clean, out, snr=(10, 10), seed=3)
    assert read_sound(out / "media" / "a0.wav", rate=16000).seconds == pytest.approx(0.7)


def test_newer_source_of_the_same_size_is_redone(clean, tmp_path, tone):
    corrupt_corpus(clean, tmp_path / "noisy", snr=(5, 5), seed=3)
    before = (tmp_path / "noisy" / "media" / "a0.wav").read_bytes()
    write_sound(clean.root / "a0.wav", tone(0.5, 44100, 500, 0.3))
    corrupt_corpus(clean, tmp_path / "noisy", snr=(5, 5), seed=3)
    assert (tmp_path / "noisy" / "media" / "a0.wav").read_bytes() != before


def test_another_corpus_with_the_same_names_is_not_taken_for_done(clean, tmp_path, tone):
    other = tmp_path / "other"
    write_sound(other / "a0.wav", tone(0.7, 44100, 500, 0.3))
    os.utime(other / "a0.wav", (0, 0))  # older than any copy
    corrupt_corpus(clean, tmp_path / "noisy", snr=(5, 5), seed=3)
    table = pd.DataFrame({"name": ["a0"], "audio": ["a0.wav"]})
    corrupt_corpus(corpus_from_table("other", other, table), tmp_path / "noisy", snr=(5, 5), seed=3)
    assert read_sound(tmp_path / "noisy" / "media" / "a0.wav", rate=16000).seconds == pytest.approx(0.7)


# Clips that cannot be corrupted


def test_silent(tmp_path):
    write_video(tmp_path / "mute.mp4", textured(5), frame_rate=25, sound=Sound(np.zeros(3200, np.float32), 16000))
    row = one(tmp_path / "mute.mp4", tmp_path / "out")
    assert (row["status"], row["snr"], row["noise"], row["blur"]) == ("silent", "", "", "2")
    assert row["reason"] == "mute.mp4: silent, which has no SNR; the sound is left as it is"  # wherever it lies
    sound = read_sound(tmp_path / "out" / row["video"], rate=16000)
    assert np.abs(sound.samples).max() == 0
    assert len(sound.samples) == 3200


def test_no_audio(tmp_path):
    write_video(tmp_path / "mute.mp4", textured(5), frame_rate=25)
    row = one(tmp_path / "mute.mp4", tmp_path / "out")
    assert (row["status"], row["snr"], row["blur"]) == ("no_audio", "", "2")
    assert probe(tmp_path / "out" / row["video"])[1:] == (64, 48, 25.0, None)


def test_missing_picture(tmp_path, tone):
    """A sound file in the video column."""
    write_sound(tmp_path / "voice.wav", tone(0.5))
    row = one(tmp_path / "voice.wav", tmp_path / "out")
    assert (row["status"], row["snr"], row["blur"], row["video"]) == ("no_video", "5", "", "media/clip.wav")
    assert read_sound(tmp_path / "out" / row["video"], rate=16000).seconds == 0.5


@pytest.mark.parametrize("name", ["cut.mp4", "cut.MKV"])
def test_truncated(make_clip, tmp_path, name):
    whole = make_clip().read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    row = one(tmp_path / name, tmp_path / "out")
    assert (row["status"], row["snr"], row["blur"]) == ("unreadable", "", "")
    assert row["video"] == f"media/clip{name[3:].lower()}"
    assert (tmp_path / "out" / row["video"]).read_bytes() == whole[: len(whole) // 2]
    assert sorted(p.name for p in (tmp_path / "out" / "media").iterdir()) == [f"clip{name[3:].lower()}"]


def test_unreadable_sound_beside_a_good_picture(make_clip, tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"no sound at all")
    row = one(make_clip(), tmp_path / "out", audio=tmp_path / "bad.wav")
    assert (row["status"], row["snr"], row["blur"]) == ("unreadable", "", "2")
    assert (tmp_path / "out" / row["audio"]).read_bytes() == b"no sound at all"
    assert probe(tmp_path / "out" / row["video"]).sample_rate is None


def test_missing_file(tmp_path):
    row = one(tmp_path / "nowhere.mpg", tmp_path / "out")
    assert (row["status"], row["video"]) == ("missing", "media/clip.mpg")
    assert not (tmp_path / "out" / "media").exists()


def test_odd_size(encode, tmp_path):
    frames = textured(5, 47, 63)
    source = encode("odd.mkv", video="ffv1", images=[np.ascontiguousarray(f) for f in frames])
    assert next(iterate_frames(source)).image.shape == (47, 63, 3)
    row = one(source, tmp_path / "out", blurs=(4,))
    assert next(iterate_frames(tmp_path / "out" / row["video"])).image.shape == (48, 64, 3)  # H.264 is even


def test_hostile_corpus_finishes(clean, tmp_path):
    """One bad clip never stops a run."""
    (clean.root / "v0.mp4").write_bytes(b"")
    (clean.root / "a1.wav").unlink()
    corrupt_corpus(clean, tmp_path / "noisy", snr=(5, 10), seed=1, workers=2)
    rows = manifest(tmp_path / "noisy")
    assert rows["status"].to_dict() == {
        "v0": "unreadable", "v1": "ok", "a0": "ok", "a1": "missing", "t0": "missing", "both": "unreadable",
    }  # fmt: skip
    assert rows.loc["both", "snr"] != ""  # its sound lies beside it and is fine


# The user's mistakes


@pytest.mark.parametrize("snr", [(10, 5), (5.2, 5.8), (math.nan, math.nan), (0, math.inf), (-9999, -9999)])
def test_bad_snr(clean, tmp_path, snr):
    with pytest.raises(UserError, match="SNR range"):
        corrupt_corpus(clean, tmp_path / "noisy", snr=snr, seed=1)


@pytest.mark.parametrize("blurs", [(), (3,), (1, 0)])
def test_bad_blur(clean, tmp_path, blurs):
    with pytest.raises(UserError, match="blur factors"):
        corrupt_corpus(clean, tmp_path / "noisy", snr=(5, 10), blurs=blurs, seed=1)


def test_bad_folders_and_splits(clean, tmp_path):
    with pytest.raises(UserError, match="clean corpus"):
        corrupt_corpus(clean, clean.root, snr=(5, 10), seed=1)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "corpus.csv").write_text("name,text\na,hi\n")
    with pytest.raises(UserError, match="another corpus"):
        corrupt_corpus(clean, tmp_path / "other", snr=(5, 10), seed=1)
    with pytest.raises(UserError, match="no folder"):
        corrupt_corpus(clean, tmp_path / "noisy", snr=(5, 10), noises=tmp_path / "nowhere", seed=1)
    with pytest.raises(UserError, match="no split 'test'"):
        corrupt_corpus(clean, tmp_path / "noisy", snr=(5, 10), splits=["test"], seed=1)
    assert not (tmp_path / "noisy").exists()
