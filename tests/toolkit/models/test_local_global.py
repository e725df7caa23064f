"""Regions, and blocks over them, against their equations."""

import itertools

import pytest
import torch

from toolkit.models.local_global import LocalGlobalBlock, Partition, Stages, through

PARTITION = Partition.of((4, 4, 6), (2, 2, 3))


def test_where_tokens_go():
    numbers = torch.arange(96.0)[None, :, None]
    regions = PARTITION.cut(numbers)
    assert regions.shape == (1, 8, 12, 1)
    grid = numbers.reshape(4, 4, 6)
    places = itertools.product(range(2), range(2), range(2))
    for region, (step, row, column) in zip(regions[0, :, :, 0], places, strict=True):
        own = grid[2 * step : 2 * step + 2, 2 * row : 2 * row + 2, 3 * column : 3 * column + 3]
        assert torch.equal(region, own.flatten())
    assert torch.equal(PARTITION.joined(regions), numbers)


def test_what_is_seen_finds_its_region():
    """Regions as wide as the picture, of each row of which one token is seen at every step."""
    partition = Partition.of((4, 4, 6), (2, 2, 6))
    grid = torch.arange(96.0).reshape(4, 4, 6)
    seen = grid[:, :, [0, 5, 2]][:, torch.arange(4), torch.tensor([0, 2, 1, 1])]  # (step, row)
    some = partition.of_visible(16)
    regions = some.cut(seen.reshape(1, 16, 1))
    assert regions.shape == (1, 4, 4, 1)
    theirs = partition.cut(grid.reshape(1, 96, 1))
    assert all(
        set(region.flatten().tolist()) <= set(all_of.flatten().tolist())
        for region, all_of in zip(regions[0], theirs[0], strict=True)
    )
    assert torch.equal(some.joined(regions).flatten(), seen.flatten())


def test_what_cannot_be_cut():
    with pytest.raises(ValueError, match=r"\(4, 4, 6\) tokens cannot be cut into regions of \(2, 3, 6\)"):
        Partition.of((4, 4, 6), (2, 3, 6))
    for visible in (15, 0):
        with pytest.raises(ValueError, match=f"{visible} visible tokens .* 8 regions, 2 steps each"):
            PARTITION.of_visible(visible)


def every_stages():
    names = Stages._fields
    choices = (("self", "cross"), (True, False), ("self", "cross", None), (None, "first-third", "all"))
    return [Stages(**dict(zip(names, choice, strict=True))) for choice in itertools.product(*choices)]


def by_hand(block, tokens, regions):
    """One clip and one stage after the other, as the paper has them."""
    first, second, third, _ = block.stages
    clips = []
    for clip in tokens.split(regions):
        own, local = clip[:, :1], clip[:, 1:]
        if first == "self":
            normal = block.first_attn_norm0(clip)
            own, local = (clip + block.first_attn(normal, normal)).split([1, local.shape[1]], dim=1)
        else:
            own = own + block.first_attn(block.first_attn_norm0(own), block.first_attn_norm1(local))
        if second:
            normal = block.second_attn_norm0(own.transpose(0, 1))
            own = own + block.second_attn(normal).transpose(0, 1)
        if third == "cross":
            context = block.third_attn_norm1(own.transpose(0, 1)).expand(regions, -1, -1)
            local = local + block.third_attn(block.third_attn_norm0(local), context)
        clip = torch.cat([own, local], dim=1)
        if third == "self":
            clip = clip + block.third_attn(block.third_attn_norm0(clip))
        clips.append(clip + block.mlp(block.norm2(clip)))
    return torch.cat(clips)


@pytest.mark.parametrize("stages", every_stages(), ids=lambda stages: "-".join(map(str, stages)))
def test_a_block(stages):
    torch.manual_seed(0)
    block = LocalGlobalBlock(8, 2, stages)
    for weight in block.parameters():
        torch.nn.init.normal_(weight)
    tokens = torch.randn(6, 5, 8, requires_grad=True)  # two clips of three regions
    ours = block(tokens, 3)
    torch.testing.assert_close(ours, by_hand(block, tokens, 3), rtol=1e-4, atol=1e-4)
    ours.square().sum().backward()  # which writing in place would forbid
    assert [name for name, weight in block.named_parameters() if weight.grad is None] == []
    attentions = {name: getattr(block, f"{name}_attn", None) for name in ("first", "second", "third")}
    shared = [name for name in ("second", "third") if attentions[name] is attentions["first"]]
    expected = {None: [], "first-third": ["third"], "all": ["second", "third"]}[stages.shared]
    assert shared == [name for name in expected if attentions[name] is not None]


def test_every_clip_begins_with_the_same_representatives():
    representatives, local = torch.randn(3, 8), torch.randn(2, 3, 4, 8)
    tokens = through(torch.nn.ModuleList(), representatives, local)
    assert torch.equal(tokens[:, :, 0], representatives.expand(2, 3, 8))
    assert torch.equal(tokens[:, :, 1:], local)
