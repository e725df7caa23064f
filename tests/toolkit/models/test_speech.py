"""Against the transformers library itself, one waveform at a time and in its own padded batches."""

import pytest
import torch
from transformers import AutoConfig, AutoModel

from toolkit.models.speech import SpeechNetwork

SMALL = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 6,
    "num_conv_pos_embedding_groups": 2,
}
LARGE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
ARCHITECTURES = {
    "wav2vec2-base": {"model_type": "wav2vec2"},
    "wav2vec2-large": {"model_type": "wav2vec2", **LARGE},
    "hubert-base": {"model_type": "hubert"},
    "hubert-large": {"model_type": "hubert", **LARGE},
    "hubert-batch-norm": {"model_type": "hubert", "conv_pos_batch_norm": True},
    "wavlm-base": {"model_type": "wavlm"},
    "wavlm-large": {"model_type": "wavlm", **LARGE},
    "data2vec-audio": {"model_type": "data2vec-audio", "num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 5},
}
# In the library's own batches, attention masks given, these give other numbers than alone.
SEE_PADDING = {"wav2vec2-base", "hubert-base", "wavlm-base", "hubert-batch-norm", "data2vec-audio"}


def build(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    model = AutoModel.from_config(AutoConfig.for_model(**SMALL | ARCHITECTURES[name])).eval()
    for module in model.modules():  # a fresh one hides that it shifts the zeros of the padding
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(module.bias, 0.5, 1.0)
    return model


@pytest.fixture(scope="module")
def waveforms() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(length, generator=generator) for length in (4000, 7000, 6500)]


@pytest.fixture(params=ARCHITECTURES)
def name(request) -> str:
    return request.param


@pytest.mark.filterwarnings("error::UserWarning")
@torch.inference_mode()
def test_hidden_states_in_a_batch_are_those_of_each_alone(name, waveforms):
    expected = []
    model = build(name)
    for waveform in waveforms:
        output = model(waveform[None], output_hidden_states=True)
        expected.append([*output.hidden_states[:-1], output.last_hidden_state])
    states, lengths = SpeechNetwork(build(name), range(4))(waveforms)
    assert lengths == [12, 21, 20]
    assert len(states) == 4
    for layer, state in enumerate(states):
        assert state.shape == (3, 21, 24)
        for row, length, alone in zip(state, lengths, expected, strict=True):
            torch.testing.assert_close(row[:length], alone[layer][0], rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")
@torch.inference_mode()
def test_which_architectures_see_the_padding_of_the_library(name, waveforms):
    model = build(name)
    alone = model(waveforms[0][None]).last_hidden_state[0]
    batch = torch.nn.utils.rnn.pad_sequence(waveforms, batch_first=True)
    lengths = torch.tensor([len(waveform) for waveform in waveforms])
    mask = (torch.arange(batch.shape[1]) < lengths[:, None]).long()
    together = model(batch, attention_mask=mask).last_hidden_state[0, : len(alone)]
    assert ((together - alone).abs().max() > 1e-2) == (name in SEE_PADDING)


@torch.inference_mode()
@pytest.mark.parametrize("wanted", [(0,), (1,), (2, 0), (3,), (2, 2)])
def test_layers_wanted(wanted, waveforms):
    every, _ = SpeechNetwork(build("hubert-large"), range(4))(waveforms)
    network = SpeechNetwork(build("hubert-large"), wanted)
    some, _ = network(waveforms)
    assert len(network.model.encoder.layers) == max(1, *wanted)
    assert len(some) == len(wanted)
    for layer, state in zip(wanted, some, strict=True):
        torch.testing.assert_close(state, every[layer], rtol=0, atol=0)


@torch.inference_mode()
def test_no_hook_stays(waveforms):
    network = SpeechNetwork(build("data2vec-audio"), (0, 3))
    network(waveforms)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    alone, _ = network(waveforms[:1])  # no mask; that of the batch before must be forgotten
    expected = build("data2vec-audio")(waveforms[0][None]).last_hidden_state
    torch.testing.assert_close(alone[1], expected, rtol=0, atol=1e-5)
