"""The training of one network, which may be ended at any moment and goes on where it was."""

import argparse
import json
import logging
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from baseline.face_clips.clip import ClipSource
from baseline.fine_tuning.example import ExampleMaker
from baseline.fine_tuning.feed import Examples, Unread, batches
from baseline.fine_tuning.fold import Fold
from baseline.fine_tuning.learner import Learner
from baseline.fine_tuning.network import Beginning
from baseline.fine_tuning.scoring import Said, say
from baseline.pretraining.checkpoint import said_of_options, said_of_size, write_checkpoint
from baseline.pretraining.folder import sweep
from baseline.run_directory import write_json
from toolkit.errors import UserError
from toolkit.models.checkpoint_file import UNREADABLE, read_checkpoint
from toolkit.seeds import generator_for

logger = logging.getLogger(__name__)

MODEL, STATE, OUTCOME = "model.pth", "checkpoint.pth", "outcome.json"


class Outcome(NamedTuple):
    """What came of a training.

    Attributes:
        epoch: whose weights predict, counted from 1
        history: of each epoch its loss, highest rate and the scores it was judged by
        names: of the clips that are predicted
        said: of each of them, what the network says
        unread: name, status and reason of clips that could not be read, of all parts
    """

    epoch: int
    history: list[dict[str, float]]
    names: list[str]
    said: list[list[float]]
    unread: list[list[str]]


class FoldTraining:
    """One network on its clips.

    Args:
        beginning: the network, on its device
        learner: of the network
        fold: the clips
        source: where they are read
        maker: of what the network sees
        folder: for its files
    """

    def __init__(
        self,
        beginning: Beginning,
        learner: Learner,
        fold: Fold,
        source: ClipSource,
        maker: ExampleMaker,
        folder: Path,
    ) -> None:
        self._beginning, self._learner, self._fold, self._source = beginning, learner, fold, source
        self._maker, self._folder, self._config = maker, folder, learner.config
        self._truth = learner.goal.truth(fold.corpus.table)
        self._rows = {name: row for row, name in enumerate(fold.corpus.table["name"])}
        self._history: list[dict[str, float]] = []
        self._best = -float("inf")
        self._epoch = 0  # whose weights are kept
        self._unread: dict[str, Unread] = {}

    def run(self) -> Outcome:
        """Returns what came of it, that of an earlier run which was ended after it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        sweep(self._folder)
        self._resume()
        epochs = self._config.learning.epochs
        for epoch in range(len(self._history), epochs):
            loss = self._learn(epoch)
            scores = self._judge(epoch)
            rate = float(self._learner.rates[(epoch + 1) * self._learner.steps - 1])
            self._history.append({"epoch": epoch + 1, "loss": loss, "rate": rate, **scores})
            self._keep(epoch + 1, scores)
            write_checkpoint(self._folder / STATE, self._state())
            told = "".join(f", {name} {value:.4f}" for name, value in scores.items() if name != "score")
            logger.info("%s, epoch %d of %d: loss %.4f%s", self._fold.label, epoch + 1, epochs, loss, told)
        return self._finish()

    def _resume(self) -> None:
        path = self._folder / STATE
        if not path.exists():
            return
        try:
            state = torch.load(path, map_location=self._learner.device, weights_only=True)
        except UNREADABLE as error:
            raise UserError(f"{path} cannot be read: {error}. Remove it to begin this fold anew.") from error
        self._learner.go_on_from(state)
        self._history, self._best, self._epoch = state["history"], state["best"], state["kept"]
        self._unread = {name: Unread(name, *why) for name, why in state["unread"].items()}
        logger.info("%s goes on after epoch %d", self._fold.label, len(self._history))

    def _state(self) -> dict[str, Any]:
        unread = {one.name: [str(one.status), one.reason] for one in self._unread.values()}
        progress = {"history": self._history, "best": self._best, "kept": self._epoch, "unread": unread}
        return {**self._learner.state(), "epoch": len(self._history), **progress}

    def _learn(self, epoch: int) -> float:
        """Goes through the training clips once; returns their mean loss."""
        learning, purpose = self._config.learning, (self._fold.label, f"epoch {epoch + 1}")
        order = generator_for(self._config.seed, "order", *purpose).permutation(self._fold.train)
        names = self._fold.names(order)
        examples = Examples(self._source, names, self._maker.to_learn, self._config.seed, "learn", *purpose)
        pinned = self._learner.device.type == "cuda"
        group = learning.batch_size * learning.accumulate
        losses, clips, added = [], 0, 0
        feed = batches(examples, learning.batch_size, self._config.workers, pinned=pinned)
        for number, batch in enumerate(feed):
            self._note(batch.unread)
            step = number // learning.accumulate
            asked = min(group, len(names) - step * group)
            if batch.names:
                truth = torch.from_numpy(self._truth[[self._rows[name] for name in batch.names]])
                loss = self._learner.add(batch.inputs, truth, len(batch.names) / asked, *purpose, f"batch {number}")
                losses.append(loss * len(batch.names))
                clips, added = clips + len(batch.names), added + len(batch.names)
            is_last = (number + 1) * learning.batch_size >= len(names)
            if added and (is_last or (number + 1) % learning.accumulate == 0):
                self._learner.step(epoch * self._learner.steps + step, added / asked)
                added = 0
        return self._mean(losses, clips, epoch)

    def _mean(self, losses: list[Tensor], clips: int, epoch: int) -> float:
        if not clips:
            why = next(iter(self._unread.values()))
            raise UserError(
                f"None of {len(self._fold.train)} training clips can be read; the first, '{why.name}': {why.reason}"
            )
        mean = float(torch.stack(losses).sum()) / clips
        if not math.isfinite(mean):
            raise UserError(
                f"The loss is {mean} in epoch {epoch + 1} of {self._fold.label}. Take a lower --learning-rate, more "
                "learning.warmup_epochs, or --dtype bfloat16 in place of float16."
            )
        return mean

    def _judge(self, epoch: int) -> dict[str, float]:
        """Returns the scores that choose the epoch, none where the last one is kept."""
        goal, select = self._learner.goal, self._config.select
        if select == "last":
            return {}
        released = select == "release"
        rows = self._fold.test if released else self._fold.validation
        rows = rows[goal.known(self._truth[rows])]
        make = self._maker.to_choose_as_released if released else self._maker.to_score
        purpose = ("judge", self._fold.label, f"epoch {epoch + 1}") if released else ("judge", self._fold.label)
        said = self._say(Examples(self._source, self._fold.names(rows), make, self._config.seed, *purpose))
        return goal.scores(self._truth[rows], said.table(self._fold.names(rows), self._prior()))

    def _keep(self, epoch: int, scores: dict[str, float]) -> None:
        """Writes the weights where they are the best so far, or the last."""
        if self._config.select == "last":
            if epoch < self._config.learning.epochs:
                return
        elif scores["score"] <= self._best:
            return
        self._best, self._epoch = scores.get("score", self._best), epoch
        # In the authors' format, and so that `load_checkpoint` knows what shapes do not say.
        network = self._learner.network
        arguments = argparse.Namespace(**said_of_size(self._beginning.size), **said_of_options(network))
        weights = {"model": network.state_dict(), "epoch": epoch, "args": arguments}
        write_checkpoint(self._folder / MODEL, weights)

    def _finish(self) -> Outcome:
        self._learner.network.load_state_dict(read_checkpoint(self._folder / MODEL).weights)
        names = self._fold.names(self._fold.test)
        said = self._say(
            Examples(self._source, names, self._maker.to_score, self._config.seed, "score", self._fold.label)
        )
        unread = [[one.name, str(one.status), one.reason] for one in self._unread.values()]
        outcome = Outcome(self._epoch, self._history, names, said.table(names, self._prior()).tolist(), sorted(unread))
        write_json(outcome._asdict(), self._folder / OUTCOME)
        (self._folder / STATE).unlink(missing_ok=True)
        return outcome

    def _say(self, examples: Examples) -> Said:
        pictures = self._config.pictures
        said = say(self._learner, examples, pictures.time_views * pictures.space_views, self._config.workers)
        self._note(said.unread)
        return said

    def _prior(self) -> np.ndarray:
        return self._learner.goal.prior(self._truth[self._fold.train])

    def _note(self, unread: list[Unread]) -> None:
        for one in unread:
            if one.name not in self._unread:
                logger.warning("%s cannot be read (%s): %s", one.name, one.status, one.reason)
                self._unread[one.name] = one


def read_outcome(folder: Path) -> Outcome | None:
    """Returns what came of a training that is done, ``None`` of one that is not."""
    path = folder / OUTCOME
    return Outcome(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
