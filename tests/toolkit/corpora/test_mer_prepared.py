"""Folders of MERTools beside the releases that they were made of, both small."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.corpora import mer2023, mer2024
from toolkit.corpora.mer_prepared import ARCHIVE
from toolkit.corpus import load_corpus
from toolkit.errors import UserError

TRAIN = {"s1": ("sad", -10), "s0": ("happy", 2.25), "s2": ("worried", np.float64(0))}
TESTS = {
    "test1_corpus": {"m1": ("angry", -4.75), "m0": ("neutral", 0.5)},
    "test2_corpus": {"n0": ("neutral", np.float32(-1.25))},
    "test3_corpus": {"p1": ("surprise", -10)},
}
POOL = ("p0", "p2")


def not_known(parts):
    """What MERTools writes before the labels are released: all of the pool, and every class the same."""
    parts = {part: dict.fromkeys(clips, ("neutral", -10)) for part, clips in parts.items()}
    parts["test3_corpus"] |= dict.fromkeys(POOL, ("neutral", -10))
    return parts


def touch(root: Path, *files: str) -> Path:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return root


@pytest.fixture
def sizes(monkeypatch):
    monkeypatch.setattr(
        mer2023, "SIZES", {"train": 3, "test_multi": 2, "test_noise": 1, "test_semi": 1, "unlabelled": 2}
    )
    monkeypatch.setattr(mer2024, "SIZES", {"train": 3, "test_semi": 1, "test_noise": 2, "unlabelled": 1})


def rows(reference: str) -> pd.DataFrame:
    return load_corpus(reference).table[["name", "split", "emotion", "valence", "text"]]


def write_2023(root: Path, folder: str, clips: dict) -> None:
    lines = [f"{name},{emotion},{valence}" for name, (emotion, valence) in clips.items()]
    (root / f"{folder}-label.csv").write_text("\n".join(["name,discrete,valence", *lines]))


@pytest.mark.parametrize("known", [True, False])
def test_2023_is_the_release_in_another_folder(processed, tmp_path, sizes, known):
    release = touch(
        tmp_path / "release", *(f"train/{name}.mp4" for name in TRAIN), "test1/m0.avi", "test1/m1.avi", "test2/n0.avi",
        *(f"test3/{name}.mp4" for name in ("p0", "p1", "p2")),
    )  # fmt: skip
    folders = {"train": TRAIN, **{part.removesuffix("_corpus"): clips for part, clips in TESTS.items()}}
    for folder, clips in folders.items() if known else [("train", TRAIN)]:
        write_2023(release, folder, clips)
    (release / "transcription.csv").write_text("name,sentence\ns0,nan\nm0,走吧\n")
    prepared = processed(ARCHIVE, {"train_corpus": TRAIN} | (TESTS if known else not_known(TESTS)))
    (prepared / "transcription.csv").write_bytes((release / "transcription.csv").read_bytes())
    touch(prepared, *(f"video/{name}.mp4" for name in [*TRAIN, "m0", "m1", "n0", "p0", "p1", "p2"]), "audio/s0.wav")
    pd.testing.assert_frame_equal(rows(f"mer2023:{prepared}"), rows(f"mer2023:{release}"))
    table = load_corpus(f"mer2023:{prepared}").table.set_index("name")
    assert table["text"].dropna().to_dict() == {"m0": "走吧"}
    assert table.loc["s0", ["video", "audio"]].tolist() == ["video/s0.mp4", "audio/s0.wav"]
    expected = (
        ["test_multi", "test_noise", "test_semi", "unlabelled"] if known else ["test_multi", "test_noise", "unlabelled"]
    )
    assert list(dict.fromkeys(table["split"])) == ["train", *expected]
    np.testing.assert_array_equal(
        table.loc[["s0", "s1", "m1", "n0"], "valence"], [2.25, np.nan, *([-4.75, -1.25] if known else [np.nan] * 2)]
    )


def test_2023_with_labels_that_came_later(processed, sizes):
    prepared = processed(ARCHIVE, {"train_corpus": TRAIN} | not_known(TESTS))
    for part, clips in TESTS.items():
        write_2023(prepared, part.removesuffix("_corpus"), clips)
    table = load_corpus(f"mer2023:{prepared}").table.set_index("name")
    assert table["split"].to_dict() == {
        "s0": "train", "s1": "train", "s2": "train", "m0": "test_multi", "m1": "test_multi", "n0": "test_noise",
        "p1": "test_semi", "p0": "unlabelled", "p2": "unlabelled",
    }  # fmt: skip
    assert table["emotion"].dropna().to_dict() == {
        "s0": "happy", "s1": "sad", "s2": "worried", "m0": "neutral", "m1": "angry", "n0": "neutral", "p1": "surprise",
    }  # fmt: skip


def test_2023_of_merbench(processed, sizes):
    """The labelled clips alone, without any media: enough for features that are there already."""
    corpus = load_corpus(f"mer2023:{processed(ARCHIVE, {'train_corpus': TRAIN} | TESTS)}")
    assert corpus.name == "mer2023"
    assert corpus.table["split"].value_counts().to_dict() == {
        "train": 3,
        "test_multi": 2,
        "test_noise": 1,
        "test_semi": 1,
    }
    assert corpus.table["video"].isna().all()


def test_2024_is_the_release_in_another_folder(processed, tmp_path, sizes):
    """Without test labels, then with them; the archive has no valence until the label table lies beside it."""
    pool = ("p0", "p1", "p2", "p3")
    release = touch(
        tmp_path / "release", *(f"video-labeled/{name}.mp4" for name in TRAIN),
        *(f"video-unlabeled-with-test2noise/{name}.mp4" for name in pool),
    )  # fmt: skip
    write_2023(release, "train", TRAIN)
    (release / "train-label.csv").rename(release / "label-disdim.csv")
    words = "name,chinese\ns0,你好\np3,好\n"
    prepared = processed(
        ARCHIVE,
        {
            "train_corpus": {name: (emotion,) for name, (emotion, _) in TRAIN.items()},
            "test1_corpus": dict.fromkeys(reversed(pool), ("neutral",)),
        },
    )
    for root in (release, prepared):
        (root / "transcription-merge.csv").write_text(words, encoding="utf-8")
    ours, theirs = rows(f"mer2024:{prepared}"), rows(f"mer2024:{release}")
    assert ours["split"].tolist() == ["train"] * 3 + ["unlabelled"] * 4
    assert ours["emotion"].tolist()[:3] == ["happy", "sad", "worried"]
    assert ours["valence"].isna().all()
    pd.testing.assert_frame_equal(ours.drop(columns="valence"), theirs.drop(columns="valence"))
    (prepared / "label-disdim.csv").write_bytes((release / "label-disdim.csv").read_bytes())
    for root in (release, prepared):
        (root / "test1_name_convert_label.csv").write_text("name,discrete\np2,sad\n")
        (root / "test2_name_convert_label.csv").write_text("name,discrete\np3,neutral\np0,surprise\n")
    ours = rows(f"mer2024:{prepared}")
    assert ours["split"].tolist()[3:] == ["test_semi", "test_noise", "test_noise", "unlabelled"]
    assert ours["emotion"].tolist()[3:6] == ["sad", "surprise", "neutral"]
    pd.testing.assert_frame_equal(ours, rows(f"mer2024:{release}"))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"train_corpus": {"a": ("hapy", 0)}}, r"'a': unknown emotion 'hapy'. Did you mean 'happy'"),
        ({"train_corpus": {"a": (3, 0)}}, r"'a': unknown emotion '3'. Known: angry"),
        ({"train_corpus": {"a": ("sad", 7)}}, r"'a': the valence '7' is wrong. Expected -5 to 5"),
        ({"val_corpus": {"a": ("sad", 0)}}, r"has a part 'val_corpus'. Expected train_corpus, test1_corpus"),
        (
            {"train_corpus": {"a": ("sad", 0)}, "test1_corpus": {"a": ("sad", 0)}},
            r"has 'a' twice, in train_corpus, test1_corpus. Keep one",
        ),
    ],
    ids=["misspelt", "number", "valence", "part", "twice"],
)
@pytest.mark.parametrize("reader", ["mer2023-partial", "mer2024-partial"])
def test_bad_labels(processed, reader, parts, message):
    with pytest.raises(UserError, match=r"label-6way\.npz.*" + message):
        load_corpus(f"{reader}:{processed(ARCHIVE, parts)}")


def test_wrong_size(processed, sizes):
    prepared = processed(ARCHIVE, {"train_corpus": TRAIN} | TESTS | {"test1_corpus": {"m1": ("angry", 0)}})
    with pytest.raises(UserError, match=r"is not the whole release: test_multi 1 of 2 clips. .* mer2023-partial:"):
        load_corpus(f"mer2023:{prepared}")
