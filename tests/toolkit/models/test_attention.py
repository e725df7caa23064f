import pytest
import torch

from toolkit.models.attention import Attention
from toolkit.models.network import Sequences


def build(case):
    arguments = {"hidden": case.arguments["hidden_dim"], "dropout": case.arguments["dropout"], "frames": case.frames}
    return Attention(case.inputs, case.arguments["output_dim1"], **arguments)


def translate(case, theirs):
    ours = case.shared(theirs)
    for key, tensor in theirs.items():
        module, _, rest = key.partition(".")
        if module == "attention_mlp":
            ours[f"attention.{case.layer(rest)}"] = tensor
        elif module == "fc_att":
            ours[f"scores.{rest}"] = tensor
    return ours


def test_parity(fusion_cases):
    for case in fusion_cases("attention"):
        case.check(build(case), lambda theirs, case=case: translate(case, theirs))


def test_padding_at_the_end_changes_nothing(fusion_cases):
    for case in (case for case in fusion_cases("attention") if case.frames):
        network = build(case).eval()
        network.load_state_dict(translate(case, case.part("weights")))
        padded = {
            key: Sequences(torch.nn.functional.pad(part.values, (0, 0, 0, 4), value=9.0), part.lengths)
            for key, part in case.features().items()
        }
        torch.testing.assert_close(network(padded).features, case.tensors["outputs/features"], rtol=1e-4, atol=1e-5)


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
