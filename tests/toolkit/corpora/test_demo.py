"""The demo corpus as a reader gives it."""

import pytest
import yaml

from toolkit.corpus import load_corpus
from toolkit.demo import make
from toolkit.demo.plan import plan_demo
from toolkit.errors import UserError
from toolkit.labels import MER_EMOTIONS


def write_demo(folder, scale="tiny", seed=0):
    """Writes everything of a demo but its clips, which the reader does not open."""
    folder.mkdir()
    make.make_table(plan_demo(scale, seed)).to_csv(folder / make.TABLE, index=False)
    (folder / make.MARK).write_text(yaml.safe_dump({"version": 1, "scale": scale, "seed": seed}))
    return folder


def test_read_what_is_there(tmp_path):
    corpus = load_corpus(f"demo:{write_demo(tmp_path / 'demo', 'full')}")
    assert corpus.name == "demo"
    assert corpus.root == tmp_path / "demo"
    assert corpus.splits == ["train", "unlabelled", "test_multi", "test_noise", "test_semi"]
    assert len(corpus) == 306
    assert corpus.emotions == MER_EMOTIONS
    assert list(corpus.table.columns[8:]) == ["english", "speaker", "snr", "blur", "hostile"]
    assert corpus.table["speaker"].nunique() == 12


def test_labels_are_valid_and_missing_where_unlabelled(tmp_path):
    table = load_corpus(f"demo:{write_demo(tmp_path / 'demo')}").table
    labelled = table[table["split"] != "unlabelled"]
    assert labelled["emotion"].isin(MER_EMOTIONS).all()
    assert labelled["valence"].between(-5, 5).all()
    assert labelled["openset"].str.fullmatch(r"\['[a-z]+'(, '[a-z]+')*\]").all()
    assert table.loc[table["split"] == "unlabelled", ["emotion", "valence", "openset"]].isna().all(axis=None)


def test_no_transcript_and_empty_text(tmp_path):
    table = load_corpus(f"demo:{write_demo(tmp_path / 'demo')}").table.set_index("hostile")
    assert table.loc["no_transcript"].isna()[["text", "english"]].all()
    assert table.loc["blank_transcript", "text"] == "   "
    assert table["text"].isna().sum() == 1


def test_other_scales_and_seeds_are_other_corpora(tmp_path):
    assert load_corpus(f"demo:{write_demo(tmp_path / 'a', 'small')}").name == "demo_small_0"
    assert load_corpus(f"demo:{write_demo(tmp_path / 'b', 'small', 7)}").name == "demo_small_7"


def test_full_demo_is_made_where_there_is_none(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(make, "make_demo", lambda out, **options: asked.append((out, options)) or write_demo(out))
    assert len(load_corpus(f"demo:{tmp_path / 'new'}")) == 25
    assert asked == [(tmp_path / "new", {})]


def test_ones_own_corpus(tmp_path):
    (tmp_path / "corpus.csv").write_text("name,text\na,hello\n")
    with pytest.raises(UserError, match=r"folder:.*corpus\.csv"):
        load_corpus(f"demo:{tmp_path}")


def test_table_is_lost(tmp_path):
    (write_demo(tmp_path / "demo") / "corpus.csv").unlink()
    with pytest.raises(UserError, match="Delete the folder"):
        load_corpus(f"demo:{tmp_path / 'demo'}")
