"""What a network says of clips, as the mean over views of each."""

from typing import NamedTuple

import numpy as np
import torch

from baseline.fine_tuning.feed import Examples, Unread, batches
from baseline.fine_tuning.learner import Learner


class Said(NamedTuple):
    """What a network says.

    Attributes:
        by_name: ``(outputs,)`` float64 of each clip that could be read
        unread: the others
    """

    by_name: dict[str, np.ndarray]
    unread: list[Unread]

    def table(self, names: list[str], prior: np.ndarray) -> np.ndarray:
        """Returns ``(clips, outputs)``, the prior where a clip could not be read."""
        return np.array([self.by_name.get(name, prior) for name in names]).reshape(len(names), len(prior))


def say(learner: Learner, examples: Examples, views: int, workers: int = 0) -> Said:
    """Returns what a network says of clips: the mean of what it says of each view.

    Args:
        learner: whose network speaks
        examples: with all their views
        views: of a clip at most, so that no more clips' views are computed at once than clips are learnt from
        workers: processes that read
    """
    learner.network.eval()
    found = Said({}, [])
    size = max(1, learner.config.learning.batch_size // views)
    with torch.inference_mode():
        for batch in batches(examples, size, workers, pinned=learner.device.type == "cuda"):
            found.unread.extend(batch.unread)
            if batch.names:
                # Doubles only on the CPU: Apple's GPUs have none.
                said = learner.goal.said(learner.outputs(batch.inputs)).cpu().double()
                parts = said.split(batch.views)
                found.by_name.update(
                    (name, part.mean(dim=0).numpy()) for name, part in zip(batch.names, parts, strict=True)
                )
    return found
