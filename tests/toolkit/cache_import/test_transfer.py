"""From a folder into a cache: every clip has a row, nothing is half, and what cannot be is said before the work."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from toolkit.cache import Cache, verify
from toolkit.cache_import import import_features
from toolkit.cache_import.arrays import Arrays, Part
from toolkit.cache_import.folder import NpyFolder
from toolkit.errors import UserError

ROOT = Path(__file__).resolve().parents[3]
VECTORS = {name: np.arange(4, dtype=np.float32) + number for number, name in enumerate("abcd", start=1)}


def frames(length, start=1.0):
    return np.arange(start, start + 2 * length, dtype=np.float32).reshape(length, 2)


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_vectors(save, corpus, make_spec, tmp_path):
    folder = save("manet_UTT", a=VECTORS["a"], c=np.array([]), d=np.full(4, np.nan), e=VECTORS["b"], z=VECTORS["c"])
    (folder / "readme.md").touch()
    spec = make_spec()
    summary = import_features(NpyFolder(folder), corpus, spec, tmp_path / "cache")
    assert summary.path == tmp_path / "cache" / "five" / "visual" / "manet.h5"
    assert dict(summary.counts) == {"ok": 2, "missing": 1, "no_face": 1, "not_finite": 1}
    assert summary.examples == {
        "missing": ("b", "manet_UTT has nothing for it"),
        "no_face": ("c", "the array is empty"),
        "not_finite": ("d", "NaN or infinity in 1 of 1 frames"),
    }
    assert summary.left_over == ["readme.md", "z"]
    assert verify(summary.path) == []
    cache = Cache(summary.path)
    assert cache.names == list("abcde")
    assert cache.status == ["ok", "missing", "no_face", "not_finite", "ok"]
    assert (cache.corpus, cache.identity, cache.root) == ("five", spec.identity, "")
    assert cache.spec == json.loads(spec.to_json())
    assert sorted(cache.versions) == ["h5py", "numpy"]
    np.testing.assert_array_equal(cache.row("utterance", ["e", "a"]), [VECTORS["b"], VECTORS["a"]])
    assert np.isnan(cache.row("utterance", ["b", "c", "d"])).all()
    assert cache.file.datasets["utterance"].offset is not None, "stored end to end"
    assert files(tmp_path / "cache") == ["manet.h5"]


def test_frames(save, corpus, make_spec, tmp_path):
    save("manet_FRA/d", f2=np.array([3.0, 4.0]), f1=np.array([1.0, 2.0]))
    folder = save("manet_FRA", a=frames(2), b=np.array([]), e=frames(3, 10))
    summary = import_features(NpyFolder(folder), corpus, make_spec(frame_rate=10.0), tmp_path / "cache")
    assert summary.path.name == "manet.frames.h5"
    assert verify(summary.path) == []
    cache = Cache(summary.path)
    assert cache.status == ["ok", "no_face", "missing", "ok", "ok"]
    assert cache.ragged("frames/values", "e").tolist() == [[10, 11], [12, 13], [14, 15]]
    assert cache.ragged("frames/values", "d").tolist() == [[1, 2], [3, 4]]
    assert len(cache.ragged("frames/values", "b")) == 0
    np.testing.assert_allclose(cache.ragged("frames/time", "e"), [0.05, 0.15, 0.25])
    assert cache.row("utterance", ["a", "e"]).tolist() == [[2, 3], [12, 13]]
    assert cache.file.datasets["frames/values"].offset is not None, "stored end to end"
    assert files(tmp_path / "cache") == ["manet.frames.h5"]


def test_no_times_where_nobody_knows_them(save, corpus, make_spec, tmp_path):
    summary = import_features(NpyFolder(save("x_FRA", a=frames(2))), corpus, make_spec(), tmp_path / "cache")
    assert set(Cache(summary.path).fields) == {"utterance", "frames/values"}
    assert verify(summary.path) == []
    with pytest.raises(UserError, match="has no frames/time"):
        Cache(summary.path).ragged("frames/time", "a")


def test_only_the_means_of_frames(save, corpus, make_spec, tmp_path):
    folder = save("x_FRA", a=frames(2))
    summary = import_features(NpyFolder(folder), corpus, make_spec(), tmp_path / "cache", level="utterance")
    assert summary.path.name == "manet.h5"
    assert Cache(summary.path).fields == {"utterance": (5, 2)}


@pytest.mark.parametrize("position", range(5))
def test_a_clip_of_another_dimension_fails_alone(save, corpus, make_spec, tmp_path, position):
    clips = {name: np.ones(3 if number == position else 4) for number, name in enumerate("abcde")}
    summary = import_features(NpyFolder(save("x_UTT", **clips)), corpus, make_spec(), tmp_path / "cache")
    assert dict(summary.counts) == {"ok": 4, "unreadable": 1}
    assert summary.examples["unreadable"] == ("abcde"[position], "has 3 numbers per frame, the others have 4")


def test_every_clip_failed(save, corpus, make_spec, tmp_path):
    summary = import_features(NpyFolder(save("x_UTT", a=np.array([]))), corpus, make_spec(), tmp_path / "cache")
    assert dict(summary.counts) == {"no_face": 1, "missing": 4}
    assert verify(summary.path) == []


def test_nothing_for_any_clip(save, corpus, make_spec, tmp_path):
    save("features/manet_UTT", a=np.ones(2))
    with pytest.raises(
        UserError, match=r"has nothing for any clip of 'five'. It has 'manet_UTT'; the clips are called"
    ):
        import_features(NpyFolder(save("features")), corpus, make_spec(), tmp_path / "cache", level="utterance")
    assert not (tmp_path / "cache").exists()


def test_level_that_does_not_show(save, corpus, make_spec, tmp_path):
    origin = NpyFolder(save("manet", a=frames(2)))
    with pytest.raises(UserError, match=r"'manet' ends in neither UTT nor FRA and .* Say --level utterance"):
        import_features(origin, corpus, make_spec(), tmp_path / "cache")
    assert import_features(origin, corpus, make_spec(), tmp_path, level="frame").path.name == "manet.frames.h5"


def test_levels_that_do_not_fit(save, corpus, make_spec, tmp_path):
    vectors = NpyFolder(save("x_UTT", a=np.ones(2)))
    with pytest.raises(UserError, match="has one vector per clip, and --level frame asks for frames"):
        import_features(vectors, corpus, make_spec(), tmp_path / "cache", level="frame")
    with pytest.raises(UserError, match="--rate says when the frames of a clip are, and none are kept"):
        import_features(vectors, corpus, make_spec(frame_rate=5.0), tmp_path / "cache")


def test_a_cache_that_is_there_stays(save, corpus, make_spec, tmp_path):
    first = import_features(NpyFolder(save("x_UTT", a=np.ones(2))), corpus, make_spec(), tmp_path / "cache")
    before = first.path.read_bytes()
    other = NpyFolder(save("y_UTT", a=np.full(2, 5)))
    with pytest.raises(UserError, match=r"There is a cache at .*manet.h5 already. Give another --encoder name"):
        import_features(other, corpus, make_spec(), tmp_path / "cache")
    assert first.path.read_bytes() == before
    import_features(other, corpus, make_spec(), tmp_path / "cache", overwrite=True)
    assert Cache(first.path).row("utterance", ["a"]).tolist() == [[5, 5]]


def test_a_name_in_two_modalities(save, corpus, make_spec, tmp_path):
    import_features(NpyFolder(save("x_UTT", a=np.ones(2))), corpus, make_spec(), tmp_path / "cache")
    with pytest.raises(UserError, match=r"'manet' is the name of .*visual/manet.h5 already. .* such as manet-audio"):
        import_features(NpyFolder(save("x_UTT")), corpus, make_spec(modality="audio"), tmp_path / "cache")


def test_order_is_that_of_the_corpus(make_spec, corpus, tmp_path):
    numbers = np.random.default_rng(0).permutation(5)
    part = Part(["abcde"[number] for number in numbers], numbers[:, None] + 1.0)
    summary = import_features(Arrays(Path("x.npz"), "npz file", "k", [part]), corpus, make_spec(), tmp_path)
    assert Cache(summary.path).row("utterance", list("abcde")).ravel().tolist() == [1, 2, 3, 4, 5]


def test_an_error_leaves_nothing(save, corpus, make_spec, tmp_path, monkeypatch):
    def fail(self, name):
        if name == "c":
            raise RuntimeError("the disk is on fire")
        return np.ones((2, 2))

    monkeypatch.setattr(NpyFolder, "read", fail)
    folder = save("x_FRA", **{name: frames(2) for name in "abcde"})
    monkeypatch.setattr("toolkit.cache_import.transfer._usual_dim", lambda *_: 2)
    with pytest.raises(RuntimeError):
        import_features(NpyFolder(folder), corpus, make_spec(), tmp_path / "cache")
    assert files(tmp_path / "cache") == []


STUCK = """
import sys, time
from pathlib import Path
from toolkit.cache_import import folder, transfer
load, reached = folder._load, Path(sys.argv.pop())
transfer._usual_dim = lambda *_: 2

def stuck(path):
    if path.stem == "e":
        reached.touch()
        time.sleep(60)
    return load(path)

folder._load = stuck
from toolkit.cli import run
run()
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_killed_while_it_writes(save, tmp_path):
    folder = save("x-FRA", **{name: frames(40) for name in "abcde"})
    (tmp_path / "five.csv").write_text("name,text\n" + "".join(f"{name},words\n" for name in "abcde"))
    cache = tmp_path / "cache" / "five" / "visual"
    line = ["cache", "import", "--from", folder, "--corpus", tmp_path / "five.csv", "--modality", "visual"]
    line += ["--encoder", "x", "--cache", tmp_path / "cache", tmp_path / "reached"]
    process = subprocess.Popen([sys.executable, "-c", STUCK, *map(str, line)], cwd=ROOT)
    deadline = time.monotonic() + 30
    while not (tmp_path / "reached").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (tmp_path / "reached").exists()
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = files(cache)
    assert left, "something was being written"
    assert not [name for name in left if name.endswith(".h5")], "what is half has no cache's name"
    again = [sys.executable, "-m", "toolkit", *map(str, line[:-1])]
    subprocess.run(again, cwd=ROOT, check=True, capture_output=True)
    assert files(cache) == ["x.frames.h5"]
    assert Cache(cache / "x.frames.h5").status == ["ok"] * 5
