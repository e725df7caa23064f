"""What scores rest on, in words and columns."""

import numpy as np
import pandas as pd
import pytest

from baseline.basis import CHOSE, HELD_OUT, Basis, Score, basis_of, decisive, open_labelled, score_columns
from toolkit.errors import UserError

BASIS = Basis("honest", "mine", "weighted F1", (0, 1, 2), 30, {"test_a": 9, "test_b": 8}, "abc")


def test_words():
    assert BASIS.sentence.startswith(
        "weighted F1 on corpus mine, seeds 0 to 2. 30 clips chose, 9 clips of test_a, 8 clips of test_b are scored. "
        "Protocol honest: epoch and settings chosen on validation clips"
    )
    own = BASIS._replace(scored={CHOSE: 30}, protocol="mertools", seeds=(4,)).sentence
    assert "seed 4. 30 clips chose, 30 clips of the folds that chose are scored, so that scores are optimistic." in own
    assert "Protocol mertools: as MERTools does" in own


def test_columns():
    columns = BASIS.columns
    assert (columns["seeds"], columns["clips_scored"], columns["scored_on"]) == ("0 1 2", "9 8", "test_a, test_b")
    scores = {"test_a": Score(0.5, 0.4, 0.6), "test_b": Score(0.3, 0.2, 0.4)}
    assert score_columns(scores) == {
        "score": 0.5, "low": 0.4, "high": 0.6, "test_b": 0.3, "test_b_low": 0.2, "test_b_high": 0.4,
    }  # fmt: skip
    assert score_columns({}) == {}


@pytest.mark.parametrize(
    "basis", [BASIS, BASIS._replace(folds="12345e678901", corpus="7", seeds=(4,), scored={HELD_OUT: 3})]
)
def test_read_from_a_table(basis, tmp_path):
    """Nothing is taken for a number that is a name."""
    pd.DataFrame({"encoder": ["a", "b"]}).assign(**basis.columns).to_csv(tmp_path / "table.csv", index=False)
    assert Basis.read(tmp_path / "table.csv") == basis


def test_clips_without_labels_count_nowhere(quick, tmp_path):
    table = pd.read_csv(tmp_path / "tiny.csv")
    test = table.index[table["split"] == "test_multi"]
    table.loc[test[:5], ["emotion", "valence", "openset"]] = np.nan
    table.loc[0, ["emotion", "openset"]] = np.nan  # its valence trains, and no emotion of it is judged
    table.to_csv(tmp_path / "tiny.csv", index=False)
    basis = basis_of(open_labelled(quick()))
    assert (basis.chose, basis.scored) == (35, {"test_multi": 7})


def test_test_clips_without_any_label_are_not_loaded(quick):
    study = open_labelled(quick(test=["unlabelled", "test_noise"]))
    assert list(study.tests) == ["test_noise"]
    assert basis_of(open_labelled(quick(test=["unlabelled"]))).scored == {HELD_OUT: 36}
    with pytest.raises(UserError, match="has no split 'test_mutli'"):
        open_labelled(quick(test=["test_mutli"]))


def test_digest_of_folds(quick, tmp_path):
    first = basis_of(open_labelled(quick())).folds
    assert basis_of(open_labelled(quick(features=["words"], training={"epochs": 9}))).folds == first
    assert basis_of(open_labelled(quick(seed=1))).folds != first


def test_own_validation_split_is_what_chose(quick, tmp_path):
    table = pd.read_csv(tmp_path / "tiny.csv")
    table = table[table["split"].isin(["train", "test_noise"])]
    table["split"] = table["split"].replace("test_noise", "val")
    table.to_csv(tmp_path / "tiny.csv", index=False)
    basis = basis_of(open_labelled(quick(folds=None)))
    assert (basis.chose, basis.scored) == (12, {CHOSE: 12})


def test_what_decides(quick, tmp_path):
    facts = decisive(quick(), "features")
    assert not {"name", "out", "corpus", "cache", "compare", "features"} & set(facts)
    assert decisive(quick(name="other", out=tmp_path / "there"), "features") == facts
    assert decisive(quick(training={"epochs": 9}), "features") != facts
    folds = tmp_path / "folds.csv"
    folds.write_text("name,fold\n")
    given = decisive(quick(folds_file=folds), "features")
    folds.write_text("name,fold\na,1\n")
    assert decisive(quick(folds_file=folds), "features") != given
