"""How tensors go to a device, and an optimiser from one to another."""

import pytest
import torch

from toolkit.models.transfer import restore_optimizer, sent


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


@pytest.mark.parametrize(("before", "after"), [(False, True), (True, False), (False, False)])
def test_an_optimizer_goes_on_in_the_way_of_its_own_device(before, after):
    def moved(weight, optimizer):
        weight.grad = torch.full_like(weight, 0.5)
        optimizer.step()

    weights = [torch.nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(3)]
    first, second, through = (
        torch.optim.AdamW([weight], lr=lr, fused=fused)
        for weight, lr, fused in zip(weights, (0.1, 7.0, 0.1), (before, after, after), strict=True)
    )
    moved(weights[0], first)
    moved(weights[2], through)
    weights[1].data.copy_(weights[0])
    restore_optimizer(second, first.state_dict())
    assert [(group["fused"], group["lr"]) for group in second.param_groups] == [(after, 0.1)]
    moved(weights[1], second)
    moved(weights[2], through)
    torch.testing.assert_close(weights[1], weights[2])
