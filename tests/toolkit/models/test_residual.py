import torch
from torch.nn import functional

from toolkit.models.residual import BasicBlock, ResidualTrunk, stage


def test_block_by_hand():
    """Convolutions that pass on their middle pixel, doubled: relu(2 * relu(2 x) + x)."""
    block = BasicBlock(1, 1).eval()
    for layer in (block.conv1, block.conv2):
        torch.nn.init.zeros_(layer.weight)
        layer.weight.data[0, 0, 1, 1] = 2.0
    given = torch.tensor([[[[1.0, -1.0], [0.5, 0.0]]]])
    expected = torch.tensor([[[[5.0, 0.0], [2.5, 0.0]]]])
    torch.testing.assert_close(block(given), expected, rtol=1e-4, atol=0)  # normalisation adds 1e-5 to the variance


def test_shortcut_of_a_stride_takes_every_other_pixel():
    block = BasicBlock(1, 2, stride=2).eval()
    torch.nn.init.zeros_(block.conv2.weight)
    block.downsample[0].weight.data[:] = torch.tensor([1.0, 3.0]).view(2, 1, 1, 1)
    given = torch.arange(16.0).view(1, 1, 4, 4)
    torch.testing.assert_close(block(given)[0, 1], 3 * given[0, 0, ::2, ::2], rtol=1e-4, atol=0)


def test_a_stage_has_its_stride_once():
    layers = stage(BasicBlock, 4, 8, stride=2)
    assert [block.conv1.stride for block in layers] == [(2, 2), (1, 1)]
    assert isinstance(layers[1].downsample, torch.nn.Identity)


def test_trunk_sees_through_its_layers():
    trunk = ResidualTrunk(4).eval()
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    first = functional.max_pool2d(trunk.bn1(trunk.conv1(pictures)).relu(), 3, 2, 1)
    torch.testing.assert_close(trunk.trunk(pictures), trunk.layer2(trunk.layer1(first)))
    assert trunk.trunk(pictures).shape == (2, 8, 4, 4)
