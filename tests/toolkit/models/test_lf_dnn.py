import torch

from toolkit.models.lf_dnn import LateFusion


def test_hand_computed():
    network = LateFusion({"a": 1, "b": 1}, 2, hidden=1).eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Linear):
                module.weight.fill_(1.0)
                module.bias.zero_()
        network.encoders[1].linear[0].bias.fill_(1.0)
        network.linear[0].weight.copy_(torch.tensor([[2.0, 3.0]]))
        network.linear[0].bias.fill_(-1.0)
        network.linear[1].weight.fill_(-1.0)
        network.linear[1].bias.fill_(40.0)
    # a is encoded as 5, b as 7 + 1: 2 * 5 + 3 * 8 - 1 = 33; 40 - 33 = 7
    both = {"a": torch.tensor([[5.0]]), "b": torch.tensor([[7.0]])}
    assert network(both).features.item() == 7
    # without b its encoding is zero, not that of zero, which is 1: 2 * 5 - 1 = 9; 40 - 9 = 31
    assert network({"a": both["a"]}).features.item() == 31


def test_dropout_on_the_encoded():
    network = LateFusion({"a": 3}, 2, hidden=64, dropout=0.5).train()
    network.encoders[0].dropout.probability = 0.0
    seen = []
    network.linear[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    torch.manual_seed(0)
    values = {"a": torch.randn(20, 3)}
    network(values)
    encoded = network.encoders[0](values["a"])
    kept = seen[0] != 0
    torch.testing.assert_close(seen[0][kept], 2 * encoded[kept])
    assert 0.4 < kept[encoded != 0].float().mean() < 0.6
