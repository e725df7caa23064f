"""Speech transformers of the transformers library, run so that padding changes nothing."""

import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.rnn import pad_sequence


class SpeechNetwork(nn.Module):
    """The hidden states of wav2vec2, HuBERT, WavLM and data2vec-audio for waveforms of any lengths.

    The library's own batches change the numbers: group normalisation in the convolutional front sees the padding, and
    so do stacked or batch-normalised positional convolutions (data2vec-audio, some HuBERT). Here the front runs one
    waveform at a time, which on a processor is also quicker, and padding is zero before every positional convolution,
    as beyond the ends of a waveform alone. Attention masks do the rest.

    Args:
        model: a ``Wav2Vec2Model``, ``HubertModel``, ``WavLMModel`` or ``Data2VecAudioModel``; layers above the highest
            one wanted are taken away
        layers: which hidden states are wanted, 0 for the input of the first layer
    """

    def __init__(self, model: nn.Module, layers: Sequence[int]) -> None:
        super().__init__()
        self.model = model
        self.wanted = tuple(layers)
        self.top = len(model.encoder.layers)
        model.encoder.layers = model.encoder.layers[: max(1, *self.wanted)]
        self._convolutions = [m for m in model.encoder.pos_conv_embed.modules() if isinstance(m, nn.Conv1d)]
        for convolution in self._convolutions:
            if parametrize.is_parametrized(convolution, "weight"):  # would be multiplied out anew at every call
                parametrize.remove_parametrizations(convolution, "weight")
        warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")  # of WavLM in the library

    def forward(self, waveforms: Sequence[Tensor]) -> tuple[list[Tensor], list[int]]:
        """Returns the hidden states wanted, padded at the end, and how many frames of each waveform are real.

        The highest one is what leaves the encoder, behind the layer normalisation with which some architectures end
        (``last_hidden_state``; the library's tuple ``hidden_states`` has it without since version 5).

        Args:
            waveforms: ``(samples,)`` each

        Returns:
            ``(batch, time, dim)`` for each of ``layers``, and ``batch`` numbers of frames
        """
        features = [self._front(waveform) for waveform in waveforms]
        lengths = [len(rows) for rows in features]
        hidden = pad_sequence(features, batch_first=True)
        mask = None
        if min(lengths) < max(lengths):
            steps = torch.arange(max(lengths), device=hidden.device)
            mask = steps < torch.tensor(lengths, device=hidden.device)[:, None]
        states = self._encode(hidden, mask)
        return [states[layer] for layer in self.wanted], lengths

    def _front(self, waveform: Tensor) -> Tensor:
        features = self.model.feature_extractor(waveform[None]).transpose(1, 2)
        projected = self.model.feature_projection(features)
        return (projected[0] if isinstance(projected, tuple) else projected)[0]

    def _encode(self, hidden: Tensor, mask: Tensor | None) -> dict[int, Tensor]:
        states: dict[int, Tensor] = {}

        def note_input(_: nn.Module, inputs: tuple[Any, ...]) -> None:
            states[0] = inputs[0]

        def note(number: int) -> Any:
            def hook(_: nn.Module, __: Any, output: Any) -> None:
                states[number] = output[0] if isinstance(output, tuple) else output

            return hook

        def silence(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Tensor]:
            return (inputs[0] * mask[:, None],)

        with ExitStack() as hooks:
            layers = self.model.encoder.layers
            hooks.enter_context(layers[0].register_forward_pre_hook(note_input))
            for number in set(self.wanted) - {0}:
                hooks.enter_context(layers[number - 1].register_forward_hook(note(number)))
            for convolution in self._convolutions if mask is not None else ():
                hooks.enter_context(convolution.register_forward_pre_hook(silence))
            last = self.model.encoder(hidden, attention_mask=mask).last_hidden_state
        return states | ({self.top: last} if self.top in self.wanted else {})
