"""The stages of SVFAP: coarser in time, summed up in space."""

import pytest
import torch
from torch.nn import functional

from toolkit.models.tpsbt import SpatialDownsampling, TemporalDownsampling, Tpsbt, TpsbtSize
from toolkit.models.transformer.clip_shape import ClipShape

TINY = TpsbtSize(ClipShape(32), dim=8, depths=(1, 2, 1), bottlenecks=(3, 2), heads=2)


def stages(size: TpsbtSize = TINY) -> Tpsbt:
    network = Tpsbt()
    network.add_stages(size)
    return network


def test_temporal_downsampling_is_the_convolution_it_is_stored_as():
    layer, tokens = TemporalDownsampling(5, 3), torch.randn(2, 6, 7, 5)  # (B, steps, sites, dim)
    convolved = functional.conv1d(tokens.permute(0, 2, 3, 1).flatten(0, 1), layer.weight, layer.bias, stride=3)
    expected = convolved.unflatten(0, (2, 7)).permute(0, 3, 1, 2)
    torch.testing.assert_close(layer(tokens), expected, rtol=1e-5, atol=1e-6)


def test_spatial_downsampling_is_a_weighted_mean_over_the_sites_of_one_step():
    torch.manual_seed(0)
    layer, tokens = SpatialDownsampling(4, 2), torch.randn(1, 3, 5, 4)
    torch.nn.init.zeros_(layer.mlp.fc2.weight)  # every site counts the same
    torch.testing.assert_close(layer(tokens), tokens.mean(dim=2, keepdim=True).expand(1, 3, 2, 4))
    torch.nn.init.normal_(layer.mlp.fc2.weight, std=1e5)  # one site counts for all, the one with the highest score
    best = layer.mlp(layer.norm(tokens)).argmax(dim=2)
    torch.testing.assert_close(layer(tokens), tokens.take_along_dim(best[..., None], dim=2))


def test_stages_get_coarser_in_time_and_keep_their_sites():
    made = list(stages().stages(torch.randn(2, 8, 4, 8)))
    assert [tuple(stage.shape) for stage in made] == [(2, 8, 4, 8), (2, 4, 4, 8), (2, 2, 4, 8)]


def test_of_what_later_blocks_are():
    """Only the last block of a later stage has the tokens of all sites pass through it."""
    network, lengths = stages(), []
    for block in network.blocks:
        block.register_forward_hook(lambda _block, _inputs, output: lengths.append(output.shape[1]))
    list(network.stages(torch.randn(1, 8, 4, 8)))
    assert lengths == [8 * 4, 4 * 3, 4 * 4, 2 * 4]


def test_drop_path_rises_over_all_blocks():
    network = Tpsbt()
    network.add_stages(TINY, drop_path=0.3)
    rates = [block.drop_path.rate for block in network.blocks]
    assert rates == pytest.approx([0.0, 0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depths": (1, 2)}, "bottleneck tokens of 2 stages, expected 1"),
        ({"depths": (1, 0, 2)}, r"stages of \(1, 0, 2\) blocks, expected at least one"),
        ({"factor": 3}, "8 steps of time cannot be shortened 2 times by 3"),
        ({"depths": ()}, "the weights do not say which stage a block is of"),
    ],
)
def test_sizes_that_do_not_fit(change, message):
    with pytest.raises(ValueError, match=message):
        stages(TINY._replace(**change))
