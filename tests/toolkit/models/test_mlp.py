import torch

from toolkit.models.mlp import MultilayerPerceptron


def test_hand_computed():
    network = MultilayerPerceptron({"audio": 1, "text": 1}, 2, hidden=1).eval()
    with torch.no_grad():
        network.layers[0].weight.copy_(torch.tensor([[1.0, 2.0], [-1.0, 1.0]]))
        network.layers[0].bias.copy_(torch.tensor([0.5, 0.0]))
        network.layers[3].weight.copy_(torch.tensor([[2.0, 1.0]]))
        network.layers[3].bias.copy_(torch.tensor([-1.0]))
        network.emotion_head.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        network.emotion_head.bias.zero_()
        network.valence_head.weight.fill_(0.5)
        network.valence_head.bias.fill_(1.0)
    # audio 1, text 3: first layer relu(7.5, 2) ; second relu(2 * 7.5 + 2 - 1) = 16
    output = network({"audio": torch.tensor([[1.0]]), "text": torch.tensor([[3.0]])})
    assert output.features.tolist() == [[16.0]]
    assert output.emotion_logits.tolist() == [[16.0, -16.0]]
    assert output.valence.tolist() == [9.0]


def test_missing_modality_uses_its_learnt_stand_in():
    network = MultilayerPerceptron({"audio": 2, "text": 3}, 2, hidden=4).eval()
    with torch.no_grad():
        network.missing[1].copy_(torch.tensor([1.0, 2.0, 3.0]))
    audio = torch.randn(2, 2, generator=torch.Generator().manual_seed(0))
    absent = network({"audio": audio}).features
    given = network({"audio": audio, "text": torch.tensor([[1.0, 2.0, 3.0]]).expand(2, -1)}).features
    torch.testing.assert_close(absent, given)


def test_widths_of_the_baseline():
    network = MultilayerPerceptron({"audio": 10}, 6)
    assert [(layer.in_features, layer.out_features) for layer in network.layers[::3]] == [(10, 256), (256, 128)]


def test_stand_in_of_one_clip_alone():
    network = MultilayerPerceptron({"audio": 2, "text": 3}, 2, hidden=4).eval()
    with torch.no_grad():
        network.missing[1].copy_(torch.tensor([1.0, 2.0, 3.0]))
    generator = torch.Generator().manual_seed(0)
    values = {"audio": torch.randn(2, 2, generator=generator), "text": torch.randn(2, 3, generator=generator)}
    output = network(values, {"text": torch.tensor([False, True])}).features
    values["text"][0] = torch.tensor([1.0, 2.0, 3.0])
    torch.testing.assert_close(output, network(values).features)


def test_stand_in_learns_where_it_stands_in_and_nowhere_else():
    torch.manual_seed(0)
    network = MultilayerPerceptron({"audio": 2, "text": 3}, 2, hidden=64, dropout=0.0)
    values = {"audio": torch.randn(2, 2), "text": torch.randn(2, 3)}
    network(values, {"text": torch.tensor([False, True])}).features.sum().backward()
    assert network.missing[1].grad.all()
    assert not network.missing[0].grad.any()


def test_dropout_after_each_layer_and_not_before():
    network = MultilayerPerceptron({"audio": 2}, 2, dropout=0.5)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds == ["Linear", "ReLU", "Dropout"] * 2
