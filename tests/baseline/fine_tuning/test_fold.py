"""Who is learnt from, who chooses, who is scored."""

import pytest

from baseline.fine_tuning.classes import Classes
from baseline.fine_tuning.fold import goal_and_folds
from baseline.fine_tuning.settings import load_settings
from baseline.fine_tuning.values import Values
from toolkit.errors import UserError


def config(tmp_path, **given):
    return load_settings(None, {"model": "videomae", "out": tmp_path / "run", **given})


def sets(fold):
    return [set(fold.names(rows)) for rows in (fold.train, fold.validation, fold.test)]


def test_folds_are_scored_once_and_never_learnt_from(make_clips, tmp_path):
    corpus = make_clips(tmp_path, train=4)
    goal, folds = goal_and_folds(config(tmp_path, corpus=str(tmp_path / "clips.csv"), folds=4))
    assert isinstance(goal, Classes)
    assert [fold.number for fold in folds] == [0, 1, 2, 3]
    scored = [name for fold in folds for name in sets(fold)[2]]
    assert sorted(scored) == sorted(corpus.table["name"])
    for fold in folds:
        train, validation, test = sets(fold)
        assert train | test == set(corpus.table["name"])
        assert not train & test
        assert not validation


def test_the_best_epoch_is_chosen_on_the_next_fold(make_clips, tmp_path):
    make_clips(tmp_path, train=4)
    _, folds = goal_and_folds(config(tmp_path, corpus=str(tmp_path / "clips.csv"), folds=4, select="best"))
    for number, fold in enumerate(folds):
        train, validation, test = sets(fold)
        assert validation == sets(folds[(number + 1) % 4])[2]
        assert not validation & (train | test)
        assert len(train) == 6
    with pytest.raises(UserError, match="Got 2"):
        goal_and_folds(config(tmp_path, corpus=str(tmp_path / "clips.csv"), folds=2, select="best"))


def test_splits_of_the_corpus(make_clips, tmp_path):
    make_clips(tmp_path, train=2, val=1, test_a=1, other=1)
    goal, (fold,) = goal_and_folds(config(tmp_path, corpus=str(tmp_path / "clips.csv"), values=["valence"]))
    assert isinstance(goal, Values)
    assert fold.number is None
    assert [len(part) for part in sets(fold)] == [6, 3, 3]
    assert all(name.startswith("test_a") for name in sets(fold)[2])


def test_nothing_to_score_and_nothing_to_choose_on(make_clips, tmp_path):
    make_clips(tmp_path, train=2)
    with pytest.raises(UserError, match="and none to score"):
        goal_and_folds(config(tmp_path, corpus=str(tmp_path / "clips.csv")))
    make_clips(tmp_path / "b", train=2, test=1)
    with pytest.raises(UserError, match="needs clips to choose on"):
        goal_and_folds(config(tmp_path, corpus=str(tmp_path / "b" / "clips.csv"), select="best"))


def test_the_choice_of_the_release_needs_labels_of_what_is_scored(make_clips, tmp_path):
    table = make_clips(tmp_path, train=2, test=1).table
    table.assign(emotion=table["emotion"].where(table["split"] == "train")).to_csv(tmp_path / "clips.csv", index=False)
    with pytest.raises(UserError, match="none of which is labelled"):
        goal_and_folds(config(tmp_path, corpus=str(tmp_path / "clips.csv"), select="release"))


def lists(tmp_path, number, test):
    folder = tmp_path / f"fd{number}"
    folder.mkdir()
    (folder / "train.csv").write_text("a 0\nb 1\n".replace(f"{test} ", "z "))
    (folder / "test.csv").write_text(f"{test} 1\n")
    return [str(tmp_path / "fd{fold}" / name) for name in ("train.csv", "test.csv")]


def test_lists_of_several_folds(tmp_path):
    lists(tmp_path, 1, "a")
    paths = lists(tmp_path, 2, "b")
    goal, folds = goal_and_folds(config(tmp_path, lists=paths, folds=2, classes=["yes", "no"]))
    assert goal.names == ("yes", "no")
    assert [sets(fold) for fold in folds] == [[{"z", "b"}, set(), {"a"}], [{"a", "z"}, set(), {"b"}]]
    assert [fold.number for fold in folds] == [0, 1]


def test_a_clip_of_lists_is_scored_once(tmp_path):
    lists(tmp_path, 1, "a")
    paths = lists(tmp_path, 2, "a")
    with pytest.raises(UserError, match="'a' is scored in the folds 1 and 2"):
        goal_and_folds(config(tmp_path, lists=paths, folds=2, classes=["yes", "no"]))


def test_mistakes_about_lists(tmp_path):
    paths = lists(tmp_path, 1, "a")
    with pytest.raises(UserError, match=r"need \{fold\} in their paths"):
        goal_and_folds(config(tmp_path, lists=paths, classes=["yes", "no"]))
    with pytest.raises(UserError, match=r"Got --folds 0, .* --lists .* how many pairs"):
        goal_and_folds(config(tmp_path, lists=paths, folds=0, classes=["yes", "no"]))
    with pytest.raises(UserError, match="Nothing says what the numbers"):
        goal_and_folds(config(tmp_path, lists=paths, folds=1))
    with pytest.raises(UserError, match="either --corpus REF or --lists"):
        config(tmp_path)
