import pytest
import torch

from toolkit.models.attention import Attention


def test_weighted_sum_written_out():
    torch.manual_seed(0)
    network = Attention({"a": 2, "b": 3}, 3, hidden=4).eval()
    values = {"a": torch.randn(5, 2), "b": torch.randn(5, 3)}
    encoded = [encoder(part) for encoder, part in zip(network.encoders, values.values(), strict=True)]
    scores = network.scores(network.attention(torch.cat(encoded, 1)))
    expected = torch.stack([sum(scores[n, m] * encoded[m][n] for m in range(2)) for n in range(5)])
    torch.testing.assert_close(network(values).features, expected)


def test_one_modality_is_its_encoding_times_its_score():
    network = Attention({"audio": 2}, 3, hidden=4).eval()
    values = torch.tensor([[1.0, -2.0]])
    encoded = network.encoders[0](values)
    score = network.scores(network.attention(encoded))
    torch.testing.assert_close(network({"audio": values}).features, encoded * score)


def test_what_is_missing_is_in_neither_the_scores_nor_the_sum():
    torch.manual_seed(0)
    network = Attention({"a": 2, "b": 3}, 3, hidden=4).eval()
    values = torch.randn(5, 2)
    encoded = network.encoders[0](values)
    scores = network.scores(network.attention(torch.cat([encoded, torch.zeros(5, 4)], 1)))
    torch.testing.assert_close(network({"a": values}).features, encoded * scores[:, :1])


@pytest.mark.parametrize("place", ["encoders.0.dropout", "attention.dropout"])
def test_dropout_before_each_layer_that_reads(place):
    network = Attention({"audio": 50}, 3, hidden=16, dropout=0.5).train()
    others = {"encoders.0.dropout", "attention.dropout"} - {place}
    network.get_submodule(others.pop()).probability = 0.0
    values = torch.ones(1, 50)
    assert not torch.equal(network({"audio": values}).features, network({"audio": values}).features)
