"""The extraction loop: statuses, resuming, completing, refusing."""

import dataclasses
import multiprocessing
import os
import random
import signal
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from feature_extraction.encoder import get_spec
from feature_extraction.extract import extract_features
from feature_extraction.options import RunOptions
from feature_extraction.source import SoundSource
from feature_extraction.spec import EncoderSpec, Level
from toolkit.cache import Cache, CacheWriter, verify
from toolkit.corpus import Corpus, corpus_from_table
from toolkit.errors import UserError
from toolkit.media import Sound, write_sound
from toolkit.spool import NoRoomError


def extract(corpus: Corpus, spec: EncoderSpec, root: Path, *, level: Level = "utterance", **options: Any) -> Path:
    """Extracts with one encoder at one level and returns the cache."""
    (path,) = extract_features(corpus, [spec], root, levels=(level,), options=RunOptions(**options))
    return path


def datasets(path: Path) -> dict[str, np.ndarray]:
    """Returns every dataset of a file by name."""
    found: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def assert_equal(first: Path, second: Path) -> None:
    one, other = datasets(first), datasets(second)
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], strict=True, err_msg=name)


def test_statuses_and_values(words, letters, tmp_path):
    path = extract(words, letters.specs[0], tmp_path / "cache", level="frame")
    assert path == tmp_path / "cache" / "words" / "text" / "letters.frames.h5"
    assert verify(path) == []
    cache = Cache(path)
    assert cache.names == words.table["name"].tolist()
    failed = {
        name: (status, reason)
        for name, status, reason in zip(cache.names, cache.status, cache.reason, strict=True)
        if status != "ok"
    }
    assert failed == {
        "c03": ("empty_text", "only blanks in column 'text'"),
        "c10": ("too_short", "one word is not enough"),
        "c20": ("not_finite", "the encoder gave NaN or infinity"),
        "c33": ("empty_text", "no transcript in column 'text'"),
    }
    record = cache.clip("c01")
    codes = [ord(letter) for letter in "clip number 1"]
    assert record.ragged["frames/values"][:, 0].tolist() == codes
    assert record.ragged["frames/time"][-1].tolist() == [12, 13]
    assert record.row["utterance"][0] == np.float32(np.mean(codes))


def test_utterance_level_keeps_no_frames(words, letters, tmp_path):
    path = extract(words, letters.specs[0], tmp_path)
    assert path.name == "letters.h5"
    assert Cache(path).fields == {"utterance": (50, 2)}


def test_unforeseen_error_costs_one_clip_and_is_told(words, letters, tmp_path, monkeypatch, caplog):
    whole = extract(words, letters.specs[0], tmp_path / "whole")
    monkeypatch.setattr(letters, "broken", frozenset({"clip number 7"}))
    path = extract(words, letters.specs[0], tmp_path / "odd")
    cache, names = Cache(path), words.table["name"].tolist()
    assert cache.status[7] == "error"
    assert cache.reason[7] == "ValueError: cannot bear 'clip number 7'"
    rest = [name for name in names if name != "c07"]
    np.testing.assert_array_equal(cache.row("utterance", rest), Cache(whole).row("utterance", rest))
    assert "text/letters: unforeseen error in clip 'c07'" in caplog.text
    assert "Traceback" in caplog.text


def test_unforeseen_error_in_reading(words, letters, tmp_path, monkeypatch):
    def load(self, row):
        if row["name"] == "c09":
            raise MemoryError
        return row["name"]

    monkeypatch.setattr("feature_extraction.source.TextSource.load", load)
    cache = Cache(extract(words, letters.specs[0], tmp_path))
    assert (cache.status[9], cache.reason[9]) == ("error", "MemoryError")
    assert cache.status.count("ok") == 49


def test_encoder_that_breaks_at_every_clip_ends_the_run(words, letters, tmp_path, monkeypatch):
    monkeypatch.setattr(letters, "broken", frozenset({"all"}))
    with pytest.raises(RuntimeError, match="text/letters failed for each of 15 clips") as error:
        extract(words, letters.specs[0], tmp_path)
    assert isinstance(error.value.__cause__, ValueError)
    assert not list(tmp_path.rglob("*.h5"))  # nothing to retry once it is mended


def test_second_run_extracts_nothing_and_says_so(words, letters, tmp_path, caplog):
    path = extract(words, letters.specs[0], tmp_path)
    before = path.read_bytes()
    letters.seen.clear()
    with caplog.at_level("INFO"):
        extract(words, letters.specs[0], tmp_path)
    assert letters.seen == []
    assert path.read_bytes() == before
    assert "all 50 clips are there, nothing to extract" in caplog.text


def test_grown_corpus_computes_only_new_clips(words, letters, tmp_path):
    few = words.only(words.table.index < 20)
    path = extract(few, letters.specs[0], tmp_path / "grown")
    letters.seen.clear()
    extract(words, letters.specs[0], tmp_path / "grown")
    assert letters.seen[0] == "nan"
    assert letters.seen[-1] == "clip number 49"
    assert len(letters.seen) == 29
    assert_equal(path, extract(words, letters.specs[0], tmp_path / "whole"))


def test_shrunk_corpus_loses_nothing(words, letters, tmp_path):
    path = extract(words, letters.specs[0], tmp_path)
    changed = words.table.tail(5).assign(name=[f"new{n}" for n in range(5)])
    extract(dataclasses.replace(words, table=changed), letters.specs[0], tmp_path)
    assert Cache(path).names == [f"new{n}" for n in range(5)] + words.table["name"].tolist()


def test_retry_tries_failed_clips_again(words, letters, tmp_path):
    path = extract(words, letters.specs[0], tmp_path)
    words.table.loc[3, "text"] = "no longer blank"
    extract(words, letters.specs[0], tmp_path)
    assert Cache(path).status[3] == "empty_text"
    letters.seen.clear()
    extract(words, letters.specs[0], tmp_path, retry=True)
    assert Cache(path).status[3] == "ok"
    assert letters.seen == ["no longer blank", "short", "nan"]
    assert Cache(path).names == words.table["name"].tolist()


def test_cache_of_another_encoder_version(words, letters, tmp_path):
    spec = letters.specs[0]
    extract(words, spec, tmp_path)
    newer = dataclasses.replace(spec, revision="2")
    with pytest.raises(UserError, match=f"{spec.identity}, expected {newer.identity}"):
        extract(words, newer, tmp_path)
    path = extract(words, newer, tmp_path, overwrite=True)
    assert Cache(path).identity == newer.identity


def test_licence_is_not_part_of_the_identity(letters):
    spec = letters.specs[0]
    assert dataclasses.replace(spec, licence="MIT").identity == spec.identity
    assert dataclasses.replace(spec, pooling="own").identity != spec.identity


def test_two_runs_at_once(words, letters, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    folder = tmp_path / "words" / "text"
    folder.mkdir(parents=True)
    with (folder / ".letters.h5.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="Another run is making"):
            extract(words, letters.specs[0], tmp_path)


def test_corpus_of_the_same_name_elsewhere_is_noticed(words, letters, tmp_path, caplog):
    extract(words, letters.specs[0], tmp_path)
    extract(words, letters.specs[0], tmp_path)
    assert "taken to be the same" not in caplog.text
    extract(dataclasses.replace(words, root=tmp_path / "other"), letters.specs[0], tmp_path)
    assert f"made from clips in {tmp_path}; those of the same name in {tmp_path / 'other'} are taken" in caplog.text


def test_folder_that_cannot_be_written(words, letters, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"words/text cannot be written: Not a directory"):
        extract(words, letters.specs[0], tmp_path / "file")


def test_full_disk(words, letters, tmp_path, monkeypatch):
    usage = namedtuple("usage", "free")

    def room_for_one_segment(_: Path) -> tuple[int]:
        return usage(0 if any(tmp_path.rglob("[!.]*.h5")) else 1 << 30)

    with monkeypatch.context() as full:
        full.setattr("shutil.disk_usage", room_for_one_segment)
        with pytest.raises(UserError, match=r"No space left on device\. What is finished is kept"):
            extract(words, letters.specs[0], tmp_path)
    letters.seen.clear()
    path = extract(words, letters.specs[0], tmp_path)
    assert letters.seen[0] == "clip number 16"
    assert verify(path) == []


def test_encoder_that_cannot_be_built_ends_the_run(words, letters, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ImportError("libsound.so is broken")

    monkeypatch.setattr(letters, "__init__", fail)
    with pytest.raises(ImportError, match="libsound"):
        extract(words, letters.specs[0], tmp_path)


def test_workers_give_the_same_file(demo_text, tmp_path):
    spec = get_spec("char-hash", "text")
    one = extract(demo_text, spec, tmp_path / "one", workers=1)
    two = extract(demo_text, spec, tmp_path / "two", workers=2)
    assert_equal(one, two)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
def test_killed_at_twenty_moments_and_resumed(words, letters, tmp_path, monkeypatch):
    whole = extract(words, letters.specs[0], tmp_path / "whole", level="frame")
    monkeypatch.setattr(letters, "pause", 0.004)
    moments = random.Random(0)
    fork = multiprocessing.get_context("fork")
    interrupted = 0
    for trial in range(20):
        target = tmp_path / f"killed{trial}"
        run = fork.Process(target=extract, args=(words, letters.specs[0], target), kwargs={"level": "frame"})
        run.start()
        time.sleep(moments.uniform(0, 0.35))
        os.kill(run.pid, signal.SIGKILL)
        run.join()
        final = target / "words" / "text" / "letters.frames.h5"
        interrupted += not final.exists()
        segments = target.glob("words/text/*.segments/[!.]*.h5")
        saved = {name for path in [*segments, *target.glob("words/text/*.h5")] for name in Cache(path).names}
        letters.seen.clear()
        assert extract(words, letters.specs[0], target, level="frame") == final
        left = words.table[~words.table["name"].isin(saved | {"c03", "c33"})]
        assert letters.seen == left["text"].tolist()  # finished segments are taken over, not computed again
        assert_equal(whole, final)
        assert sorted(path.name for path in final.parent.iterdir()) == [".letters.frames.h5.lock", final.name]
    assert interrupted >= 10  # otherwise the test killed nothing and shows nothing


def test_encoders_named_together_read_each_clip_once(tmp_path, monkeypatch):
    times = np.arange(8000) / 16000
    for number in range(6):
        write_sound(tmp_path / f"{number}.wav", Sound(np.sin(300 * (number + 1) * times).astype(np.float32), 16000))
    table = pd.DataFrame({"name": [f"c{n}" for n in range(7)], "audio": [f"{n}.wav" for n in range(7)]})
    corpus = corpus_from_table("tones", tmp_path, table)
    read = []
    load = SoundSource.load
    monkeypatch.setattr(SoundSource, "load", lambda self, row: (read.append(row["name"]), load(self, row))[1])
    specs = [get_spec(name, "audio") for name in ("prosody", "egemaps")]
    together = extract_features(corpus, specs, tmp_path / "together", levels=("utterance", "frame"))
    assert sorted(read) == table["name"].tolist()
    assert [path.name for path in together] == ["prosody.h5", "prosody.frames.h5", "egemaps.h5", "egemaps.frames.h5"]
    for spec, path in zip(specs, together[::2], strict=True):
        assert_equal(extract(corpus, spec, tmp_path / "apart"), path)
        assert Cache(path).status == ["ok"] * 6 + ["missing"]


def test_both_levels_cost_one_forward(words, letters, tmp_path):
    brief, full = extract_features(words, list(letters.specs), tmp_path, levels=("utterance", "frame"))
    assert len(letters.seen) == 48
    names = Cache(brief).names
    np.testing.assert_array_equal(Cache(brief).row("utterance", names), Cache(full).row("utterance", names))
    assert_equal(brief, extract(words, letters.specs[0], tmp_path / "apart"))
    assert_equal(full, extract(words, letters.specs[0], tmp_path / "apart", level="frame"))


def test_level_that_is_there_is_not_made_again(words, letters, tmp_path):
    extract(words.only(words.table.index < 20), letters.specs[0], tmp_path)
    letters.seen.clear()
    brief, full = extract_features(words, list(letters.specs), tmp_path, levels=("utterance", "frame"))
    assert len(letters.seen) == 29 + 48  # what one cache lacks, and all that the other does
    assert Cache(brief).names == Cache(full).names == words.table["name"].tolist()


def test_width_that_is_not_the_specs(words, letters, tmp_path):
    with pytest.raises(UserError, match="'letters' gives 2 numbers per clip, its spec says 3"):
        extract(words, dataclasses.replace(letters.specs[0], dim=3), tmp_path)


def test_two_encoders_of_one_name(words, letters, tmp_path):
    spec = letters.specs[0]
    other = dataclasses.replace(spec, checkpoint="hf:/elsewhere/letters")
    with pytest.raises(UserError, match=r"Two encoders are called 'letters': builtin#1 and hf:/elsewhere/letters#1"):
        extract_features(words, [spec, other], tmp_path)
    extract_features(words, [spec, spec], tmp_path)  # one named twice is one


def test_nothing_is_overwritten_before_all_of_it_may_be(words, letters, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    options = RunOptions(overwrite=True)
    brief, full = extract_features(words, list(letters.specs), tmp_path, levels=("utterance", "frame"))
    with full.with_name(f".{full.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="Another run is making"):
            extract_features(words, list(letters.specs), tmp_path, levels=("utterance", "frame"), options=options)
    assert brief.exists()


@pytest.mark.parametrize("alone", [False, True])
def test_nothing_is_overwritten_by_an_encoder_that_cannot_run(words, letters, tmp_path, monkeypatch, alone):
    (path,) = extract_features(words, list(letters.specs), tmp_path)
    before = path.read_bytes()

    def break_down(*_: object, **__: object) -> None:
        raise UserError("Device 'gpu' cannot be used")

    monkeypatch.setattr(letters, "alone", alone)
    with monkeypatch.context() as broken:
        broken.setattr("feature_extraction.feature_job.build_encoder", break_down)
        with pytest.raises(UserError, match="Device 'gpu'"):
            extract_features(words, list(letters.specs), tmp_path, options=RunOptions(overwrite=True))
    assert path.read_bytes() == before
    letters.seen.clear()
    extract_features(words, list(letters.specs), tmp_path, options=RunOptions(overwrite=True))
    assert len(letters.seen) == 48  # all but the two without a text


def test_an_encoder_that_cannot_run_is_known_before_faces_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_WEIGHTS", str(tmp_path))
    table = pd.DataFrame({"name": [f"c{n:02d}" for n in range(17)], "video": "gone.mp4"})
    clips = corpus_from_table("films", tmp_path, table)
    with pytest.raises(UserError, match=r"'emonet' needs the weights .*emonet_8\.pth, which do not exist"):
        extract_features(clips, [get_spec("emonet", "visual")], tmp_path)
    assert not (tmp_path / "films").exists()


def test_retry_of_clips_that_all_break_again(words, letters, tmp_path, monkeypatch):
    monkeypatch.setattr(letters, "broken", frozenset({"clip number 7", "clip number 8"}))
    path = extract(words, letters.specs[0], tmp_path)
    rest = words.only(~words.table["name"].isin(["c10", "c20"]))  # which fail in another way
    extract(rest, letters.specs[0], tmp_path, retry=True)
    cache = Cache(path)
    assert (cache.status[7:9], cache.status.count("ok")) == (["error", "error"], 44)


def test_a_full_folder_for_temporary_files_is_not_the_caches(words, letters, tmp_path, monkeypatch):
    def full(self, batch):
        raise NoRoomError("2.0 GB of one clip do not fit")

    monkeypatch.setattr(letters, "encode", full)
    with pytest.raises(NoRoomError, match=r"^2\.0 GB of one clip do not fit$"):
        extract(words, letters.specs[0], tmp_path)


def test_library_that_cannot_be_loaded_is_not_the_caches_fault(words, letters, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("libsound.so: cannot open shared object file")

    monkeypatch.setattr(letters, "__init__", fail)
    with pytest.raises(RuntimeError, match="text/letters cannot be built") as error:
        extract(words, letters.specs[0], tmp_path)
    assert "libsound" in str(error.value.__cause__)


def extract_and_die(corpus: Corpus, specs: list[EncoderSpec], root: Path, files: int) -> None:
    """Extracts at both levels; the process is killed once it has finished so many files, segments or caches."""
    close, closed = CacheWriter.close, []

    def close_and_die(writer: CacheWriter) -> None:
        close(writer)
        closed.append(writer.path)
        if len(closed) == files:
            os.kill(os.getpid(), signal.SIGKILL)

    CacheWriter.close = close_and_die  # of this process only
    extract_features(corpus, specs, root, levels=("utterance", "frame"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
def test_two_encoders_at_both_levels_killed_between_files(words, letters, tmp_path, monkeypatch):
    """They share batches and segments; what each of their four caches lacks when the run is killed is its own."""
    both = ("utterance", "frame")
    specs = [letters.specs[0], dataclasses.replace(letters.specs[0], name="again")]
    monkeypatch.setattr("feature_extraction.extract._sharing", lambda specs: [specs])  # as encoders of sound do
    whole = extract_features(words, specs, tmp_path / "whole", levels=both)
    fork = multiprocessing.get_context("fork")
    for files in (1, 2, 4, 7, 16, 17, 18, 19, 20):  # four segments of each, then four caches
        target = tmp_path / f"killed{files}"
        run = fork.Process(target=extract_and_die, args=(words, specs, target, files))
        run.start()
        run.join()
        assert run.exitcode == -signal.SIGKILL
        for one, other in zip(whole, extract_features(words, specs, target, levels=both), strict=True):
            assert_equal(one, other)
        assert not list(target.rglob("*.segments"))
