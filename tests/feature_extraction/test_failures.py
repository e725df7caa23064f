"""The account of a corpus: ``failures.csv``."""

import pandas as pd

from feature_extraction.extract import extract_features
from toolkit.cache import Cache


def test_failures_are_listed(words, letters, tmp_path):
    extract_features(words, list(letters.specs), tmp_path)
    table = pd.read_csv(tmp_path / "words" / "failures.csv")
    assert table["name"].tolist() == ["c03", "c10", "c20", "c33"]
    assert table["status"].tolist() == ["empty_text", "too_short", "not_finite", "empty_text"]
    assert set(table["modality"]) == {"text"}
    assert set(table["encoder"]) == {"letters"}


def test_failures_of_a_run_killed_before_it_listed_them(words, letters, tmp_path):
    extract_features(words, list(letters.specs), tmp_path)
    (tmp_path / "words" / "failures.csv").unlink()
    extract_features(words, list(letters.specs), tmp_path)
    assert len(pd.read_csv(tmp_path / "words" / "failures.csv")) == 4


def test_a_damaged_cache_of_another_encoder_spoils_nothing(words, letters, tmp_path, caplog):
    damaged = tmp_path / "words" / "audio" / "prosody.h5"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"cut")
    (path,) = extract_features(words, list(letters.specs), tmp_path)
    assert len(Cache(path)) == 50
    failures = (tmp_path / "words" / "failures.csv").read_text().splitlines()
    assert [line.split(",")[2] for line in failures[1:]] == ["c03", "c10", "c20", "c33"]
    assert f"is without this cache: {damaged} is not a readable cache" in caplog.text
