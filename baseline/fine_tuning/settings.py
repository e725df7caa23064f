"""The settings of a fine-tuning, from a YAML file and the command line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, Field, FiniteFloat, model_validator

from baseline.config import AbsolutePath, CorpusReference, gathered, validated

Selection = Literal["last", "best", "release"]
SELECTIONS: dict[Selection, str] = {
    "last": "the last epoch; the clips that are scored are untouched",
    "best": "best epoch on validation clips; the clips that are scored are untouched",
    "release": "best epoch on the very clips that are scored, as released; for comparison only",
}
Loss = Literal["mse", "l1", "smooth_l1", "ccc", "pcc"]
Dtype = Literal["float32", "bfloat16", "float16"]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Places = Annotated[list[str], AfterValidator(lambda paths: [str(Path(path).expanduser().absolute()) for path in paths])]


class LearningSettings(BaseModel, extra="forbid"):
    """How weights change; the standard values are those of MAE-DFER and SVFAP, HiCMAE has batches of 56.

    Attributes:
        epochs: passes over the training clips
        batch_size: clips at a time
        accumulate: batches in one step of the optimizer
        learning_rate: highest, for 256 clips a step; it grows with their number
        last_rate: at the end, for 256 clips a step
        warmup_epochs: over which the rate rises from zero
        weight_decay: of matrices
        layer_decay: factor of the rate from one layer to the one before it
        drop_path: probability of leaving out a branch of the last block
        loss: of values; classes have the cross-entropy
    """

    epochs: int = Field(100, ge=1)
    batch_size: int = Field(32, ge=1)
    accumulate: int = Field(3, ge=1)
    learning_rate: FiniteFloat = Field(1e-3, gt=0)
    last_rate: FiniteFloat = Field(1e-6, ge=0)
    warmup_epochs: int = Field(5, ge=0)
    weight_decay: FiniteFloat = Field(0.05, ge=0)
    layer_decay: FiniteFloat = Field(0.75, gt=0, le=1)
    drop_path: FiniteFloat = Field(0.1, ge=0, lt=1)
    loss: Loss = "mse"


class PictureSettings(BaseModel, extra="forbid"):
    """Which pictures of a clip are seen, and how.

    Attributes:
        step: pictures from one that is seen to the next; 4, of FERV39k 1, of Werewolf-XL 3
        resize: to a "square" as released, or by the "short_side", keeping the shape
        time_views: stretches of a clip that are scored
        space_views: parts of a picture that are scored, along its longer side; of squares they are one and the same
    """

    step: int = Field(4, ge=1)
    resize: Literal["square", "short_side"] = "square"
    time_views: int = Field(2, ge=1)
    space_views: int = Field(2, ge=1)


class AugmentationSettings(BaseModel, extra="forbid"):
    """How clips are changed while a network learns.

    Attributes:
        operations: of RandAugment on a clip
        magnitude: their mean strength, up to 10
        deviation: of the strength
        smallest_crop: share of a picture that a random crop has at least
        flip: probability of a mirrored clip
        erasing: probability of a box of noise
        gain: when sound is made louder or softer at random; "always", as released, also while clips are scored
    """

    operations: int = Field(4, ge=0)
    magnitude: FiniteFloat = Field(7.0, ge=0, le=10)
    deviation: FiniteFloat = Field(0.5, ge=0)
    smallest_crop: Annotated[FiniteFloat, Field(gt=0, le=1)] = 0.08
    flip: Share = 0.5
    erasing: Share = 0.25
    gain: Literal["never", "training", "always"] = "training"


class MixingSettings(BaseModel, extra="forbid"):
    """How clips of classes are blended with one another, see `baseline.mixup.Mixing`."""

    mixup: FiniteFloat = Field(0.8, ge=0)
    cutmix: FiniteFloat = Field(1.0, ge=0)
    probability: Share = 1.0
    switch: Share = 0.5
    smoothing: Annotated[FiniteFloat, Field(ge=0, lt=1)] = 0.1
    sound: bool = True


class FineTuningConfig(BaseModel, extra="forbid"):
    """Everything that decides the numbers of a fine-tuning, and where they go.

    Attributes:
        model: family of masked autoencoders, that of the checkpoint if absent
        size: published size, that of the checkpoint if absent, and "base" without one
        checkpoint: file of weights to begin with
        network: the network's own options
        streams: of the network, all if absent
        corpus: ``READER:PATH`` or the path of a CSV
        lists: in place of a corpus, the authors' lists to learn from, to score and to choose on; with folds their
            paths hold ``{fold}``, which is counted from 1
        root: folder that paths in lists are relative to, that of each list if absent
        classes: name of a table of classes, or their names; the corpus' own if absent
        values: columns with numbers to be predicted, in place of classes
        source: read pictures from a cache of "faces" or from "video" files and folders of pictures; if absent the
            former where a folder of caches is given
        cache: folder of the feature caches
        faces: how faces were found; names the cache
        folds: number of folds, each scored by a network that learnt from the others
        group: column whose values no fold splits
        folds_file: CSV ``name,fold`` in place of folds from the seed
        select: which epoch's weights are kept (`SELECTIONS`)
        learning: how weights change
        pictures: which are seen
        augmentation: how they are changed while a network learns
        mixing: how they are blended
        seed: of folds, initial weights, order and everything drawn
        device: torch device
        dtype: of products; weights are float32
        workers: processes that read clips, 0 for none beside this one
        out: folder of the run
    """

    model: str | None = None
    size: str | None = None
    checkpoint: AbsolutePath | None = None
    network: dict[str, Any] = {}
    streams: list[str] | None = None
    corpus: CorpusReference | None = None
    lists: Annotated[Places, Field(min_length=2, max_length=3)] | None = None
    root: AbsolutePath | None = None
    classes: list[str] | None = None
    values: list[str] | None = None
    source: Literal["faces", "video"] | None = None
    cache: AbsolutePath | None = None
    faces: str = "mtcnn"
    folds: int | None = Field(None, ge=0)
    group: str | None = None
    folds_file: AbsolutePath | None = None
    select: Selection = "last"
    learning: LearningSettings = LearningSettings()
    pictures: PictureSettings = PictureSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    mixing: MixingSettings = MixingSettings()
    seed: int = Field(0, ge=0)
    device: str = "auto"
    dtype: Dtype = "float32"
    workers: int = Field(0, ge=0)
    out: AbsolutePath

    @model_validator(mode="after")
    def _is_complete(self) -> "FineTuningConfig":
        if (self.corpus is None) == (self.lists is None):
            raise ValueError("expected either --corpus REF or --lists TRAIN TEST")
        if self.model is None and self.checkpoint is None:
            raise ValueError("expected --model NAME, --checkpoint FILE or both")
        return self

    @property
    def place(self) -> Literal["faces", "video"]:
        """Where pictures are read."""
        return self.source or ("video" if self.cache is None else "faces")

    def to_yaml(self) -> str:
        """Returns the settings as they are read back."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def load_settings(path: Path | None, given: Mapping[str, Any], settings: Sequence[str] = ()) -> FineTuningConfig:
    """Returns the settings of a fine-tuning, gathered as those of other runs are (`baseline.config.gathered`).

    Raises:
        UserError: the file cannot be read, a setting is unknown or its value makes no sense
    """
    place = str(path) if path else "the command line"
    return validated(FineTuningConfig, gathered(path, given, settings), "setting", place)
