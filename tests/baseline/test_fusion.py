"""Which encoders are the best, of each modality and for each fold."""

import pandas as pd
import pytest

from baseline.fusion import fusions_of, read_ranking
from toolkit.errors import UserError

RANKING = pd.DataFrame(
    [
        ("hubert", "audio", 0.7, 0.6, 0.8),
        ("egemaps", "audio", 0.5, 0.7, 0.3),
        ("macbert", "text", 0.6, 0.6, 0.6),
        ("clip", "visual", 0.4, 0.4, 0.4),
        ("manet", "visual", 0.4, 0.3, 0.5),
        ("emonet", "visual", 0.2, 0.2, 0.2),
    ],
    columns=["encoder", "modality", "validation", "fold_0", "fold_1"],
)


def test_best_of_each_modality_until_nothing_is_left():
    found = fusions_of(RANKING, ["AV", "AT"], 6)
    assert [(one.modalities, one.count, one.features) for one in found] == [
        ("AV", 1, ("hubert", "clip")),
        ("AV", 2, ("hubert", "egemaps", "clip", "manet")),
        ("AV", 3, ("hubert", "egemaps", "clip", "manet", "emonet")),
        ("AT", 1, ("hubert", "macbert")),
        ("AT", 2, ("hubert", "egemaps", "macbert")),
    ]
    assert [one.count for one in fusions_of(RANKING, ["AVT"], 2)] == [1, 2]


def test_each_fold_has_the_best_by_the_others():
    one, two = fusions_of(RANKING, ["AV"], 2, folds=2)
    assert one.by_fold == (("egemaps", "clip"), ("hubert", "manet"))
    assert one.features == ("hubert", "clip")
    assert two.by_fold == (("egemaps", "hubert", "clip", "manet"), ("hubert", "egemaps", "manet", "clip"))


def test_modality_without_encoders(caplog):
    ranking = RANKING[RANKING["modality"] != "text"]
    assert {one.modalities for one in fusions_of(ranking, ["AV", "AVT"], 6)} == {"AV"}
    assert "AVT is left out: the ranking has no text encoder." in caplog.text
    with pytest.raises(UserError, match="None of the fusions can be made"):
        fusions_of(ranking, ["AT"], 6)


@pytest.mark.parametrize("letters", ["AX", ""])
def test_letters(letters):
    with pytest.raises(UserError, match=rf"'{letters}' is no fusion. Expected letters of A, V, T"):
        fusions_of(RANKING, [letters], 6)


def test_file_that_is_no_ranking(tmp_path):
    with pytest.raises(
        UserError, match=r"none.csv cannot be read as a ranking .*Make it with `python -m baseline rank`"
    ):
        read_ranking(tmp_path / "none.csv")
    (tmp_path / "table.csv").write_text("encoder,modality\nvoice,audio\n")
    with pytest.raises(UserError, match=r"table.csv has no column 'corpus'. Expected the ranking.csv"):
        read_ranking(tmp_path / "table.csv")
