"""Pictures as the networks read them."""

import torch

from baseline.face_clips.pixels import normalised


def test_values():
    pictures = torch.zeros(1, 2, 1, 1, 3, dtype=torch.uint8)
    pictures[0, 1, 0, 0] = torch.tensor([255, 51, 0], dtype=torch.uint8)
    clip = normalised(pictures)
    assert (clip.shape, clip.dtype) == ((1, 3, 2, 1, 1), torch.float32)
    expected = torch.tensor([(1 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, -0.406 / 0.225])
    torch.testing.assert_close(clip[0, :, 1, 0, 0], expected)
    torch.testing.assert_close(clip[0, :, 0, 0, 0], torch.tensor([-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225]))
