"""What is on a page of reconstructions."""

import numpy as np
import torch

from baseline.face_clips.stream import ClipBatch, Draw
from baseline.pretraining import page
from baseline.pretraining.networks import build
from baseline.pretraining.team import Team
from baseline.pretraining.training import Training


def test_rows(quickly, face_pictures):
    settings = quickly(model="mae-dfer")[0]
    training = Training(settings, build(settings), 1, Team("cpu"))
    video = torch.from_numpy(face_pictures(0, 16, 64))[None]
    batch = ClipBatch([Draw(0, 0)], [0], {"video": video}, {})
    inputs, masks = training.inputs(batch.tensors), training.masks(batch.draws, "page")
    rebuilt = training.network.rebuilt(inputs, masks, training.rebuild(inputs, masks).predictions)
    rows = dict(page.rows(training, inputs, masks, rebuilt))
    assert list(rows) == ["original", "masked", "rebuilt", "motion", "motion rebuilt"]
    assert {row.shape for row in rows.values()} == {(64, 8 * 64, 3)}
    pixels = video[0, ::2].permute(1, 0, 2, 3).flatten(1, 2).numpy() / 255
    np.testing.assert_allclose(rows["original"], pixels, atol=1e-6)
    hidden = masks["video"][0].reshape(8, 4, 4).numpy().repeat(16, axis=1).repeat(16, axis=2)
    hidden = np.concatenate(list(hidden), axis=1)
    np.testing.assert_allclose(rows["masked"][hidden], 0.5, atol=1e-6)
    for name in ("masked", "rebuilt"):
        np.testing.assert_allclose(rows[name][~hidden], pixels[~hidden], atol=1e-5)
    second = video[0, 1::2].permute(1, 0, 2, 3).flatten(1, 2).numpy() / 255
    np.testing.assert_allclose(rows["motion"], (0.5 + 3 * (second - pixels)).clip(0, 1), atol=1e-5)
