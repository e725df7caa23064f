"""The VideoMAE of the MER2024 scripts."""

import dataclasses
from pathlib import Path

import numpy as np
import torch

from feature_extraction.encoder import build_encoder
from feature_extraction.faces.track import FaceTrack
from feature_extraction.visual.video_face import TINY
from references.vectors import Difference, Vectors, difference, gradient_difference
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.videomae import VideoMaeFineTuning, VideoMaeSize


def build(vectors: Vectors) -> VideoMaeFineTuning:
    """Returns our network with their weights, whose names are the same."""
    sizes = vectors.facts["constructor_args"]
    shape = ClipShape(sizes["img_size"], sizes["all_frames"], sizes["patch_size"], sizes["tubelet_size"])
    size = VideoMaeSize(shape, sizes["embed_dim"], sizes["depth"], sizes["num_heads"])
    network = VideoMaeFineTuning(size, sizes["num_classes"], norm_tokens=not sizes["use_mean_pooling"])
    network.load_state_dict(vectors.group("weights"))
    return network


def differences(path: Path) -> list[Difference]:
    """Returns how far positions, outputs and gradients are from theirs."""
    vectors = Vectors.read(path)
    network, video, theirs = build(vectors), vectors.tensors["inputs/video"], vectors.group("outputs")
    feature, logits = network({"video": video})
    loss = logits.square().mean()
    found = [
        difference("positions", network.positions, vectors.tensors["inputs/pos_embed_check"][0], 1e-6, 0.0),
        difference("feature", feature, theirs["feature"], 1e-6, 1e-5),
        difference("logits", logits, theirs["logits"], 1e-6, 1e-5),
        difference("loss", loss, theirs["loss"], 1e-6, 1e-5),
    ]
    if gradients := vectors.group("grads"):  # stored for one of the cases
        loss.backward()
        found.append(gradient_difference(network, gradients, (1e-7, 1e-4)))
    return found


def frames(count: int) -> np.ndarray:
    """Returns what the reference cut its views from, ``(count, 40, 36, 3)`` uint8, blue first."""
    row, column, colour = np.meshgrid(np.arange(40), np.arange(36), np.arange(3), indexing="ij")
    waves = 150 + 90 * np.sin(0.05 * row + 0.9 * colour) * np.cos(0.043 * column - 0.4 * colour)
    frame = np.trunc(np.clip(waves + (7 * column + 13 * row + 5 * colour) % 27, 0, 255)).astype(np.uint8)
    return frame // 2 + np.arange(count, dtype=np.uint8)[:, None, None, None]


def view_differences(path: Path) -> list[Difference]:
    """Returns how far the views of whole clips are from theirs; those of single frames have no counterpart in ours."""
    encoder = build_encoder(dataclasses.replace(TINY, options=(("views", "mertools"),)), device="cpu", level="frame")
    found = []
    for name, theirs in Vectors.read(path).group("clips").items():
        if name.startswith("UTTERANCE_N"):
            crops = frames(int(name.removeprefix("UTTERANCE_N")))[..., ::-1]  # ours are red first
            nobody = np.zeros((len(crops), 0), np.float32)
            pieces = encoder.pieces(FaceTrack(crops, np.arange(len(crops)) / 10, nobody, nobody, nobody))
            videos = [
                encoder.preprocessing.normalised(torch.from_numpy(np.ascontiguousarray(piece.inputs))).transpose(0, 1)
                for piece in pieces
            ]
            # Theirs come twice, from two crops that are the same, and only every eighth pixel is stored.
            views = torch.stack([videos[0], videos[0], videos[-1], videos[-1]])[..., ::8, ::8]
            found.append(difference(name, views, theirs, 1e-6, 0.0))
    return found
