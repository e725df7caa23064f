"""Settings of short pretrainings on the tiny clips."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from baseline.pretraining.settings import Doings, PretrainingSettings

DOINGS = {"out", "save_every", "page_every", "workers", "device", "overwrite"}


@pytest.fixture
def quickly(face_clips, tmp_path) -> Callable[..., "tuple[PretrainingSettings, Doings]"]:
    """Makes settings and doings of a pretraining in the folder ``run``, a few steps on the CPU."""
    from baseline.pretraining.settings import Doings, PretrainingSettings

    def make(**given: Any) -> "tuple[PretrainingSettings, Doings]":
        facts = {
            "model": "videomae",
            "size": "tiny-test",
            "corpus": [str(face_clips / "clips.csv")],
            "cache": face_clips / "cache",
            "frame_step": 1,
            "epochs": 3,
            "batch": 2,
            "warmup_epochs": 1,
            "learning_rate": 0.1,
        }
        doings = {"out": tmp_path / "run", "device": "cpu", "page_every": 0, "save_every": 1}
        facts |= {key: value for key, value in given.items() if key not in DOINGS}
        doings |= {key: value for key, value in given.items() if key in DOINGS}
        return PretrainingSettings.model_validate(facts), Doings.model_validate(doings)

    return make


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Has torch compute in one thread: processes forked from this one wait for ever for those that it had."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def read_weights() -> Callable[[Path], dict[str, Any]]:
    """Reads the weights of a checkpoint."""
    from baseline.pretraining.checkpoint import read_own

    return lambda path: read_own(path)["model"]
