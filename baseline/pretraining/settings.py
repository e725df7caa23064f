"""The settings of a pretraining: all that decides its numbers."""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, Field, FiniteFloat

from baseline.config import AbsolutePath, CorpusReference
from baseline.pretraining.view import Window

Precision = Literal["float32", "bfloat16", "float16"]
Share = Annotated[FiniteFloat, Field(gt=0, lt=1)]


def _window(numbers: tuple[int, int, int, int] | None) -> tuple[int, int, int, int] | None:
    if numbers is not None and (min(numbers) < 0 or min(numbers[2:]) < 1):
        raise ValueError("expected LEFT,TOP,WIDTH,HEIGHT in pixels, the latter two at least 1")
    return numbers


class PretrainingSettings(BaseModel, extra="forbid"):
    """Everything that decides the numbers of a pretraining; the defaults are the recipe of all three systems.

    Attributes:
        model: family of masked autoencoders
        size: one of the family's
        network: the network's own options, such as ``order`` of MAE-DFER or ``contrast_weight`` of HiCMAE
        corpus: ``READER:PATH`` or the path of a CSV, one or several
        split: splits that are read, all if absent; no label of any is ever looked at
        source: ``faces`` out of a cache, or whole pictures out of ``video`` files
        cache: folder of the caches, for faces
        faces: how faces were found; names the cache
        window: left, top, width and height of the part of each picture that is looked at, in pixels
        frame_step: pictures of the source from one to the next
        mask_ratio: share of the picture's tokens that are hidden, the model's own if absent
        audio_mask_ratio: share of the sound's
        epochs: passes over all clips
        batch: clips of one optimiser step, over all processes and accumulated parts
        accumulate: parts that a process's share of a step is computed in, one after the other
        learning_rate: highest, for 256 clips a step; it is scaled to as many as there are
        last_learning_rate: at the end, scaled alike
        warmup_epochs: in which it rises from zero
        weight_decay: of AdamW
        betas: of AdamW
        dtype: number type of the network's products; weights, targets and losses are float32
        seed: of initial weights, order, views and masks
    """

    model: str
    size: str = "base"
    network: dict[str, Any] = {}
    corpus: list[CorpusReference] = Field(min_length=1)
    split: list[str] | None = None
    source: Literal["faces", "video"] = "faces"
    cache: AbsolutePath | None = None
    faces: str = "mtcnn"
    window: Annotated[tuple[int, int, int, int] | None, AfterValidator(_window)] = None
    frame_step: int = Field(4, ge=1)
    mask_ratio: Share | None = None
    audio_mask_ratio: Share | None = None
    epochs: int = Field(100, ge=1)
    batch: int = Field(64, ge=1)
    accumulate: int = Field(1, ge=1)
    learning_rate: FiniteFloat = Field(3e-4, gt=0)
    last_learning_rate: FiniteFloat = Field(1e-5, ge=0)
    warmup_epochs: int = Field(5, ge=0)
    weight_decay: FiniteFloat = Field(0.05, ge=0)
    betas: tuple[Share, Share] = (0.9, 0.95)
    dtype: Precision = "float32"
    seed: int = Field(0, ge=0)

    def to_yaml(self) -> str:
        """Returns the settings as they are read back."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    @property
    def looked_at(self) -> Window | None:
        """The window."""
        return None if self.window is None else Window(*self.window)


class Doings(BaseModel, extra="forbid"):
    """How a pretraining is done, which changes nothing of its numbers but their last digits.

    Attributes:
        out: folder of the run
        save_every: epochs from one checkpoint to the next; the last epoch has one in any case
        page_every: epochs from one page of reconstructions to the next, 0 for none
        workers: processes that read, for each one that computes
        device: torch device
        overwrite: whether another run in the folder may be lost
    """

    out: Path
    save_every: int = Field(5, ge=1)
    page_every: int = Field(5, ge=0)
    workers: int = Field(0, ge=0)
    device: str = "auto"
    overwrite: bool = False
