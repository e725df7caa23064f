"""The training of one stack: a look at the validation clips after every epoch, the best epoch kept."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from baseline.config import TrainingSettings
from baseline.feed import Feed
from baseline.lesson import Lesson
from baseline.stack_adam import StackAdam
from baseline.task import Emphasis, Prediction, Task
from toolkit.models.dropout import Chance
from toolkit.models.network import Network, NetworkOutput
from toolkit.models.stack import Stack


class Course:
    """Networks of one shape on their way through the epochs.

    Args:
        networks: as they start, sorted by learning rate
        lessons: what each learns from
        settings: how each is trained; equal but for epochs, learning rate and weight decay
        task: what is learnt
    """

    def __init__(
        self, networks: list[Network], lessons: Sequence[Lesson], settings: Sequence[TrainingSettings], task: Task
    ) -> None:
        self.task, self.settings, self.size = task, settings[0], len(networks)
        self.lessons = list(dict.fromkeys(lessons))
        which = [self.lessons.index(lesson) for lesson in lessons]
        device = lessons[0].device()
        self.members = [
            torch.tensor([m for m, w in enumerate(which) if w == u], device=device) for u in range(len(self.lessons))
        ]
        self.stack = Stack(networks, Chance([lesson.seed for lesson in lessons], device)).to(device)
        self.optimizer = StackAdam(self.stack, settings)
        self.feed = Feed(self.lessons, which, self.settings)
        balanced = self.settings.class_weights == "balanced" and task.classes > 0
        rated = any(bool(lesson.pool.targets.valence.isfinite().any()) for lesson in self.lessons)
        weights = torch.stack([_class_weights(one, task.classes) for one in self.lessons])[which] if balanced else None
        self.emphasis = Emphasis(weights, self.settings.label_smoothing, rated)
        self.epochs = np.array([one.epochs for one in settings])
        self.best = np.full((self.size, 2), -np.inf)  # merit and negative loss of the epoch kept
        self.kept = np.zeros(self.size, int)  # the epoch kept, counted from 1
        self.states: list[dict[str, Tensor]] = [{} for _ in range(self.size)]

    def run(self) -> None:
        """Trains until every model has had its epochs, or its patience is at an end.

        The first epoch is kept whatever comes of it, so that a model that runs off at once has weights that show it.
        """
        chosen = self.lessons[0].held is not None
        for epoch in range(1, int(self.epochs.max()) + 1):
            self._teach()
            running = epoch <= self.epochs
            if chosen:
                running &= (self.kept == 0) | (epoch - self.kept <= self.settings.patience)
                judged = self._judge()
                self._keep(running & ((self.kept == 0) | _better(judged, self.best, self.settings.ties)), epoch, judged)
                running &= (epoch < self.epochs) & (epoch - self.kept < self.settings.patience)
            else:
                self._keep(self.epochs == epoch, epoch, self.best)
                running &= epoch < self.epochs
            if not running.any():
                break

    def results(self) -> list[tuple[dict[str, Tensor], int, float | None]]:
        """Returns weights, epoch and merit of every model, minus infinity where only numbers came that are none."""
        chosen = self.lessons[0].held is not None
        merits = [float(merit) if chosen else None for merit in self.best[:, 0]]
        return list(zip(self.states, map(int, self.kept), merits, strict=True))

    def _teach(self) -> None:
        """Goes once through the training clips."""
        self.stack.train()
        for batch in self.feed:
            output = self.stack(batch.features, batch.present)
            loss = self.task.loss(output, batch.targets, self.emphasis) + output.auxiliary_loss
            self.optimizer.step(loss.sum(), self.settings.gradient_clip)

    @torch.no_grad()
    def _judge(self) -> np.ndarray:
        """Returns merit and negative loss of each model on the validation clips, ``(models, 2)``.

        Both are minus infinity where an output is no number, which any other epoch is better than.
        """
        self.stack.eval()
        judged = np.full((self.size, 2), -np.inf)
        for lesson, members in zip(self.lessons, self.members, strict=True):
            inputs, targets, truth = lesson.held
            parts = [self.stack.apart(members, part.features, part.present) for part in lesson.shown()]
            output = _joined(parts)
            mean, deviation = lesson.standard.valence
            valence = (output.valence * deviation + mean).clamp(*lesson.valence_range)
            finite = output.emotion_logits.isfinite().all(-1).all(-1) & output.valence.isfinite().all(-1)
            losses = self.task.loss(output, targets.expand(len(members))).tolist()
            # Of all models at once: whatever a GPU is asked for one by one, it is waited for.
            probabilities = self.task.probabilities(output.emotion_logits).cpu().numpy()
            valence, finite = valence.cpu().numpy(), finite.tolist()
            everyone = np.ones(len(inputs), bool)
            for place, member in enumerate(members.tolist()):
                if not finite[place]:
                    continue
                prediction = Prediction(probabilities[place], valence[place], everyone)
                judged[member] = self.task.merit(prediction, truth), -losses[place]
        return judged

    def _keep(self, improved: np.ndarray, epoch: int, judged: np.ndarray) -> None:
        self.best[improved], self.kept[improved] = judged[improved], epoch
        for number in np.flatnonzero(improved):
            self.states[number] = self.stack.state(int(number))


def _joined(outputs: Sequence[NetworkOutput]) -> NetworkOutput:
    """Returns the outputs of several batches, ``(models, batch, ...)``, as one.

    Their own losses are left out: nothing is judged by them, and those that compare clips with each other, as MMIM's
    score of each clip with each, depend on who is in a batch.
    """
    if len(outputs) == 1:
        return outputs[0]
    features, logits, valence, losses = zip(*outputs, strict=True)
    joined = (torch.cat(parts, dim=1) for parts in (features, logits, valence))
    return NetworkOutput(*joined, torch.zeros_like(losses[0]))


def _better(judged: np.ndarray, best: np.ndarray, ties: str) -> np.ndarray:
    """Returns ``(models,)`` where merit is higher, or equal with a lower loss unless the first of equals is kept."""
    lower = (judged[:, 0] == best[:, 0]) & (judged[:, 1] > best[:, 1])
    return (judged[:, 0] > best[:, 0]) | (lower & (ties == "loss"))


def _class_weights(lesson: Lesson, classes: int) -> Tensor:
    """Returns ``(classes,)`` weights that make classes count the same (scikit-learn, ``class_weight="balanced"``)."""
    emotion = lesson.pool.targets.emotion[lesson.train]
    counts = torch.bincount(emotion[emotion >= 0], minlength=classes).float()
    present = counts > 0
    return torch.where(present, counts.sum() / (present.sum().clamp(min=1) * counts.clamp(min=1)), 1.0)
