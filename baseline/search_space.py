"""What a search draws from: for each option of a network and of its training a few values, MERTools' or one's own."""

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from baseline import network_options
from baseline.config import RunConfig, TrainingSettings, validated
from toolkit.errors import UserError, did_you_mean

Value = bool | int | float | str | None
Ranges = Mapping[str, tuple[Value, ...]]

SOURCE = "MERTools, MER2024/toolkit/model-tune.yaml"
_RATES: Ranges = {"training.learning_rate": (1e-3, 1e-4)}
_PLAIN: Ranges = {"network.hidden": (64, 128, 256), "network.dropout": (0.2, 0.3, 0.4, 0.5)}
_LIGHT: Ranges = {"network.hidden": (64, 128, 256), "network.dropout": (0.0, 0.1, 0.2, 0.3)}
_MEMORY: Ranges = {"network.hidden": (128, 256), "network.dropout": (0.0, 0.3, 0.5, 0.7)}
_WEIGHTS = (0.0, 0.1, 0.2)
_CLIPS = (0.6, 0.8, 1.0)
# Options that have a single value there (a memory of 128, 8 heads) are the networks' defaults. MFM draws the weight of
# each modality's restoration by itself there; here it is one for all, because inputs may have any names.
_MERTOOLS: dict[str, Ranges] = {
    "attention": _PLAIN,
    "attention_topn": _PLAIN,
    "lf_dnn": _PLAIN,
    "tfn": {"network.hidden": (64, 128), "network.dropout": (0.2, 0.3, 0.4, 0.5)},
    "lmf": {**_PLAIN, "network.hidden": (32, 64, 128, 256), "network.rank": (3, 4, 5, 6)},
    "mmim": {
        **_LIGHT,
        "network.prediction_layers": (1, 2, 3, 4),
        "network.contrast_weight": _WEIGHTS,
        "network.information_weight": _WEIGHTS,
        "training.gradient_clip": _CLIPS,
    },
    "misa": {
        **_PLAIN,
        "network.similarity_weight": _WEIGHTS,
        "network.difference_weight": _WEIGHTS,
        "network.restoration_weight": _WEIGHTS,
        "training.gradient_clip": (None, 0.8, 1.0),
    },
    "mfn": _MEMORY,
    "graph_mfn": _MEMORY,
    "mfm": {
        **_MEMORY,
        "network.restoration_weight": (0.01, 0.1, 0.5, 1.0),
        "network.normality_weight": (10, 50, 100),
    },
    "ef_lstm": {**_PLAIN, "network.hidden": (128, 256, 512, 1024), "network.layers": (2, 3, 4)},
    "mult": {**_LIGHT, "network.layers": (2, 4, 6), "network.kernel": (1, 3), "training.gradient_clip": _CLIPS},
    "mctn": {
        **_LIGHT,
        "network.teacher_forcing": (0.3, 0.5),
        "network.loss_weight": (0.1, 0.3, 0.5, 0.8, 1.0),
        "training.gradient_clip": _CLIPS,
    },
}
_OTHERS: dict[str, tuple[str, Ranges]] = {
    "mlp": (
        "MER2023 baseline, main-release.py, and MERTools' dropout",
        {**_PLAIN, "network.hidden": (128, 256), "training.learning_rate": (1e-3, 1e-4, 1e-5)},
    ),
}


class SearchSpace(NamedTuple):
    """What trials may differ in.

    Attributes:
        source: where the ranges are from
        ranges: values by option, as ``--set`` names it (``network.hidden``, ``training.learning_rate``)
    """

    source: str
    ranges: dict[str, tuple[Value, ...]]

    @property
    def size(self) -> int:
        """Number of combinations."""
        return math.prod(map(len, self.ranges.values()))


def space_of(config: RunConfig, path: Path | None = None, fixed: Collection[str] = ()) -> SearchSpace:
    """Returns what the settings of a network are drawn from.

    Args:
        config: of which network, and all that stays as it is
        path: YAML file of one's own ranges; those of `SOURCE` if absent, for a network it does not know its ``hidden``,
            ``dropout`` and learning rate
        fixed: options that stay as the config has them, as a value on the command line wins in MERTools

    Raises:
        UserError: the file cannot be read, an option is unknown or one of its values makes no sense, or nothing is
            left to draw
    """
    known = options_of(config.model)
    if path is not None:
        source, ranges = str(path), read_ranges(path)
    elif config.model in _OTHERS:
        source, ranges = _OTHERS[config.model]
    else:
        usual = {option: values for option, values in _PLAIN.items() if option in known}
        source, ranges = SOURCE, {**_RATES, **_MERTOOLS.get(config.model, usual)}
    for option in ranges:
        if option not in known:
            raise UserError(f"Unknown option '{option}' in {source}. {did_you_mean(option, known)}")
    drawn = {option: tuple(values) for option, values in ranges.items() if option not in fixed}
    if not drawn:
        raise UserError(f"Nothing is left to search: every option of {source} is given by --set. Leave one out.")
    for option, values in drawn.items():
        for value in values:
            configured(config, {option: value}, place=source)
    return SearchSpace(source, drawn)


def options_of(model: str) -> list[str]:
    """Returns every option that trials of a network may differ in, as ``--set`` names them."""
    # The weight of the valence is part of what is learnt, and one for all trials.
    training = [name for name in TrainingSettings.model_fields if name != "valence_weight"]
    return [
        *(f"network.{name}" for name in network_options.options_of(model)),
        *(f"training.{name}" for name in training),
    ]


def configured(config: RunConfig, settings: Mapping[str, Any], *, place: str = "the search") -> RunConfig:
    """Returns the settings of a run with others in their place.

    Args:
        config: the settings
        settings: values by option, such as ``network.hidden``
        place: where they come from, for the message

    Raises:
        UserError: a value makes no sense
    """
    facts = config.model_dump()
    for option, value in settings.items():
        part, _, name = option.partition(".")
        facts[part] = facts[part] | {name: value}
    return validated(RunConfig, facts, "setting", place)


def read_ranges(path: Path) -> dict[str, tuple[Value, ...]]:
    """Returns ranges from a YAML file, options written as ``network.hidden: [64, 128]`` or with a level each.

    Raises:
        UserError: the file cannot be read, or an option has no list of single values
    """
    try:
        facts = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read as ranges: {' '.join(str(error).split())}.") from None
    if not isinstance(facts, dict) or not facts:
        raise UserError(f"{path} holds no ranges. Expected lines such as 'network.hidden: [64, 128]'.")
    return {option: _values(path, option, values) for option, values in _flat(facts).items()}


def _flat(facts: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in facts.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _values(path: Path, option: str, values: Any) -> tuple[Value, ...]:
    listed = [_number(value) for value in (values if isinstance(values, list) else [values])]
    if not listed or not all(map(_is_single, listed)):
        raise UserError(f"{path}: '{option}' is {values!r}. Expected one value or a list of them, as in [64, 128].")
    return tuple(dict.fromkeys(listed))


def _number(value: Any) -> Any:
    """Returns a value, ``1e-3`` as a number, which YAML takes for a word."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _is_single(value: Any) -> bool:
    return math.isfinite(value) if isinstance(value, float) else isinstance(value, Value)
