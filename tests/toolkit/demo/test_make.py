"""The demo on disk: whole, resumed, and the same bytes again."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
import yaml

from toolkit.demo.make import MARK, TABLE, UNFINISHED, finish_demo, make_demo
from toolkit.demo.plan import plan_demo
from toolkit.errors import ClipError, UserError
from toolkit.media import is_silent, iterate_frames, probe, read_sound
from toolkit.mixing import rms

MAKE = "import sys; from pathlib import Path; from toolkit.demo.make import make_demo; \
make_demo(Path(sys.argv[1]), scale='tiny', workers=1)"


def clip_of(tiny, hostile):
    table = pd.read_csv(tiny / TABLE)
    return tiny / table.loc[table["hostile"] == hostile, "video"].item()


def test_layout(tiny):
    assert sorted(path.name for path in tiny.iterdir()) == [TABLE, MARK, "video"]
    assert yaml.safe_load((tiny / MARK).read_text()) == {"version": 2, "scale": "tiny", "seed": 0, "clips": 25}
    table = pd.read_csv(tiny / TABLE)
    assert sorted(path.name for path in (tiny / "video").iterdir()) == sorted(f"{name}.mp4" for name in table["name"])


def test_media_have_picture_and_sound_of_one_length(tiny):
    table = pd.read_csv(tiny / TABLE)
    for video in table.loc[table["hostile"].isna(), "video"]:
        facts = probe(tiny / video)
        assert (facts.width, facts.height, facts.frame_rate, facts.sample_rate) == (320, 240, 12, 16000)
        assert 0.9 < facts.seconds < 2
        assert sum(1 for _ in iterate_frames(tiny / video)) / 12 == pytest.approx(facts.seconds, abs=0.01)
        sound = read_sound(tiny / video, rate=16000)
        assert sound.seconds == pytest.approx(facts.seconds, abs=0.01)
        assert not is_silent(sound)


def test_silent(tiny):
    assert is_silent(read_sound(clip_of(tiny, "silent"), rate=16000))


def test_truncated(tiny):
    with pytest.raises(ClipError, match="unreadable"):
        probe(clip_of(tiny, "truncated"))


def test_no_face_has_sound_and_picture(tiny):
    facts = probe(clip_of(tiny, "no_face"))
    assert facts.sample_rate == 16000
    assert facts.width == 320


def test_no_sound_stream(tmp_path):
    from toolkit.demo.clip import render_clip

    plan = next(plan for plan in plan_demo("small", 0) if plan.hostile == "no_sound")
    render_clip(plan, tmp_path / "clip.mp4")
    facts = probe(tmp_path / "clip.mp4")
    assert facts.sample_rate is None
    assert facts.seconds > 1


def test_noise_split_is_noisy_where_nobody_speaks(tiny):
    table = pd.read_csv(tiny / TABLE).set_index("split")
    noisy, clean = (read_sound(tiny / table.loc[split, "video"].iloc[0], rate=16000).samples
                    for split in ("test_noise", "test_multi"))  # fmt: skip
    assert rms(noisy[:1600]) > 10 * rms(clean[:1600])


def test_what_must_not_be_known_is_missing(tiny):
    table = pd.read_csv(tiny / TABLE)
    pool = table["split"] == "unlabelled"
    for column in ("emotion", "valence", "openset"):
        assert table.loc[pool, column].isna().all()
        assert table.loc[~pool, column].notna().all()


def test_made_again_it_is_the_same_bytes_whatever_the_number_of_workers(tiny, tmp_path):
    unfinished(tiny, tmp_path / "again", keep=21)
    again = make_demo(tmp_path / "again", scale="tiny", workers=2)
    assert differing(tiny, again) == []


def differing(one, other):
    """Returns the names of files of a demo that another has not, or with other bytes, and how many of those differ."""
    found = []
    for path in sorted(path for path in one.rglob("*") if path.is_file() and not path.name.startswith(".")):
        twin = other / path.relative_to(one)
        first, second = path.read_bytes(), twin.read_bytes() if twin.exists() else b""
        if first != second:
            unlike = sum(a != b for a, b in zip(first, second, strict=False))
            found.append(f"{path.name}: {len(first)} and {len(second)} bytes, {unlike} unlike")
    return found


def unfinished(tiny, out, keep):
    """Makes what a run leaves behind that was stopped after some clips."""
    (out / "video").mkdir(parents=True)
    for path in sorted((tiny / "video").iterdir())[:keep]:
        shutil.copy(path, out / "video")
    facts = yaml.safe_load((tiny / MARK).read_text())
    del facts["clips"]
    (out / UNFINISHED).write_text(yaml.safe_dump(facts))


def test_killed_it_is_not_whole_and_goes_on_where_it_was(tiny, tmp_path):
    out = tmp_path / "killed"
    with subprocess.Popen([sys.executable, "-c", MAKE, str(out)], start_new_session=True) as process:
        while len(list(out.glob("video/demo_*.mp4"))) < 2:
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    assert (out / UNFINISHED).exists()
    assert not (out / MARK).exists()
    assert not (out / TABLE).exists()
    for path in (tiny / "video").iterdir():  # spares drawing the rest anew
        if path.name > "demo_0005.mp4" and not (out / "video" / path.name).exists():
            shutil.copy(path, out / "video")
    finish_demo(out)
    made = [path for path in sorted(out.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    assert differing(out, tiny) == []
    assert len(made) == 27


def test_a_whole_demo_is_left_alone(tiny):
    before = {path: path.stat().st_mtime_ns for path in tiny.rglob("*")}
    assert make_demo(tiny, scale="tiny") == tiny
    assert {path: path.stat().st_mtime_ns for path in tiny.rglob("*")} == before


def test_other_arguments_than_the_demo_that_is_there(tiny):
    with pytest.raises(UserError, match=r"is a demo of version 2, scale tiny, seed 0, expected .* seed 1"):
        make_demo(tiny, scale="tiny", seed=1)


def test_folder_with_other_things(tmp_path):
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(UserError, match="has other things in it"):
        make_demo(tmp_path, scale="tiny")


def test_unknown_scale(tmp_path):
    with pytest.raises(UserError, match="Expected one of tiny, small, full"):
        make_demo(tmp_path / "demo", scale="huge")


def test_broken_mark(tmp_path):
    (tmp_path / MARK).write_text("scale: [tiny")
    with pytest.raises(UserError, match="Delete the folder"):
        make_demo(tmp_path)
