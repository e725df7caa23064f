import pytest
import torch

from toolkit.models.layers import SequenceEncoder, VectorEncoder, encode, encoders, multilayer
from toolkit.models.linear import Linear
from toolkit.models.network import Sequences


def filled(module: torch.nn.Module, weight: float, bias: float) -> torch.nn.Module:
    for name, value in module.named_parameters():
        value.data.fill_(bias if name.endswith("bias") else weight)
    return module.eval()


def test_multilayer_by_hand():
    layers = filled(multilayer(2, [3, 1], 0.5), -1.0, 4.0)
    assert [type(layer).__name__ for layer in layers] == ["Linear", "ReLU", "Dropout"] * 2
    # (1, 2): each of three is 4 - 3 = 1, their sum takes 3 from 4; (5, 5): each is 4 - 10, no less than 0
    assert layers(torch.tensor([[1.0, 2.0], [5.0, 5.0]])).tolist() == [[1.0], [4.0]]


def test_vectors_by_hand():
    encoder = filled(VectorEncoder(2, 2, 0.5), 1.0, -1.0)
    # 1 + 2 - 1 = 2 twice, 2 + 2 - 1 = 3, 3 + 3 - 1 = 5; of nothing but -1 nothing is left
    assert encoder(torch.tensor([[1.0, 2.0], [0.0, 0.0]])).tolist() == [[5.0, 5.0], [0.0, 0.0]]


def test_dropout_is_on_the_input_of_vectors():
    torch.manual_seed(0)
    encoder = filled(VectorEncoder(1, 2, 0.5), 1.0, 0.0).train()
    found = set(encoder(torch.ones(64, 1))[:, 0].tolist())
    assert found == {0.0, 8.0}  # of the one number, dropped or doubled, comes 2 * 2 * 2


def test_last_real_frame_of_sequences():
    torch.manual_seed(0)
    encoder = SequenceEncoder(3, 4, 0.0).eval()
    frames = torch.randn(1, 5, 3)
    padded = Sequences(torch.cat([frames, torch.full((1, 2, 3), 9.0)], 1).expand(3, -1, -1), torch.tensor([5, 2, 0]))
    found = encoder(padded)
    torch.testing.assert_close(found[0], encoder.linear(encoder.rnn(frames)[1][0][0, 0]))
    torch.testing.assert_close(found[1], encoder.linear(encoder.rnn(frames[:, :2])[1][0][0, 0]))
    torch.testing.assert_close(found[2], encoder.linear.bias)


@pytest.mark.parametrize(("frames", "kind"), [(False, VectorEncoder), (True, SequenceEncoder)])
def test_one_encoder_per_modality(frames, kind):
    modules = encoders([3, 5], 4, 0.25, frames=frames)
    assert [type(module) for module in modules] == [kind, kind]
    read = [module.rnn.input_size if frames else module.linear[0].weight.numel() // 4 for module in modules]
    assert read == [3, 5]


def test_what_is_missing_is_zero():
    modules = torch.nn.ModuleList([filled(Linear(1, 2), 1.0, 1.0), filled(Linear(1, 2), 2.0, 0.0)])
    present = {"a": torch.tensor([True, False]), "b": torch.tensor([False, False])}
    first, second = encode(modules, {"a": torch.tensor([[3.0], [4.0]])}, present)
    assert first.tolist() == [[4.0, 4.0], [0.0, 0.0]]
    assert second.tolist() == [[0.0, 0.0], [0.0, 0.0]]
