"""One corpus in several parts."""

import dataclasses
import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from feature_extraction.encoder import get_spec
from feature_extraction.extract import extract_features
from feature_extraction.options import RunOptions, Shard
from feature_extraction.shards import merge_shards
from toolkit.cache import Cache
from toolkit.corpus import corpus_from_table
from toolkit.errors import UserError


def run(words, letters, root: Path, index: int, count: int = 3) -> None:
    extract_features(words, list(letters.specs), root, options=RunOptions(shard=Shard(index, count)))


def test_parts_joined_equal_the_whole(words, letters, tmp_path):
    (whole,) = extract_features(words, list(letters.specs), tmp_path / "whole")
    letters.seen.clear()
    for index in (2, 0, 1):
        run(words, letters, tmp_path / "parts", index)
    assert len(letters.seen) == 48  # each clip once, two have no text
    (joined,) = merge_shards(words, tmp_path / "parts")
    one, other = Cache(whole), Cache(joined)
    assert (one.names, one.status, one.reason, one.identity) == (
        other.names,
        other.status,
        other.reason,
        other.identity,
    )
    np.testing.assert_array_equal(one.row("utterance", one.names), other.row("utterance", one.names))
    assert not list((tmp_path / "parts").rglob("*.segments"))
    assert (tmp_path / "parts" / "words" / "failures.csv").read_text() == (
        tmp_path / "whole" / "words" / "failures.csv"
    ).read_text()


def test_parts_of_several_machines(words, letters, tmp_path):
    for index in range(3):
        run(words, letters, tmp_path / f"machine{index}", index)
    (joined,) = merge_shards(words, tmp_path / "machine0", [tmp_path / "machine1", tmp_path / "machine2"])
    assert Cache(joined).names == words.table["name"].tolist()
    assert (tmp_path / "machine1" / "words" / "text" / "letters.h5.segments").is_dir()  # theirs to delete


def test_missing_part_is_named(words, letters, tmp_path):
    run(words, letters, tmp_path, 0)
    with pytest.raises(UserError, match=r"32 of 50 clips are in no segment of letters\.h5, 'c16' for one"):
        merge_shards(words, tmp_path)
    run(words, letters, tmp_path, 2)
    extract_features(words, list(letters.specs), tmp_path)  # without --shard, the rest is made and all of it joined
    assert len(Cache(tmp_path / "words" / "text" / "letters.h5")) == 50


def test_a_part_run_again_does_nothing(words, letters, tmp_path):
    run(words, letters, tmp_path, 0)
    letters.seen.clear()
    run(words, letters, tmp_path, 0)
    assert letters.seen == []


def test_nothing_to_join(words, tmp_path):
    with pytest.raises(UserError, match=r"No segments of 'words' .*: no shard has run yet, or all are joined\."):
        merge_shards(words, tmp_path)


def test_a_folder_of_another_machine_that_is_not_there(words, letters, tmp_path):
    run(words, letters, tmp_path / "a", 0, 1)
    with pytest.raises(UserError, match=r"There is no folder .*machine, which stands after --from"):
        merge_shards(words, tmp_path / "a", [tmp_path / "machine"])
    assert not (tmp_path / "a" / "words" / "text" / "letters.h5").exists()


def test_parts_of_two_encoders_do_not_mix(words, letters, tmp_path, monkeypatch):
    run(words, letters, tmp_path / "a", 0, 2)
    other = dataclasses.replace(letters.specs[0], revision="2")
    extract_features(words, [other], tmp_path / "b", options=RunOptions(shard=Shard(1, 2)))
    with pytest.raises(UserError, match="was made with other settings of 'letters'"):
        merge_shards(words, tmp_path / "a", [tmp_path / "b"])


def test_overwrite_would_hurt_the_others(words, letters, tmp_path):
    with pytest.raises(UserError, match="would delete the other shards' work"):
        extract_features(words, list(letters.specs), tmp_path, options=RunOptions(shard=Shard(0, 2), overwrite=True))


def test_whole_run_waits_for_no_shard(words, letters, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    folder = tmp_path / "words" / "text"
    folder.mkdir(parents=True)
    with (folder / ".letters.h5.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # as a shard does
        with pytest.raises(UserError, match="Another run is making"):
            extract_features(words, list(letters.specs), tmp_path)
        run(words, letters, tmp_path, 0)
    shutil.rmtree(folder)


def test_a_shard_removes_no_segments_of_others(words, letters, tmp_path):
    extract_features(words, list(letters.specs), tmp_path)
    words.table.loc[3, "text"] = "no longer blank"
    specs = list(letters.specs)
    extract_features(words, specs, tmp_path, options=RunOptions(shard=Shard(0, 2), retry=True))
    run(words, letters, tmp_path, 1, 2)  # without --retry there is nothing to do
    (joined,) = merge_shards(words, tmp_path)
    assert Cache(joined).status[3] == "ok"


def test_the_latest_word_on_a_clip_counts(words, letters, tmp_path):
    """Segments of an older corpus, whose table lacked a transcript, lie beside those of the newer one."""
    for trial in range(1, 4):  # segments are called by hashes, so their names are in no order
        root = tmp_path / str(trial)
        old = dataclasses.replace(words, table=words.table.iloc[trial:].reset_index(drop=True))
        run(old, letters, root, 0, 1)
        for file in root.rglob("*.segments/*.h5"):
            with h5py.File(file, "r+") as opened:
                opened.attrs["created"] = "2020-01-01T00:00:00+00:00"
        new = dataclasses.replace(words, table=words.table.copy())
        new.table.loc[[3, 33], "text"] = "no longer blank"
        run(new, letters, root, 0, 1)
        (joined,) = merge_shards(new, root)
        assert [Cache(joined).clip(name).status for name in ("c03", "c33")] == ["ok", "ok"]


def test_an_unfinished_encoder_does_not_keep_the_others_apart(words, letters, tmp_path):
    for index in range(3):
        run(words, letters, tmp_path, index)
    finished = dataclasses.replace(letters.specs[0], name="zzz")
    for index in range(3):
        extract_features(words, [finished], tmp_path, options=RunOptions(shard=Shard(index, 3)))
    lost = next((tmp_path / "words" / "text" / "letters.h5.segments").glob("[!.]*.h5"))
    lost.unlink()
    with pytest.raises(UserError, match=r"of 50 clips are in no segment of letters\.h5"):
        merge_shards(words, tmp_path)
    assert len(Cache(tmp_path / "words" / "text" / "zzz.h5")) == 50


def test_crops_of_all_shards_come_first(tmp_path):
    table = pd.DataFrame({"name": [f"c{n:02d}" for n in range(20)], "video": "absent.mp4"})
    corpus = corpus_from_table("films", tmp_path, table)
    spec = get_spec("face-hog", "visual")

    def part(index: int) -> list[Path]:
        return extract_features(corpus, [spec], tmp_path, options=RunOptions(shard=Shard(index, 2)))

    for index in range(2):
        with pytest.raises(UserError, match=f"face crops of shard {index}/2 are made.*`merge`, then run this"):
            part(index)
    merge_shards(corpus, tmp_path)
    for index in range(2):
        part(index)
    (joined,) = merge_shards(corpus, tmp_path)
    assert Cache(joined).status == ["missing"] * 20
