"""The loop that people run now, written out plainly; ``benchmarks/protocol.py`` times it.

One network after the other, as MERTools trains (MER2024 ``main-release.py``, ``toolkit/models/attention.py``): clips
are put together one by one into batches, every epoch goes over the training folds, the validation fold and the whole
test set, and the outputs of all epochs are kept. What the reference does beyond that, such as keeping the outputs for
the training clips too, is left out. Nothing of ours is used.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from sklearn.metrics import f1_score
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, SubsetRandomSampler

BATCH = 32
WEIGHT_DECAY = 1e-5


class Hyper(NamedTuple):
    """What is drawn for each network."""

    hidden: int = 128
    dropout: float = 0.3
    learning_rate: float = 1e-3


class Clips(Dataset):
    """Clips with the three features that the reference's networks want; a unimodal run names one feature three times.

    Args:
        features: ``(clips, dim)`` by feature
        emotion: ``(clips,)``
    """

    def __init__(self, features: dict[str, np.ndarray], emotion: np.ndarray) -> None:
        names = sorted(features) if len(features) == 3 else list(features) * 3
        self.features = [features[name] for name in names]
        self.emotion = emotion

    def __len__(self) -> int:
        return len(self.emotion)

    def __getitem__(self, clip: int) -> dict[str, np.ndarray]:
        first, second, third = (values[clip] for values in self.features)
        return {"first": first, "second": second, "third": third, "emotion": self.emotion[clip]}


def collate(clips: Sequence[dict[str, np.ndarray]]) -> dict[str, Tensor]:
    """Returns clips as one batch."""
    return {key: torch.from_numpy(np.array([clip[key] for clip in clips])) for key in clips[0]}


class Encoder(nn.Module):
    """Dropout on the input, then three times Linear and ReLU."""

    def __init__(self, dim: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Dropout(dropout),
            *(nn.Linear(dim, hidden), nn.ReLU()),
            *(nn.Linear(hidden, hidden), nn.ReLU()),
            *(nn.Linear(hidden, hidden), nn.ReLU()),
        )

    def forward(self, values: Tensor) -> Tensor:
        """Maps ``(batch, dim)`` to ``(batch, hidden)``."""
        return self.layers(values)


class Attention(nn.Module):
    """MERTools' ``attention``: three encoded features, weighted by scores made of all of them, without a softmax."""

    def __init__(self, dims: Sequence[int], classes: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.first, self.second, self.third = (Encoder(dim, hidden, dropout) for dim in dims)
        self.attention = Encoder(3 * hidden, hidden, dropout)
        self.scores = nn.Linear(hidden, 3)
        self.head = nn.Linear(hidden, classes)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Returns the logits ``(batch, classes)``."""
        encoded = [self.first(batch["first"]), self.second(batch["second"]), self.third(batch["third"])]
        scores = self.scores(self.attention(torch.cat(encoded, dim=1)))
        fused = torch.matmul(torch.stack(encoded, dim=2), scores.unsqueeze(2)).squeeze(2)
        return self.head(fused)


def train_naively(
    train: Clips, folds: np.ndarray, fold: int, test: Clips, hyper: Hyper, epochs: int, device: str
) -> np.ndarray:
    """Trains one network and returns its logits for the test clips, of the epoch that was best on the fold.

    Args:
        train: the training clips
        folds: ``(clips,)`` fold of each
        fold: the one that validates
        test: clips that are predicted after every epoch
        hyper: hyper-parameters
        epochs: all of them are run
        device: torch device
    """
    classes = int(train.emotion.max()) + 1
    network = Attention([values.shape[1] for values in train.features], classes, hyper.hidden, hyper.dropout).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=hyper.learning_rate, weight_decay=WEIGHT_DECAY)
    samplers = [SubsetRandomSampler(np.flatnonzero(rows).tolist()) for rows in (folds != fold, folds == fold)]
    taught, held = (DataLoader(train, BATCH, sampler=one, num_workers=0, collate_fn=collate) for one in samplers)
    asked = DataLoader(test, BATCH, shuffle=False, num_workers=0, collate_fn=collate)
    epochs_kept = []
    for _ in range(epochs):
        teach(network, taught, optimizer, device)
        logits, emotion = evaluate(network, held, device)
        merit = f1_score(emotion, logits.argmax(1), average="weighted")
        logits, _ = evaluate(network, asked, device)
        epochs_kept.append((merit, logits))
    return max(epochs_kept, key=lambda kept: kept[0])[1]


def teach(network: nn.Module, loader: DataLoader, optimizer: torch.optim.Optimizer, device: str) -> None:
    """Goes once over the training clips."""
    network.train()
    for batch in loader:
        batch = {key: part.to(device) for key, part in batch.items()}
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(batch), batch["emotion"])
        loss.backward()
        optimizer.step()


@torch.no_grad()
def evaluate(network: nn.Module, loader: DataLoader, device: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns logits ``(clips, classes)`` and emotions ``(clips,)`` in the loader's order."""
    network.eval()
    logits, emotions = [], []
    for batch in loader:
        batch = {key: part.to(device) for key, part in batch.items()}
        logits.append(network(batch).cpu().numpy())
        emotions.append(batch["emotion"].cpu().numpy())
    return np.concatenate(logits), np.concatenate(emotions)
