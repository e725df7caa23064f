"""How tensors go to a device."""

import pytest
import torch

from toolkit.models.transfer import sent


class Noted:
    """Says what is asked of a tensor."""

    def __init__(self, place):
        self.device, self.asked = torch.device(place), []

    def pin_memory(self):
        assert self.device.type == "cpu", "torch pins nothing else"
        self.asked.append("pinned")
        return self

    def to(self, device, *, non_blocking=False):
        self.asked.append((device.type, non_blocking))
        return self


@pytest.mark.parametrize(
    ("begin", "end", "asked"),
    [
        ("cpu", "cuda", ["pinned", ("cuda", True)]),
        ("cuda", "cuda", [("cuda", False)]),  # where accelerate has put a mask
        ("cpu", "mps", [("mps", False)]),
        ("cpu", "cpu", [("cpu", False)]),
    ],
)
def test_nobody_waits_for_a_gpu_that_reads_pinned_memory(begin, end, asked):
    tensor = Noted(begin)
    assert sent(tensor, torch.device(end)) is tensor
    assert tensor.asked == asked


def test_a_tensor_that_is_there_is_not_copied():
    tensor = torch.ones(3)
    assert sent(tensor, torch.device("cpu")) is tensor
