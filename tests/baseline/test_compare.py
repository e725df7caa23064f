"""Comparing runs: differences and p-values by hand, and clips that are not the same."""

import json

import pandas as pd
import pytest
import yaml

from baseline.compare import compare, facts_of, show, table_of
from toolkit.errors import UserError

TRUTH = ["happy", "sad", "happy", "sad"]


@pytest.fixture
def write(tmp_path):
    """Writes what a comparison reads of a run: predictions of four test clips, and of two that were held out."""

    def make(name, guess, valence=(0.0, 0.0, 0.0, 0.0), *, names=("a", "b", "c", "d"), truth=TRUTH, **metrics):
        folder = tmp_path / name
        folder.mkdir()
        test = {
            "split": "test_semi", "name": list(names), "fold": None, "emotion": list(guess), "valence": list(valence),
            "true_emotion": list(truth), "true_valence": [1.0, 1.0, 0.0, None], "true_openset": None,
        }  # fmt: skip
        held = {
            "split": "train", "name": ["x", "y"], "fold": [0, 1], "emotion": ["happy", "sad"], "valence": [0.0, 0.0],
            "true_emotion": ["happy", "sad"], "true_valence": [None, None], "true_openset": None,
        }  # fmt: skip
        unknown = {"split": "unlabelled", "name": [f"only in {name}"], "emotion": ["sad"], "valence": [0.0]}
        table = pd.concat([pd.DataFrame(part) for part in (held, test, unknown)])
        table.to_csv(folder / "predictions.csv", index=False)
        facts = {"track": "semi", "score_name": "weighted F1", "protocol": "honest", "selection": "best", **metrics}
        (folder / "metrics.json").write_text(json.dumps(facts))
        (folder / "config.yaml").write_text(yaml.safe_dump({"seed": 3, "seeds": 2, "corpus": "mine.csv"}))
        return folder

    return make


def rows_of(first, second):
    table = table_of(compare(first, second))
    return table.set_index(["split", "over", "score"])


def test_scores_of_test_clips(write):
    """Two of four clips differ, both for A: of the 16 ways to change sides, half keep the difference as large."""
    row = rows_of(write("one", TRUTH), write("two", ["happy", "sad", "sad", "happy"])).loc[
        "test_semi", "clips", "accuracy"
    ]
    assert row[["number", "A", "B", "difference"]].tolist() == [4, 1.0, 0.5, 0.5]
    assert row["p_value"] == 0.5
    assert 0 <= row["low"] <= 0.5 <= row["high"] <= 1


def test_every_score_has_its_clips(write):
    """Weighted F1: of A 1, of B 1/2; the error of three clips: of A 2/3, of B 1/3 once the first valence is right."""
    first = write("one", TRUTH)
    table = rows_of(first, write("two", ["happy", "sad", "sad", "happy"], [1.0, 0.0, 0.0, 9.0]))
    assert table.loc[("test_semi", "clips", "weighted_f1"), "difference"] == pytest.approx(0.5)
    assert table.loc[("test_semi", "clips", "score"), "difference"] == pytest.approx(0.5)
    mse = table.loc[("test_semi", "clips", "mse")]
    assert mse[["A", "B", "difference"]].tolist() == pytest.approx([2 / 3, 1 / 3, 1 / 3])
    assert mse["p_value"] == 1.0
    assert table.loc[("train", "clips", "accuracy"), ["number", "A", "B", "p_value"]].tolist() == [2, 1, 1, 1]
    assert "unlabelled" not in table.index.get_level_values("split")


def test_a_class_that_one_run_alone_guesses(write):
    """Of a clip is none of the classes that only B guesses: they are wrong, and both runs have the same terms."""
    first = write("one", TRUTH)
    table = rows_of(first, write("two", ["happy", "surprised", "happy", "worried"]))
    assert table.loc[("test_semi", "clips", "accuracy"), ["A", "B", "p_value"]].tolist() == [1.0, 0.5, 0.5]
    # Of happy all are right; sad is never guessed, so that its F1 is 0.
    assert table.loc[("test_semi", "clips", "weighted_f1"), ["A", "B"]].tolist() == [1.0, 0.5]


def test_equal_runs(write):
    table = rows_of(write("one", TRUTH), write("two", TRUTH))
    assert (table["difference"] == 0).all()
    assert (table["p_value"] == 1).all()


def test_over_seeds(write):
    """Three pairs, A higher in each: 2 of the 8 ways to flip signs are as large."""
    scores = {"one": [0.7, 0.75, 0.8], "two": [0.6, 0.7, 0.65]}
    seeds = {
        name: {"seeds": [0, 1, 2], "each": {"test_semi": [{"accuracy": s} for s in values], "validation": []}}
        for name, values in scores.items()
    }
    folders = [write(name, TRUTH, seeds=seeds[name]) for name in scores]
    row = rows_of(*folders).loc["test_semi", "seeds", "accuracy"]
    assert row[["number", "A", "B", "difference", "p_value"]].tolist() == pytest.approx([3, 0.75, 0.65, 0.1, 0.25])
    assert row["low"] < 0.1 < row["high"]


def test_other_numbers_of_seeds_are_not_compared(write):
    each = {"test_semi": [{"accuracy": 0.5}, {"accuracy": 0.6}]}
    first = write("one", TRUTH, seeds={"each": each})
    second = write("two", TRUTH, seeds={"each": {"test_semi": each["test_semi"] * 2}})
    assert set(rows_of(first, second).index.get_level_values("over")) == {"clips"}


def test_scores_of_another_kind_are_not_compared(write):
    first = write("one", TRUTH)
    second = write("two", TRUTH, track="multi", score_name="WAF - 0.25 MSE")
    assert "score" not in rows_of(first, second).index.get_level_values("score")


def test_clips_that_are_not_common(write):
    first, second = write("one", TRUTH), write("two", TRUTH, names=("a", "b", "e", "f"))
    with pytest.raises(UserError) as caught:
        compare(first, second)
    assert str(caught.value) == (
        f"The runs are not of the same labelled clips: 2 are in {first} alone (c, d) and 2 are in {second} alone "
        "(e, f). Predict the same splits."
    )


def test_other_labels(write):
    first, second = write("one", TRUTH), write("two", TRUTH, truth=["happy", "happy", "happy", "sad"])
    with pytest.raises(UserError, match=r"Clip 'b' has the true emotion sad in .*one and happy in .*two"):
        compare(first, second)


def test_folder_that_is_no_run(tmp_path):
    with pytest.raises(UserError, match=r"has no metrics.json"):
        compare(tmp_path, tmp_path)


def test_what_is_shown(write, tmp_path, capsys):
    first, second = write("one", TRUTH), write("two", TRUTH)
    show(first, second, tmp_path / "both.md")
    shown, written = capsys.readouterr().out, (tmp_path / "both.md").read_text()
    for text in (shown, written):
        assert (
            "one: score is weighted F1, protocol honest, corpus mine.csv, seeds 3 to 4, 2 held-out clips chose (best)"
            in text
        )
        assert "randomisation test" in text
    show(first, second, tmp_path / "both.csv")
    assert pd.read_csv(tmp_path / "both.csv")["run_A"][0] == f"A: {facts_of(first)}"
    with pytest.raises(UserError, match=r"Expected a name ending with .csv or .md"):
        show(first, second, tmp_path / "both.txt")


def test_finished_runs_with_seeds(quick):
    """What a run writes is what a comparison reads, scores by seed included."""
    from baseline.run import run

    one, other = (run(quick(features=names, seeds=2)) for names in (["voice"], ["voice", "face"]))
    table = rows_of(one, other)
    for folder, side in ((one, "A"), (other, "B")):
        metrics = json.loads((folder / "metrics.json").read_text())
        for score, value in metrics["test"]["test_multi"]["scores"].items():
            assert table.loc[("test_multi", "clips", score), side] == pytest.approx(value, abs=1e-6)
        for score, value in metrics["out_of_fold"]["scores"].items():
            assert table.loc[("train", "clips", score), side] == pytest.approx(value, abs=1e-6)
        for score, value in metrics["seeds"]["validation"].items():
            assert table.loc[("train", "seeds", score), side] == pytest.approx(value["mean"])
    assert (table.xs("seeds", level="over")["number"] == 2).all()
