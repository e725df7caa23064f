"""What a run reads of each clip: vectors, frames, or frames on a time axis in common."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from baseline.config import Level, RunConfig
from baseline.context import with_context
from baseline.dataset import FeatureSource, Inputs, load_inputs, open_features
from baseline.frame_features import load_frames
from toolkit.corpus import Corpus
from toolkit.device import must_fit
from toolkit.errors import UserError
from toolkit.models.network import networks

# MERTools, MER2024 main-release.py, feat_scale.
COMPRESS: dict[Level, int] = {"utterance": 1, "frame": 12, "aligned": 6}


class Reading(NamedTuple):
    """What is read of each clip.

    Attributes:
        level: ``utterance`` vectors, ``frame`` sequences, or ``aligned`` ones, with as many steps in every feature
        compress: frames that become one, their mean
        context: clips on either side whose mean is a feature too, 0 for none
        group: column whose equal values say that clips belong together
    """

    level: Level = "utterance"
    compress: int = COMPRESS["utterance"]
    context: int = 0
    group: str | None = None

    def open(self, root: Path, corpus: Corpus, features: Sequence[str]) -> dict[str, FeatureSource]:
        """Returns the caches of a corpus by feature name, as `baseline.dataset.open_features`."""
        return open_features(root, corpus, features, "utterance" if self.level == "utterance" else "frame")

    def load(
        self,
        sources: Mapping[str, FeatureSource],
        corpus: Corpus,
        device: str = "cpu",
        dims: Mapping[str, int] | None = None,
    ) -> Inputs:
        """Returns the features of some clips.

        Args:
            sources: what `open` returned
            corpus: the clips
            device: torch device
            dims: dimension of the features of which a cache may hold no usable clip

        Raises:
            UserError: clips are absent from a cache, a cache holds no usable clip at all, a value is not finite, or the
                memory of the device ends
        """
        names = list(corpus.table["name"])
        with must_fit(f"What is read of {len(names)} clips", device, "Use fewer features, or --device cpu."):
            if self.level == "utterance":
                inputs = load_inputs(sources, names, device, dims)
                return with_context(inputs, corpus, self.group, self.context) if self.context else inputs
            aligned = self.level == "aligned"
            return load_frames(sources, names, self.compress, aligned=aligned, device=device, dims=dims)

    def told(self, model: str) -> dict[str, Any]:
        """Returns the options by which a network is told what it reads: ``frames``, where it reads vectors as well."""
        return {"frames": True} if self.level != "utterance" and "utterance" in networks.get(model).levels else {}


def reading_of(config: RunConfig, corpus: Corpus) -> Reading:
    """Returns what a run reads: by default the first level that its network reads, compressed as in MERTools.

    Raises:
        UserError: the network cannot read that level, vectors are to be compressed, or a context has nothing to go by
    """
    levels = networks.get(config.model).levels
    level: Level = config.level or levels[0]
    if level not in levels:
        raise UserError(f"Network '{config.model}' cannot read level '{level}'. It reads: {', '.join(levels)}.")
    if level == "utterance" and config.compress not in (None, 1):
        raise UserError(
            f"Got compress {config.compress}, and level 'utterance' has one vector per clip. Leave it out, or take a "
            "network and a level that read frames."
        )
    group = config.group or corpus.group
    if config.context and (level != "utterance" or group is None):
        missing = "--group COLUMN to say which clips belong together" if group is None else "level 'utterance'"
        raise UserError(f"Got context {config.context}, the clips on either side. It needs {missing}.")
    return Reading(level, config.compress or COMPRESS[level], config.context, group)
