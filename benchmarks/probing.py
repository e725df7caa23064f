"""What a masked autoencoder has learned: its features next to those of random weights, judged by a linear probe.

``python benchmarks/probing.py --model mae-dfer --corpus REF --cache DIR --checkpoint FILE ... [--json FILE]``. A
checkpoint is of ``python -m baseline pretrain`` or of a system's authors. Faces come out of a cache, sixteen pictures
spread over each clip; features are those of the fine-tuning form, before any fine-tuning. For every seed a logistic
regression on standardised features is trained and judged on folds that share no speaker. Seeds decide the folds and the
random weights; with several checkpoints they take turns, so that chance in pretraining is in the spread too.

*pixels* are no network's: each clip's pictures, 8 by 8 pixels, their mean over time and their deviation. *gradients*
are neither: histograms of oriented gradients (Dalal and Triggs 2005), which say what can be found in the same pictures.
*centred* is the accuracy after the mean of its speaker's clips was taken off each feature; where it is much higher, who
speaks hides what is expressed.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from baseline.face_clips.sources import open_clips
from toolkit.console import aligned, say
from toolkit.corpus import load_corpus
from toolkit.models.checkpoint import load_checkpoint
from toolkit.models.masked_autoencoder import FineTuning, autoencoders
from toolkit.models.transformer.targets import IMAGENET_DEVIATION, IMAGENET_MEAN

PICTURES, BATCH, COARSE = 16, 32, 8
Row = dict[str, float | str]


class Score(NamedTuple):
    """How well emotions of unseen speakers are told.

    Attributes:
        accuracy: share that is right
        weighted_f1: mean of the classes' F1, weighted with their clips
        centred: the accuracy on features less the mean of their speaker
    """

    accuracy: float
    weighted_f1: float
    centred: float


class Clips:
    """Labelled clips, whose faces are in memory.

    Args:
        reference: of the corpus, whose table has emotions and speakers
        cache: folder of the caches
        faces: how faces were found
        size: height and width of the pictures wanted
    """

    def __init__(self, reference: str, cache: Path, faces: str, size: int) -> None:
        import cv2

        corpus = load_corpus(reference)
        source, table = open_clips([corpus], "faces", cache=cache, faces=faces), corpus.table.set_index("name")
        videos, emotions, speakers = [], [], []
        for number, name in enumerate(source.names):
            if not table.emotion[name] or table.emotion[name] != table.emotion[name]:
                continue
            clip = source.open(number)
            pictures = clip.pictures(np.linspace(0, len(clip) - 1, PICTURES).round().astype(int))
            videos.append([cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA) for one in pictures])
            emotions.append(table.emotion[name])
            speakers.append(table.speaker[name])
        self.videos = np.array(videos)  # (clips, 16, size, size, 3) uint8
        self.emotions, self.speakers = np.array(emotions), np.array(speakers)

    def pixels(self) -> np.ndarray:
        """Returns what can be seen without a network, ``(clips, 2 * 8 * 8 * 3)``."""
        side = self.videos.shape[2] // COARSE
        coarse = self.videos.reshape(*self.videos.shape[:2], COARSE, side, COARSE, side, 3).mean(axis=(3, 5))
        return np.concatenate([coarse.mean(axis=1), coarse.std(axis=1)], axis=1).reshape(len(coarse), -1)

    def gradients(self) -> np.ndarray:
        """Returns the mean over time of histograms of oriented gradients, ``(clips, numbers)``."""
        import cv2

        size = self.videos.shape[2]
        describe = cv2.HOGDescriptor((size, size), (16, 16), (8, 8), (8, 8), 9).compute
        return np.stack([np.mean([describe(picture).ravel() for picture in video], axis=0) for video in self.videos])

    @torch.inference_mode()
    def features(self, network: FineTuning) -> np.ndarray:
        """Returns what a network makes of the clips, ``(clips, dim)``."""
        mean, spread = (torch.tensor(values).view(3, 1, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_DEVIATION))
        rows: list[Tensor] = []
        for start in range(0, len(self.videos), BATCH):
            video = torch.from_numpy(self.videos[start : start + BATCH]).permute(0, 4, 1, 2, 3) / 255
            rows.append(network.eval()({"video": (video - mean) / spread}).features)
        return torch.cat(rows).numpy()

    def probed(self, features: np.ndarray, seed: int) -> Score:
        """Returns what a linear probe makes of features on folds of speakers."""
        means = {speaker: features[self.speakers == speaker].mean(axis=0) for speaker in set(self.speakers)}
        centred = features - np.stack([means[speaker] for speaker in self.speakers])
        guesses, without_speaker = (self._guesses(rows, seed) for rows in (features, centred))
        return Score(
            accuracy_score(self.emotions, guesses),
            f1_score(self.emotions, guesses, average="weighted"),
            accuracy_score(self.emotions, without_speaker),
        )

    def _guesses(self, features: np.ndarray, seed: int) -> np.ndarray:
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
        folds = GroupKFold(5, shuffle=True, random_state=seed)
        return cross_val_predict(probe, features, self.emotions, groups=self.speakers, cv=folds)


def random_network(model: str, size: str, seed: int) -> FineTuning:
    """Returns a network with the weights that pretraining begins with, as far as the fine-tuning form has them."""
    torch.manual_seed(seed)
    family = autoencoders.get(model)
    before = family.for_fine_tuning(family.pretraining(family.sizes[size]).state_dict())
    network = family.fine_tuning(family.sizes[size], 0)
    own = network.state_dict()
    network.load_state_dict(own | {name: before[name] for name in own if name in before})
    return network


def row_of(title: str, scores: Sequence[Score]) -> Row:
    """Returns means and deviations over the seeds."""
    row: Row = {"features": title, "seeds": len(scores)}
    for name, values in zip(Score._fields, zip(*scores, strict=True), strict=True):
        row |= {name: float(np.mean(values)), f"{name}_std": float(np.std(values, ddof=1))}
    return row


def main(
    model: Annotated[str, typer.Option(help="Family of masked autoencoders that sees pictures alone.")],
    corpus: Annotated[str, typer.Option(metavar="REF", help="READER:PATH or the path of a CSV.")],
    cache: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the caches.")],
    checkpoint: Annotated[list[Path], typer.Option(metavar="FILE", help="Pretrained weights; may be given again.")],
    size: Annotated[str, typer.Option(help="Size of the networks with random weights.")] = "tiny-test",
    faces: Annotated[str, typer.Option(help="How faces were found.")] = "mtcnn",
    seeds: Annotated[int, typer.Option(min=2, help="How many.")] = 5,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the rows here.")] = None,
) -> None:
    """Compare pretrained features with random ones."""
    pretrained = [load_checkpoint(path, form="fine-tuning", outputs=0, family=model).network for path in checkpoint]
    clips = Clips(corpus, cache, faces, autoencoders.get(model).sizes[size].shape.size)
    plain = {"pixels": clips.pixels(), "gradients": clips.gradients()}
    learned = [clips.features(network) for network in pretrained]
    ways = {
        "pretrained": [clips.probed(learned[seed % len(learned)], seed) for seed in range(seeds)],
        "random": [clips.probed(clips.features(random_network(model, size, seed)), seed) for seed in range(seeds)],
    }
    ways |= {title: [clips.probed(features, seed) for seed in range(seeds)] for title, features in plain.items()}
    rows = [{"model": model} | row_of(title, scores) for title, scores in ways.items()]
    margins = np.subtract(ways["pretrained"], ways["random"])[:, 0]
    cells = [[value if isinstance(value, str) else f"{value:.3g}" for value in row.values()] for row in rows]
    for line in aligned([list(rows[0]), *cells]):
        say(line)
    largest = np.unique(clips.emotions, return_counts=True)[1].max() / len(clips.emotions)
    say(f"{len(clips.emotions)} clips, the largest class {largest:.3f}; margin of accuracy {margins.mean():+.3f}, "
        f"deviation over seeds {margins.std(ddof=1):.3f}")  # fmt: skip
    if json_file is not None:
        json_file.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    typer.run(main)
