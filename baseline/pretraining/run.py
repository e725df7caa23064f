"""A pretraining from its settings to its folder, from the start or from where it was ended."""

import argparse
import hashlib
import logging
import time
from collections.abc import Iterator
from typing import Any

from baseline.face_clips.clip import ClipSource
from baseline.face_clips.sources import open_clips
from baseline.face_clips.stream import ClipBatch, ClipStream, Draw
from baseline.pretraining.checkpoint import checkpoint_path, last_checkpoint, read_own, said_of_size, write_checkpoint
from baseline.pretraining.curve import Row, draw_curve, write_curve
from baseline.pretraining.folder import PAGES, clear, counted, require_own, sweep, write_failures, write_settings
from baseline.pretraining.networks import build, size_of
from baseline.pretraining.order import Order
from baseline.pretraining.page import CLIPS, write_page
from baseline.pretraining.settings import Doings, PretrainingSettings
from baseline.pretraining.team import Team, assemble
from baseline.pretraining.training import Training
from baseline.pretraining.view import PretrainingView
from baseline.run_directory import ENVIRONMENT, environment, write_json
from toolkit.corpus import load_corpus
from toolkit.errors import ClipError, UserError
from toolkit.memory import kept_memory
from toolkit.models.masked_autoencoder import autoencoders
from toolkit.status import Status

logger = logging.getLogger(__name__)


def pretrain(settings: PretrainingSettings, doings: Doings) -> list[Row]:
    """Pretrains a network, or goes on with what the folder holds of the same settings.

    Args:
        settings: all that decides the numbers
        doings: all else

    Returns:
        a row for each epoch, see `Training.epoch`

    Raises:
        UserError: the folder holds another run, the settings do not fit each other, or no clip can be read
    """
    if not doings.overwrite:
        require_own(doings.out, settings)
    team = assemble(doings.device)
    clips = _clips(settings)
    with kept_memory():
        return Pretrainer(settings, doings, clips, team).run()


def _clips(settings: PretrainingSettings) -> ClipSource:
    corpora = [load_corpus(reference) for reference in settings.corpus]
    if settings.split is not None:
        corpora = [corpus.select(*settings.split) for corpus in corpora]
    return open_clips(corpora, settings.source, cache=settings.cache, faces=settings.faces)


class Pretrainer:
    """A run in its folder.

    Args:
        settings: all that decides the numbers
        doings: all else
        clips: to be seen
        team: this process and others

    Raises:
        UserError: the settings do not fit each other
    """

    def __init__(self, settings: PretrainingSettings, doings: Doings, clips: ClipSource, team: Team) -> None:
        shares = settings.accumulate * team.processes
        if settings.batch % shares:
            raise UserError(
                f"A batch of {settings.batch} clips cannot be shared by {team.processes} processes in "
                f"{settings.accumulate} parts each. Choose a --batch that {shares} divides."
            )
        self.settings, self.doings, self.clips, self.team = settings, doings, clips, team
        self.order = Order(len(clips), settings.batch, settings.seed)
        self.training = Training(settings, build(settings), self.order.steps, team)
        size, hears = size_of(settings), "audio" in autoencoders.get(settings.model).streams
        self._view = PretrainingView(size.shape.size, step=settings.frame_step, hears=hears, window=settings.looked_at)
        clips_read = hashlib.sha256("\n".join(clips.names).encode()).hexdigest()
        said = settings.model_dump(mode="json") | said_of_size(size)
        said |= {"clips_read": clips_read, "processes": team.processes}
        self._arguments = argparse.Namespace(**said)
        self._failures = dict(clips.left_out)
        self._rows: list[Row] = []

    def run(self) -> list[Row]:
        """Trains until the last epoch."""
        is_first, folder = self.team.rank == 0, self.doings.out
        if self.doings.overwrite and is_first:
            clear(folder)
        self.team.wait()
        begun = self._resumed()
        if begun == self.settings.epochs:
            logger.info("%s: all %d epochs are done", folder, begun)
            return self._rows
        if is_first:
            sweep(folder)
            write_settings(folder, self.settings)
            write_json(environment({}, self.team.device), folder / ENVIRONMENT)
            self._say_what_is_read()
        batches = self._batches(begun)
        for epoch in range(begun, self.settings.epochs):
            self._epoch(epoch, batches)
        return self._rows

    def _epoch(self, epoch: int, batches: Iterator[ClipBatch]) -> None:
        started, failed = time.monotonic(), len(self._failures)
        self.training.network.train()
        row = self.training.epoch(epoch, batches)
        self._rows.append(row)
        self._failures = dict(self.team.gathered(list(self._failures.items())))
        if self.team.rank:
            return
        speed = self.order.steps * self.settings.batch / (time.monotonic() - started)
        logger.info(
            "epoch %d of %d: loss %.4f (the mean of each patch: %.4f), rate %.2e, %.1f clips a second",
            *(epoch, self.settings.epochs, row["loss"], row["patch_mean"], row["learning_rate"], speed),
        )
        if len(self._failures) > failed:
            logger.warning("clips that cannot be read, others in their place: %s", counted(self._failures))
            write_failures(self.doings.out, self._failures)
        write_curve(self._rows, self.doings.out)
        is_last = epoch + 1 == self.settings.epochs
        if self.doings.page_every and (is_last or (epoch + 1) % self.doings.page_every == 0):
            self._write_page(epoch)
        if is_last or (epoch + 1) % self.doings.save_every == 0:
            self._save(epoch)  # after all else that is written, which would not be done again

    def _batches(self, begun: int) -> Iterator[ClipBatch]:
        """Yields what this process trains on, and notes which clips cannot be read."""
        stream = ClipStream(
            self.clips,
            self._view,
            seed=self.settings.seed,
            workers=self.doings.workers,
            pinned=self.team.device.startswith("cuda"),
        )
        share = {"accumulate": self.settings.accumulate, "rank": self.team.rank, "processes": self.team.processes}
        for batch in stream.read(self.order.parts(range(begun, self.settings.epochs), **share)):
            self._failures |= batch.failures
            yield batch

    def _resumed(self) -> int:
        """Goes on from the last checkpoint, and returns the epoch that is to be trained next."""
        path = last_checkpoint(self.doings.out)
        state: dict[str, Any] = {"epoch": -1, "curve": []} if path is None else read_own(path)
        if any(curve != state["curve"] for curve in self.team.gathered([state["curve"]])):
            raise UserError(
                f"The processes do not find the same checkpoint in {self.doings.out}. Give all machines one --out that "
                "they share, or copies of it that are the same."
            )
        if path is None:
            return 0
        if state["args"].clips_read != self._arguments.clips_read:
            raise UserError(
                f"{path} was trained on other clips than {self.doings.out} is to go on with: the corpus or the faces "
                "have changed. Choose another --out, or --overwrite to begin anew."
            )
        self.training.restore(state)
        self._rows = state["curve"]
        failures = state.get("failures", {})  # earlier versions kept none
        self._failures |= {name: ClipError(Status(status), reason) for name, (status, reason) in failures.items()}
        begun = int(state["epoch"]) + 1
        if self.team.rank == 0 and begun < self.settings.epochs:
            logger.info("going on after %s", path)
            before = getattr(state["args"], "processes", None)
            if before not in (None, self.team.processes):
                logger.warning(
                    "%s is of %d processes, not %d: contrasts are within what a process sees, so losses may change",
                    *(path, before, self.team.processes),
                )
        return begun

    def _save(self, epoch: int) -> None:
        draw_curve(self._rows, self.doings.out)
        failures = {name: (error.status.value, error.reason) for name, error in self._failures.items()}
        state = {"epoch": epoch, "args": self._arguments, "curve": self._rows, "failures": failures}
        write_checkpoint(checkpoint_path(self.doings.out, epoch), self.training.state() | state)

    def _write_page(self, epoch: int) -> None:
        draws = [Draw(0, number) for number in range(min(CLIPS, len(self.clips)))]
        reader = ClipStream(self.clips, self._view, seed=self.settings.seed)
        self.training.network.eval()
        write_page(self.doings.out / PAGES / f"epoch-{epoch:04d}.png", self.training, next(reader.read([draws])))

    def _say_what_is_read(self) -> None:
        logger.info("%d clips, %d steps of %d an epoch", len(self.clips), self.order.steps, self.settings.batch)
        if len(self.clips) < self.settings.batch:
            logger.info("fewer clips than a batch: each comes several times in a step, seen otherwise")
        if self.clips.left_out:
            logger.warning("%d clips are left out: %s", len(self.clips.left_out), counted(self.clips.left_out))
        if self._failures:
            write_failures(self.doings.out, self._failures)
