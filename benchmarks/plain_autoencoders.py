"""Masked autoencoders written out as their papers have them; ``benchmarks/masked_autoencoders.py`` times them.

Whole clips in, features and outputs out, from the tensors of a network by their names: convolutions where tokens are
cut, ``softmax(q k^T) v`` in three lines where something is attended to, everything in base size. Nothing of ours is
used. Sizes and equations are those of MAE-DFER (arXiv 2307.02227), SVFAP (arXiv 2401.00416), HiCMAE
(arXiv 2401.05698) and VideoMAE (arXiv 2203.12602).
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

HEAD = 64  # numbers of an attention head
GRID = (8, 10, 10)  # tokens of a clip along time, height and width
REGION = (2, 5, 10)  # of MAE-DFER
STAGES = (12, 6, 3)  # blocks of SVFAP's stages
Outputs = tuple[Tensor, Tensor]


class Plain:
    """Layers from tensors.

    Args:
        state: tensors by name
    """

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self.state = state

    def linear(self, name: str, values: Tensor) -> Tensor:
        """A layer with a bias."""
        return functional.linear(values, self.state[f"{name}.weight"], self.state[f"{name}.bias"])

    def norm(self, name: str, values: Tensor) -> Tensor:
        """Layer normalisation."""
        return functional.layer_norm(
            values, values.shape[-1:], self.state[f"{name}.weight"], self.state[f"{name}.bias"], 1e-6
        )

    def mlp(self, name: str, values: Tensor) -> Tensor:
        """Two layers."""
        return self.linear(f"{name}.fc2", functional.gelu(self.linear(f"{name}.fc1", values)))

    def attention(self, name: str, values: Tensor) -> Tensor:
        """Self-attention of one matrix ``qkv``."""
        q_bias, v_bias = self.state[f"{name}.q_bias"], self.state[f"{name}.v_bias"]
        bias = torch.cat([q_bias, torch.zeros_like(v_bias), v_bias])
        qkv = functional.linear(values, self.state[f"{name}.qkv.weight"], bias)
        batch, tokens, _ = values.shape
        query, key, value = qkv.reshape(batch, tokens, 3, -1, HEAD).permute(2, 0, 3, 1, 4)
        return self.linear(f"{name}.proj", mixed(query, key, value))

    def cross(self, name: str, values: Tensor, context: Tensor) -> Tensor:
        """Attention of one matrix ``q`` on the tokens and one ``kv`` on a context."""
        q_bias, v_bias = self.state[f"{name}.q_bias"], self.state[f"{name}.v_bias"]
        bias = torch.cat([torch.zeros_like(v_bias), v_bias])
        query = functional.linear(values, self.state[f"{name}.q.weight"], q_bias)
        pairs = functional.linear(context, self.state[f"{name}.kv.weight"], bias)
        batch, others, _ = context.shape
        query = query.reshape(batch, values.shape[1], -1, HEAD).permute(0, 2, 1, 3)
        key, value = pairs.reshape(batch, others, 2, -1, HEAD).permute(2, 0, 3, 1, 4)
        return self.linear(f"{name}.proj", mixed(query, key, value))

    def block(self, name: str, values: Tensor) -> Tensor:
        """Self-attention and two layers."""
        values = values + self.attention(f"{name}.attn", self.norm(f"{name}.norm1", values))
        return values + self.mlp(f"{name}.mlp", self.norm(f"{name}.norm2", values))

    def reading_block(self, name: str, values: Tensor, context: Tensor) -> Tensor:
        """A block that reads a context first."""
        context = self.norm(f"{name}.cross_norm2", context)
        values = values + self.cross(f"{name}.cross_attn", self.norm(f"{name}.cross_norm1", values), context)
        return self.block(name, values)

    def tokens(self, name: str, inputs: Tensor) -> Tensor:
        """Tokens of a clip or a spectrogram with their positions."""
        weight, bias = self.state[f"{name}patch_embed.proj.weight"], self.state[f"{name}patch_embed.proj.bias"]
        convolution = functional.conv3d if inputs.dim() == 5 else functional.conv2d
        tokens = convolution(inputs, weight, bias, stride=weight.shape[2:]).flatten(2).transpose(1, 2)
        return tokens + self.state[f"{name}positions"]

    def outputs(self, mean: Tensor) -> Outputs:
        """Features and outputs from the mean over tokens."""
        features = self.norm("fc_norm", mean)
        return features, self.linear("head", features)


def mixed(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention: ``(batch, heads, tokens, numbers)`` to ``(batch, tokens, heads * numbers)``."""
    scores = query * HEAD**-0.5 @ key.transpose(-2, -1)
    return (scores.softmax(dim=-1) @ value).transpose(1, 2).reshape(len(query), query.shape[2], -1)


def videomae(plain: Plain, inputs: Mapping[str, Tensor]) -> Outputs:
    """Twelve blocks over all tokens."""
    tokens = plain.tokens("", inputs["video"])
    for index in range(12):
        tokens = plain.block(f"blocks.{index}", tokens)
    return plain.outputs(tokens.mean(dim=1))


def mae_dfer(plain: Plain, inputs: Mapping[str, Tensor]) -> Outputs:
    """Sixteen blocks: in regions, among representatives, from all to the representatives."""
    (steps, rows, columns), (length, height, width) = GRID, REGION
    tokens = plain.tokens("", inputs["video"])
    batch, _, dim = tokens.shape
    cut = (steps // length, length, rows // height, height, columns // width, width)
    local = (
        tokens.reshape(batch, *cut, dim)
        .permute(0, 1, 3, 5, 2, 4, 6, 7)
        .reshape(batch, -1, length * height * width, dim)
    )
    regions = local.shape[1]
    own = plain.state["lg_region_tokens"].expand(batch, regions, dim)
    tokens = torch.cat([own[:, :, None], local], dim=2).reshape(batch * regions, -1, dim)
    for index in range(16):
        name = f"blocks.{index}"
        normalised = plain.norm(f"{name}.first_attn_norm0", tokens)
        tokens = tokens + plain.cross(f"{name}.first_attn", normalised, normalised)
        own, local = tokens[:, 0].reshape(batch, regions, dim), tokens[:, 1:].reshape(batch, -1, dim)
        normalised = plain.norm(f"{name}.second_attn_norm0", own)
        own = own + plain.cross(f"{name}.second_attn", normalised, normalised)
        context = plain.norm(f"{name}.third_attn_norm1", own)
        local = local + plain.cross(f"{name}.third_attn", plain.norm(f"{name}.third_attn_norm0", local), context)
        tokens = torch.cat([own.reshape(batch * regions, 1, dim), local.reshape(batch * regions, -1, dim)], dim=1)
        tokens = tokens + plain.mlp(f"{name}.mlp", plain.norm(f"{name}.norm2", tokens))
    return plain.outputs(tokens[:, 0].reshape(batch, regions, dim).mean(dim=1))


def svfap(plain: Plain, inputs: Mapping[str, Tensor]) -> Outputs:
    """Three stages, the later ones at coarser times and through bottlenecks."""
    tokens = plain.tokens("", inputs["video"])
    batch, _, dim = tokens.shape
    sites, index = GRID[1] * GRID[2], STAGES[0]
    for first in range(index):
        tokens = plain.block(f"blocks.{first}", tokens)
    for stage, depth in enumerate(STAGES[1:]):
        lines = tokens.reshape(batch, -1, sites, dim).permute(0, 2, 3, 1).reshape(batch * sites, dim, -1)
        name = f"temporal_downsamples.{stage}"
        lines = functional.conv1d(lines, plain.state[f"{name}.weight"], plain.state[f"{name}.bias"], stride=2)
        pictures = lines.reshape(batch, sites, dim, -1).permute(0, 3, 1, 2)
        name = f"spatial_downsamples.{stage}"
        weights = plain.mlp(f"{name}.mlp", plain.norm(f"{name}.norm", pictures)).softmax(dim=2)
        few, tokens = (weights.transpose(2, 3) @ pictures).reshape(batch, -1, dim), pictures.reshape(batch, -1, dim)
        for number in range(index, index + depth - 1):
            few = plain.reading_block(f"blocks.{number}", few, tokens)
        index += depth
        tokens = plain.reading_block(f"blocks.{index - 1}", tokens, few)
    return plain.outputs(tokens.mean(dim=1))


def hicmae(plain: Plain, inputs: Mapping[str, Tensor]) -> Outputs:
    """Ten blocks for each stream, the weighted mean of all, and two in which the streams read each other."""
    means, last = [], []
    for stream, encoder in (("video", "encoder"), ("audio", "encoder_audio")):
        tokens, layers = plain.tokens(f"{encoder}.", inputs[stream]), []
        for index in range(10):
            tokens = plain.block(f"{encoder}.blocks.{index}", tokens)
            layers.append(plain.norm(f"{encoder}.norm", tokens))
        weights = plain.state[f"{stream}_layer_weights"].softmax(dim=0)
        means.append((torch.stack(layers, dim=2).mean(dim=1) * weights[:, None]).sum(dim=1))
        last.append(layers[-1])
    video, audio = last
    for index in range(2):
        seeing, hearing = f"encoder_fusion.blocks.{index}", f"encoder_fusion.blocks_audio.{index}"
        video, audio = plain.reading_block(seeing, video, audio), plain.reading_block(hearing, audio, video)
    means.append(plain.norm("encoder_fusion.norm", video).mean(dim=1))
    means.append(plain.norm("encoder_fusion.norm_audio", audio).mean(dim=1))
    return plain.outputs(torch.cat(means, dim=1))


WAYS: dict[str, Callable[[Plain, Mapping[str, Tensor]], Outputs]] = {
    "mae-dfer": mae_dfer,
    "svfap": svfap,
    "hicmae": hicmae,
    "videomae": videomae,
}
