import pytest
import torch

from toolkit.models.attention import Attention
from toolkit.models.network import Sequences

MODALITIES = {"audio": "audio", "text": "text", "visual": "video"}  # ours, theirs; both sorted the same way


def translate(key: str) -> str:
    """The reference's name of one of our weights."""
    part, rest = key.split(".", 1)
    if part == "encoders":
        number, rest = rest.split(".", 1)
        part = f"{list(MODALITIES.values())[int(number)]}_encoder"
    part = {
        "attention": "attention_mlp",
        "scores": "fc_att",
        "emotion_head": "fc_out_1",
        "valence_head": "fc_out_2",
    }.get(part, part)
    for ours in "012":
        rest = rest.replace(f"linear.{ours}.", f"linear_{int(ours) + 1}.")
    return f"{part}.{rest.replace('linear.weight', 'linear_1.weight').replace('linear.bias', 'linear_1.bias')}"


def load(parity, case: str, *, frames: bool):
    from safetensors.torch import load_file

    tensors = load_file(parity / f"fusion_attention_{case}.safetensors")
    network = Attention({"audio": 10, "text": 12, "visual": 8}, 6, hidden=8, dropout=0.3, frames=frames)
    network.load_state_dict({key: tensors[f"weights/{translate(key)}"] for key in network.state_dict()})
    assert len(network.state_dict()) == sum(key.startswith("weights/") for key in tensors)
    inputs = {ours: tensors[f"inputs/{theirs}s"] for ours, theirs in MODALITIES.items()}
    return network, inputs, tensors


def check(output, tensors):
    for ours, theirs in zip(output[:2], ("features", "emos_out"), strict=True):
        torch.testing.assert_close(ours, tensors[f"outputs/{theirs}"], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(output.valence, tensors["outputs/vals_out"][:, 0], rtol=1e-4, atol=1e-5)
    assert output.auxiliary_loss == 0


def test_parity_of_vectors(parity):
    network, inputs, tensors = load(parity, "a_utt", frames=False)
    check(network.eval()(inputs), tensors)


def test_parity_of_gradients(parity):
    network, inputs, tensors = load(parity, "a_utt", frames=False)
    output = network.eval()(inputs)
    loss = output.emotion_logits.square().mean() + output.valence.square().mean()
    torch.testing.assert_close(loss, tensors["outputs/loss"], rtol=1e-4, atol=1e-6)
    loss.backward()
    for key, weight in network.named_parameters():
        torch.testing.assert_close(weight.grad, tensors[f"grads/{translate(key)}"], rtol=1e-3, atol=1e-5)


def test_parity_of_sequences(parity):
    network, inputs, tensors = load(parity, "c_unalign", frames=True)
    sequences = {key: Sequences(values, torch.full((5,), values.shape[1])) for key, values in inputs.items()}
    check(network.eval()(sequences), tensors)


def test_padding_at_the_end_changes_nothing(parity):
    network, inputs, tensors = load(parity, "c_unalign", frames=True)
    padded = {
        key: Sequences(
            torch.cat([values, torch.full((5, 4, values.shape[2]), 9.0)], 1), torch.full((5,), values.shape[1])
        )
        for key, values in inputs.items()
    }
    check(network.eval()(padded), tensors)


def test_one_modality_is_its_encoding_times_its_score():
    network = Attention({"audio": 2}, 3, hidden=4).eval()
    values = torch.tensor([[1.0, -2.0]])
    encoded = network.encoders[0](values)
    score = network.scores(network.attention(encoded))
    torch.testing.assert_close(network({"audio": values}).features, encoded * score)


@pytest.mark.parametrize("training", [True, False])
def test_dropout_only_in_training(training):
    network = Attention({"audio": 50}, 3, hidden=16, dropout=0.5).train(training)
    values = torch.ones(1, 50)
    assert torch.equal(network({"audio": values}).features, network({"audio": values}).features) is not training
