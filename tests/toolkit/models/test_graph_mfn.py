"""The graph memory fusion network: frame by frame, and gradients where the reference has none."""

import pytest
import torch

from references.fusion import FusionCase
from toolkit.errors import UserError
from toolkit.models.graph_mfn import GraphMemoryFusionNetwork
from toolkit.models.network import Sequences, build_network


@pytest.fixture
def case(parity) -> FusionCase:
    return FusionCase(parity / "fusion_graph_mfn_a_align.safetensors")


def test_nodes_learn(case):
    """In the reference those of sets of modalities are in no list of parameters, and stay as they were drawn."""
    network = case.build()
    nodes = {key for key, _ in network.named_parameters() if key.startswith("graph.nodes.")}
    assert len(nodes) == (4 + 1) * 2 * 2
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    before = {key: weight.clone() for key, weight in network.named_parameters()}
    network(case.features).emotion_logits.square().mean().backward()
    optimizer.step()
    assert {key for key, weight in network.named_parameters() if torch.equal(weight, before[key])} & nodes == set()


def test_nodes_do_not_start_alike():
    """In the reference the second layers of all nodes are copies of one."""
    network = GraphMemoryFusionNetwork({"a": 2, "b": 2, "c": 2}, 3, hidden=4)
    seconds = [node[1].weight for node in network.graph.nodes]
    assert not any(torch.equal(seconds[0], other) for other in seconds[1:])


@pytest.mark.parametrize("names", [["a"], ["a", "b"], ["a", "b", "c", "d"]])
def test_frame_by_frame(names):
    torch.manual_seed(0)
    network = GraphMemoryFusionNetwork(dict.fromkeys(names, 3), 4, hidden=6, memory=5).eval()
    lengths = torch.tensor([4, 2])
    features = {key: Sequences(torch.randn(2, 4, 3), lengths) for key in names}
    output = network(features).features
    for clip, length in enumerate(lengths):
        hidden, cells, memory = [torch.zeros(6)] * len(names), [torch.zeros(6)] * len(names), torch.zeros(5)
        for step in range(length):
            singles = []
            for number, key in enumerate(names):
                before, state = hidden[number], (hidden[number], cells[number])
                hidden[number], cells[number] = network.lstm.cells[number](features[key].values[clip, step], state)
                singles.append(network.singles[number](torch.cat([before, hidden[number]])).relu())
            seen = network.graph(torch.stack(singles))
            both = torch.cat([seen, memory])
            retain, update = network.memory.retain(both).sigmoid(), network.memory.update(both).sigmoid()
            memory = retain * memory + update * network.memory.candidate(seen).tanh()
        expected = network.output(torch.cat([*hidden, memory]))
        torch.testing.assert_close(output[clip], expected, rtol=0, atol=1e-6)


def test_too_many_modalities():
    with pytest.raises(UserError, match=r"graph_mfn.*9 modalities would make 511 nodes.*the network mfn"):
        build_network("graph_mfn", dict.fromkeys("abcdefghi", 2), 3)
