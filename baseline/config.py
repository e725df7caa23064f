"""The settings of a run, from a YAML file and the command line, with every mistake named."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, Field, FiniteFloat, ValidationError

from toolkit.errors import UserError, did_you_mean

Level = Literal["utterance", "frame", "aligned"]
Protocol = Literal["honest", "mertools"]
PROTOCOLS: dict[Protocol, str] = {
    "honest": "epoch and settings chosen on validation clips, scored on clips that chose nothing",
    "mertools": "as MERTools does, for comparison with published tables: the folds that are scored choose the epoch",
}
Selection = Literal["fold", "inner", "last"]
SELECTIONS: dict[Selection, str] = {
    "fold": "best epoch on the validation fold",
    "inner": "best epoch on another fold, then trained anew with that fold; the validation fold is untouched",
    "last": "the last epoch; the validation fold is untouched",
}
Model = TypeVar("Model", bound=BaseModel)
LONGEST_NAME = 100  # of a run's folder; file systems end at 255 bytes


def _absolute_reference(reference: str) -> str:
    from toolkit.corpora.cross import pair_of
    from toolkit.corpus import readers

    reader, colon, path = reference.partition(":")
    if reader == "cross":
        return f"cross:{','.join(map(_absolute_reference, pair_of(path)))}"
    is_path = not colon or (reference.lower().endswith(".csv") and reader not in readers.names())
    return str(_absolute(Path(reference))) if is_path else f"{reader}:{_absolute(Path(path))}"


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _folder_name(name: str) -> str:
    if name != Path(name).name or name in (".", ".."):
        raise ValueError("expected the name of one folder, without slashes (the place of all runs is --out)")
    return name


def _network_options(options: dict[str, Any]) -> dict[str, Any]:
    elsewhere = {"name": "use --model", "inputs": "use --features", "classes": "they are the corpus'"}
    for key, instead in (elsewhere | {"frames": "use --set level=frame"}).items():
        if key in options:
            raise ValueError(f"'{key}' is no option of a network, {instead}")
    return options


# A run is repeated from any folder, so what its config says must not depend on where it was started.
AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
CorpusReference = Annotated[str, AfterValidator(_absolute_reference)]


class TrainingSettings(BaseModel, extra="forbid"):
    """How a network is trained; all defaults but patience are the reference's (MERTools ``main-release.py``).

    Attributes:
        epochs: passes over the training fold at most, the best of which is kept
        patience: epochs without a better score after which training ends; the reference never ends early
        batch_size: clips per step
        learning_rate: of Adam
        weight_decay: of Adam
        valence_weight: of the squared error of the standardised valence, beside the cross-entropy; for the task that a
            track makes, not for the training loop
        normalise: whether features and valence are standardised on the training fold; the reference does not
        class_weights: ``balanced`` weighs each class by the inverse of its share of the training fold
        label_smoothing: share of the truth that is spread evenly over all classes
        modality_dropout: probability of hiding a feature of a training clip, never its last one
        ties: which of several epochs with the best score is kept, the one with the lowest loss or the first
        gradient_clip: bound of each number of the gradient, none if absent
    """

    epochs: int = Field(100, ge=1)
    patience: int = Field(30, ge=1)
    batch_size: int = Field(32, ge=1)
    learning_rate: FiniteFloat = Field(1e-3, gt=0)
    weight_decay: FiniteFloat = Field(1e-5, ge=0)
    valence_weight: FiniteFloat = Field(1.0, ge=0)
    normalise: bool = True
    class_weights: Literal["none", "balanced"] = "none"
    label_smoothing: FiniteFloat = Field(0.0, ge=0, lt=1)
    modality_dropout: FiniteFloat = Field(0.0, ge=0, lt=1)
    ties: Literal["loss", "first"] = "loss"
    gradient_clip: FiniteFloat | None = Field(None, gt=0)


class RunConfig(BaseModel, extra="forbid"):
    """Everything that decides the numbers of a run, and where they go.

    Attributes:
        track: ``multi``, ``noise``, ``semi``, ``ov`` or any other registered
        corpus: ``READER:PATH`` or the path of a CSV
        cache: folder of the feature caches
        features: encoders whose caches are read
        level: ``utterance`` vectors, ``frame`` sequences, or ``aligned`` ones, with as many steps in every feature; the
            first that the network reads if absent
        context: clips on either side of a clip, of the same group, whose mean features are features too
        compress: frames that become one, their mean; 12, or 6 where they are aligned, if absent
        model: registered network
        network: the network's own options, in place of its own defaults
        training: how it is trained
        protocol: what chooses and what is scored (`PROTOCOLS`)
        folds: number of folds, 0 for one per group; if absent one, the corpus' own split ``val``, where it has that,
            one per group where the corpus says which column groups it, otherwise 5
        group: column whose values no fold splits
        folds_file: CSV ``name,fold`` in place of folds from the seed
        select: how the epoch is chosen (`SELECTIONS`); ``None`` for ``fold`` where the corpus has labelled test clips,
            which nothing chooses on, and ``inner`` (``last`` of two folds) where the validation folds are the result
        test: splits to predict, the track's own if absent
        compare: whether each modality alone is trained too
        options: the track's own
        seed: of folds, initial weights, order and dropout
        seeds: how many networks of consecutive seeds are trained per fold, and averaged
        device: torch device
        out: folder of all runs
        name: of this run's folder, made of model, features and seed if absent
    """

    track: str
    corpus: CorpusReference
    cache: AbsolutePath
    features: list[str] = Field(min_length=1)
    level: Level | None = None
    context: int = Field(0, ge=0)
    compress: int | None = Field(None, ge=1)
    model: str = "attention"
    network: Annotated[dict[str, Any], AfterValidator(_network_options)] = {}
    training: TrainingSettings = TrainingSettings()
    protocol: Protocol = "honest"
    folds: int | None = Field(None, ge=0)
    group: str | None = None
    folds_file: AbsolutePath | None = None
    select: Selection | None = None
    test: list[str] | None = None
    compare: bool = True
    options: dict[str, Any] = {}
    seed: int = Field(0, ge=0)
    seeds: int = Field(1, ge=1)
    device: str = "auto"
    out: AbsolutePath = Field(Path("runs"), validate_default=True)
    name: Annotated[str, Field(min_length=1), AfterValidator(_folder_name)] | None = None

    @property
    def folder(self) -> Path:
        """The run directory, ``OUT/<track>/<name>``."""
        return self.out / self.track / (self.name or self._default_name())

    def _default_name(self) -> str:
        group = [f"by-{self.group}"] if self.group else []
        protocol = [] if self.protocol == "honest" else [self.protocol]
        last = f"to{self.seed + self.seeds - 1}" if self.seeds > 1 else ""
        level = [f"{self.level}{self.compress or ''}"] if self.level not in (None, "utterance") else []
        name = "-".join([self.model, *level, "+".join(self.features), *group, *protocol, f"seed{self.seed}{last}"])
        if len(name) <= LONGEST_NAME:
            return name
        return f"{name[: LONGEST_NAME - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"

    def to_yaml(self) -> str:
        """Returns the settings as they are read back."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def load_config(path: Path | None, given: Mapping[str, Any], settings: Sequence[str] = ()) -> RunConfig:
    """Returns the settings of a run; what the command line gives wins over the file.

    Args:
        path: YAML file, such as the ``config.yaml`` of an earlier run
        given: settings by name; ``None`` is not given; ``options`` and other mappings are merged with the file's
        settings: ``key=value`` with dots between levels, such as ``training.epochs=20``

    Raises:
        UserError: the file cannot be read, a setting is unknown or its value makes no sense
    """
    facts = gathered(path, given, settings)
    missing = [key for key in ("track", "corpus", "cache", "features") if not facts.get(key)]
    if missing:
        raise UserError(f"Nothing says which {missing[0]}. Give --{missing[0]}, or a --config with '{missing[0]}:'.")
    return validated(RunConfig, facts, "setting", str(path) if path else "the command line")


def gathered(path: Path | None, given: Mapping[str, Any], settings: Sequence[str] = ()) -> dict[str, Any]:
    """Returns settings as they were given, in the order of `load_config`; errors as there."""
    facts: dict[str, Any] = {} if path is None else _read(path)
    for setting in settings:
        _merge(facts, _parse(setting))
    _merge(facts, {key: value for key, value in given.items() if value is not None})
    return facts


def validated(model: type[Model], facts: Mapping[str, Any], noun: str, place: str) -> Model:
    """Returns a pydantic model of some facts.

    Args:
        model: what is expected
        facts: what was got
        noun: what its fields are, for messages
        place: where the facts come from, for messages

    Raises:
        UserError: the first mistake, with the nearest known name or what was expected
    """
    try:
        return model.model_validate(dict(facts))
    except ValidationError as error:
        first = error.errors()[0]
        where, message = ".".join(str(part) for part in first["loc"]), first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            holder: Any = model
            for part in first["loc"][:-1]:
                holder = holder.model_fields[part].annotation
            hint = did_you_mean(str(first["loc"][-1]), holder.model_fields)
            raise UserError(f"Unknown {noun} '{where}' in {place}. {hint}") from None
        raise UserError(f"{noun.capitalize()} '{where}' in {place} is {first['input']!r}: {message}.") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        facts = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read as a config: {' '.join(str(error).split())}.") from None
    if not isinstance(facts, dict):
        raise UserError(
            f"{path} holds a {type(facts).__name__}. Expected 'key: value' lines, as in a run's config.yaml."
        )
    return facts


def _parse(setting: str) -> dict[str, Any]:
    key, equals, value = setting.partition("=")
    if not equals or not key.strip():
        raise UserError(f"Got --set {setting}. Expected KEY=VALUE, as in --set training.epochs=20.")
    try:
        facts: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        facts = value
    for part in reversed(key.strip().split(".")):
        facts = {part: facts}
    return facts


def _merge(facts: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, Mapping):
            inner = facts[key] = dict(facts[key]) if isinstance(facts.get(key), Mapping) else {}
            _merge(inner, value)
        else:
            facts[key] = value
