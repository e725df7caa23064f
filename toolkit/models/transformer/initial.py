"""Weights to begin with."""

import torch
from torch import nn

DEVIATION = 0.02  # of normal weights


def xavier(network: nn.Module) -> None:
    """Sets the linear layers as pretraining begins: uniform by their width (Glorot and Bengio 2010), biases zero."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def truncated_normal(network: nn.Module) -> None:
    """Sets the linear layers as fine-tuning begins: normal, deviation 0.02, biases zero."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=DEVIATION)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def learned_token(*shape: int) -> nn.Parameter:
    """Returns tokens to be learned, at first normal, deviation 0.02, none beyond one deviation."""
    token = nn.Parameter(torch.empty(shape))
    nn.init.trunc_normal_(token, std=DEVIATION, a=-DEVIATION, b=DEVIATION)
    return token
