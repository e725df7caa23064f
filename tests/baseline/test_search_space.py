"""Search spaces: MERTools' ranges for every network, and the user's own."""

import pytest

from baseline.config import RunConfig
from baseline.search_space import configured, options_of, read_ranges, space_of
from toolkit.errors import UserError
from toolkit.models.network import build_network, networks

PLAIN = {
    "training.learning_rate": (1e-3, 1e-4),
    "network.hidden": (64, 128, 256),
    "network.dropout": (0.2, 0.3, 0.4, 0.5),
}
LIGHT = PLAIN | {"network.dropout": (0.0, 0.1, 0.2, 0.3), "training.gradient_clip": (0.6, 0.8, 1.0)}
MEMORY = PLAIN | {"network.hidden": (128, 256), "network.dropout": (0.0, 0.3, 0.5, 0.7)}
WEIGHTS = (0.0, 0.1, 0.2)
# mer_challenges.md, section 4.3 (MERTools, toolkit/model-tune.yaml), written down a second time.
MERTOOLS = {
    "attention": PLAIN,
    "attention_topn": PLAIN,
    "lf_dnn": PLAIN,
    "tfn": PLAIN | {"network.hidden": (64, 128)},
    "lmf": PLAIN | {"network.hidden": (32, 64, 128, 256), "network.rank": (3, 4, 5, 6)},
    "mmim": LIGHT
    | {
        "network.prediction_layers": (1, 2, 3, 4),
        "network.contrast_weight": WEIGHTS,
        "network.information_weight": WEIGHTS,
    },
    "misa": PLAIN
    | {
        "network.similarity_weight": WEIGHTS,
        "network.difference_weight": WEIGHTS,
        "network.restoration_weight": WEIGHTS,
        "training.gradient_clip": (None, 0.8, 1.0),
    },
    "mfn": MEMORY,
    "graph_mfn": MEMORY,
    "mfm": MEMORY | {"network.restoration_weight": (0.01, 0.1, 0.5, 1.0), "network.normality_weight": (10, 50, 100)},
    "ef_lstm": PLAIN | {"network.hidden": (128, 256, 512, 1024), "network.layers": (2, 3, 4)},
    "mult": LIGHT | {"network.layers": (2, 4, 6), "network.kernel": (1, 3)},
    "mctn": LIGHT | {"network.teacher_forcing": (0.3, 0.5), "network.loss_weight": (0.1, 0.3, 0.5, 0.8, 1.0)},
}


def settings(**given):
    facts = {"track": "multi", "corpus": "tiny.csv", "cache": "cache", "features": ["voice"], "model": "mlp"}
    return RunConfig(**facts | given)


@pytest.mark.parametrize("name", MERTOOLS)
def test_ranges_are_those_of_mertools(name):
    space = space_of(settings(model=name))
    assert space.ranges == MERTOOLS[name]
    assert "model-tune.yaml" in space.source


def test_size():
    assert space_of(settings(model="attention")).size == 24
    assert space_of(settings(model="misa")).size == 2 * 3 * 4 * 3**3 * 3


@pytest.mark.parametrize("name", networks.names())
def test_every_network_can_be_built_from_its_ranges(name):
    space = space_of(settings(model=name))
    smallest = {option: values[0] for option, values in space.ranges.items()}
    config = configured(settings(model=name), smallest)
    network = build_network(config.model, {"audio": 3, "text": 4}, 2, **config.network)
    assert sum(weight.numel() for weight in network.parameters()) > 0
    assert config.training.learning_rate == smallest["training.learning_rate"]


def test_what_is_given_stays():
    space = space_of(settings(model="attention"), fixed={"network.hidden", "seed"})
    assert set(space.ranges) == {"network.dropout", "training.learning_rate"}
    with pytest.raises(UserError, match="Nothing is left to search"):
        space_of(settings(model="attention"), fixed=set(PLAIN))


def test_options():
    options = options_of("lmf")
    assert {"network.rank", "network.hidden", "training.batch_size"} <= set(options)
    assert not {"network.frames", "network.inputs", "training.valence_weight"} & set(options)


def test_own_ranges(tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text("network.hidden: [4, 8, 4]\ntraining:\n  learning_rate: [1e-3, 0.01]\n  gradient_clip: [null, 1]\n")
    space = space_of(settings(), path)
    assert space.source == str(path)
    assert space.ranges == {
        "network.hidden": (4, 8),
        "training.learning_rate": (0.001, 0.01),
        "training.gradient_clip": (None, 1),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("network.hiden: [4]", r"Unknown option 'network.hiden' in .*space.yaml. Did you mean 'network.hidden'\?"),
        ("training.valence_weight: [1]", "Unknown option 'training.valence_weight'"),
        ("training.epochs: [0]", r"Setting 'training.epochs' in .*space.yaml is 0: .*greater than or equal to 1"),
        ("training.epochs: [many]", r"Setting 'training.epochs' in .*space.yaml is 'many'"),
        ("network.hidden: []", r"'network.hidden' is \[\]. Expected one value or a list of them"),
        ("network.hidden: [[4, 8]]", r"'network.hidden' is \[\[4, 8\]\]. Expected one value"),
        ("network.dropout: [.nan]", "'network.dropout' is .*nan.*. Expected one value"),
        ("- 4", "holds no ranges"),
        ("network.hidden: [4", "cannot be read as ranges"),
        ("", "holds no ranges"),
    ],
)
def test_mistakes_in_own_ranges(tmp_path, text, message):
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        space_of(settings(), path)


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match="cannot be read as ranges"):
        read_ranges(tmp_path / "none.yaml")


def test_configured_changes_nothing_else():
    config = settings(network={"dropout": 0.5})
    changed = configured(config, {"network.hidden": 4, "training.epochs": 7})
    assert changed.network == {"dropout": 0.5, "hidden": 4}
    assert changed.training.epochs == 7
    assert config.network == {"dropout": 0.5}
    assert changed.model_dump(exclude={"network", "training"}) == config.model_dump(exclude={"network", "training"})
