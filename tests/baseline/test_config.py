from pathlib import Path

import pytest
import yaml

from baseline.config import load_config
from toolkit.errors import UserError

GIVEN = {"track": "multi", "corpus": "clips.csv", "cache": Path("cache"), "features": ["a", "b"]}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("track: semi\ncorpus: demo:there\ncache: /caches\nfeatures: [a]\nseed: 4\ntraining: {epochs: 7}\n")
    return path


def test_command_line_wins_over_the_file(file):
    config = load_config(
        file, {"seed": 5, "track": None, "features": ["c", "d"]}, ["training.batch_size=8", "model=mlp"]
    )
    assert (config.track, config.seed, config.features, config.model) == ("semi", 5, ["c", "d"], "mlp")
    assert (config.training.epochs, config.training.batch_size) == (7, 8)


def test_command_line_wins_over_set(file):
    assert load_config(file, {"seed": 5}, ["seed=9"]).seed == 5


def test_networks_have_their_own_defaults():
    """Such as a hidden size of 64 in tfn, whether another option is given or not."""
    assert load_config(None, GIVEN).network == {}
    assert load_config(None, GIVEN, ["network.dropout=0.5"]).network == {"dropout": 0.5}


def test_round_trip(tmp_path):
    config = load_config(None, GIVEN | {"options": {"rounds": 2}}, ["network.hidden=16"])
    (tmp_path / "again.yaml").write_text(config.to_yaml())
    assert load_config(tmp_path / "again.yaml", {}) == config


def test_paths_do_not_depend_on_where_a_run_starts(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    config = load_config(None, GIVEN | {"corpus": "demo:there"})
    assert config.corpus == f"demo:{tmp_path / 'there'}"
    assert config.cache == tmp_path / "cache"
    assert config.folder == tmp_path / "runs/multi/attention-a+b-seed0"
    assert load_config(None, GIVEN).corpus == str(tmp_path / "clips.csv")


def test_long_names_are_cut_and_stay_apart():
    first, second = (load_config(None, GIVEN | {"features": [f"{n:030d}" for n in range(9)] + [end]}) for end in "xy")
    assert len(first.folder.name) == 100
    assert first.folder != second.folder


def test_options_given_are_merged_with_the_file(file):
    file.write_text(file.read_text() + "options: {rounds: 2, quantile: 0.7}\n")
    assert load_config(file, {"options": {"rounds": 4}}).options == {"rounds": 4, "quantile": 0.7}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeed: 1", r"Unknown setting 'seeed' in .*config.yaml. Did you mean 'seed'\?"),
        ("training: {epoch: 3}", r"Unknown setting 'training.epoch' in .*. Did you mean 'epochs'\?"),
        ("folds: many", r"Setting 'folds' in .* is 'many': Input should be a valid integer"),
        ("select: best", r"Setting 'select' in .* is 'best': Input should be 'fold', 'inner' or 'last'"),
        ("name: ../x", r"Setting 'name' in .* is '../x': .*one folder, without slashes"),
        ("name: ''", r"Setting 'name' in .* is '': .*at least 1 character"),
        ("training: {learning_rate: .inf}", r"Setting 'training.learning_rate' in .* is inf: Input should be a finite"),
        ("network: {inputs: 3}", r"Setting 'network' in .*'inputs' is no option of a network, use --features"),
        ("network: {frames: true}", r"Setting 'network' in .*'frames' is no option of a network, use --set level="),
        ("features: []", r"Nothing says which features"),
        ("[1, 2]", r"holds a list. Expected 'key: value' lines"),
        ("a: b: c", r"cannot be read as a config"),
    ],
)
def test_wrong_file(tmp_path, text, message):
    path = tmp_path / "config.yaml"
    base = "" if text.startswith("[") else "track: multi\ncorpus: c.csv\ncache: c\nfeatures: [a]\n"
    base = base.replace("features: [a]\n", "") if text.startswith("features") else base
    path.write_text(base + text)
    with pytest.raises(UserError, match=message):
        load_config(path, {})


def test_absent_file(tmp_path):
    with pytest.raises(UserError, match=r"none\.yaml cannot be read as a config"):
        load_config(tmp_path / "none.yaml", GIVEN)


def test_set_without_a_value():
    with pytest.raises(UserError, match=r"Got --set epochs. Expected KEY=VALUE, as in --set training.epochs=20"):
        load_config(None, GIVEN, ["epochs"])


@pytest.mark.parametrize("key", ["track", "corpus", "cache", "features"])
def test_needed_settings(key):
    with pytest.raises(UserError, match=f"Nothing says which {key}. Give --{key}"):
        load_config(None, GIVEN | {key: None})


def test_yaml_is_plain(tmp_path):
    facts = yaml.safe_load(load_config(None, GIVEN).to_yaml())
    assert list(facts)[:4] == ["track", "corpus", "cache", "features"]
    assert facts["training"]["learning_rate"] == 0.001
