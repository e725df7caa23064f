"""The graph against its definition, node by node."""

from itertools import combinations

import pytest
import torch

from toolkit.models.fusion_graph import FusionGraph

WIDTH = 3


@pytest.mark.parametrize("modalities", [1, 2, 3, 4])
def test_node_by_node(modalities):
    torch.manual_seed(0)
    graph = FusionGraph(modalities, WIDTH)
    values = torch.randn(5, modalities, WIDTH)
    numbers = range(modalities)
    subsets = [subset for size in range(1, modalities + 1) for subset in combinations(numbers, size)]
    efficacies = iter(graph.efficacies(values.flatten(1)).unbind(1))
    known = {(number,): values[:, number] for number in numbers}
    nodes = iter(graph.nodes)
    for subset in [*subsets[modalities:], None]:
        inputs = subsets if subset is None else [one for one in subsets if set(one) < set(subset)]
        known[subset] = next(nodes)(torch.cat([known[one] * next(efficacies)[:, None] for one in inputs], dim=1))
    assert (next(nodes, None), next(efficacies, None)) == (None, None)
    torch.testing.assert_close(graph(values), known[None])


@pytest.mark.parametrize(
    ("modalities", "edges"), [(1, 1), (2, 2 + 3), (3, 3 * 2 + 6 + 7), (4, 6 * 2 + 4 * 6 + 14 + 15)]
)
def test_number_of_efficacies(modalities, edges):
    assert FusionGraph(modalities, WIDTH).efficacies[2].out_features == edges


def test_an_efficacy_scales_one_input_of_one_node():
    """Theirs come in this order: the two of 01, of 02, of 12, the six of 012, the seven of the last node."""
    torch.manual_seed(0)
    graph = FusionGraph(3, WIDTH)
    layer = graph.efficacies[2]
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.ones_(layer.bias)
    values = torch.randn(1, 3, WIDTH)
    with torch.no_grad():
        layer.bias[12:] = 0  # the last node hears nothing ...
        layer.bias[12 + 4] = 1  # ... but the node of 02
        before = graph(values)
        layer.bias[[0, 1, 4, 5, 6, 7, 8, 9, 10, 11]] = 7  # of 01, of 12, of 012
        torch.testing.assert_close(graph(values), before, rtol=0, atol=0)
        layer.bias[3] = 0  # the second input of 02
        torch.testing.assert_close(graph(values * torch.tensor([1.0, 1.0, 9.0])[:, None]), graph(values))
        layer.bias[2] = 0
        expected = graph.nodes[1](torch.zeros(1, 2 * WIDTH))
        heard = torch.zeros(1, 7, WIDTH)
        heard[:, 4] = expected
        torch.testing.assert_close(graph(values), graph.nodes[4](heard.flatten(1)))


def test_too_many_modalities():
    with pytest.raises(ValueError, match=r"9 modalities would make 511 nodes.* at most 8"):
        FusionGraph(9, WIDTH)
