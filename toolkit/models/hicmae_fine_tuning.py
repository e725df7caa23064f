"""HiCMAE as it reads whole clips."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from toolkit.models.hicmae_size import HicmaeSize
from toolkit.models.masked_autoencoder import Encoded, FineTuning
from toolkit.models.stream_encoder import StreamEncoder
from toolkit.models.transformer.block import layer_norm
from toolkit.models.transformer.head import Activation, Head
from toolkit.models.transformer.initial import truncated_normal


class HicmaeFineTuning(FineTuning):
    """All layers of pictures and sound, and what they read from each other; or either of them alone.

    Features are the weighted mean of all layers of each stream, with learned weights, and the mean of what each stream
    is after reading the other, ``2 * (dim of video + dim of audio)`` numbers.

    Of a batch with one stream only there is nothing to read: its features are the weighted mean of that stream's
    layers, as many numbers as its width, and the normalisation and the last layer use their weights for these numbers.
    So one set of weights serves all three, and weights without a part in a batch get no gradient. The authors say that
    they fine-tune for one stream like this, past the fusion (issue 15 of their repository); their code is not
    published, and they speak of half the features of both streams where these are a quarter.

    Args:
        size: of the network
        outputs: classes or values, 0 for features alone
        drop_path: probability of leaving out a branch of the last block while training, of the encoders and the fusion
        activation: of the outputs
    """

    def __init__(
        self, size: HicmaeSize, outputs: int = 0, *, drop_path: float = 0.0, activation: Activation | None = None
    ) -> None:
        super().__init__()
        video, audio = size.video, size.audio
        self.video_layer_weights = nn.Parameter(torch.full((video.depth,), 1 / video.depth))
        self.audio_layer_weights = nn.Parameter(torch.full((audio.depth,), 1 / audio.depth))
        self.encoder = StreamEncoder(size.shape, video, drop_path)
        self.encoder_audio = StreamEncoder(size.spectrogram, audio, drop_path)
        self.encoder_fusion = size.fusion(drop_path)
        truncated_normal(self)
        width = 2 * (video.dim + audio.dim)
        self.fc_norm = layer_norm(width)
        self.head = Head(width, outputs, activation) if outputs else None
        if self.head is not None:
            self.head.shrink()
        self.fusion_layer = max(video.depth, audio.depth)
        self.top_layer = self.fusion_layer + size.fusion_depth + 1
        # Where the numbers of one stream alone are among all.
        self.places = {"video": slice(0, video.dim), "audio": slice(video.dim, video.dim + audio.dim)}

    def forward(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """Encodes a batch of whole clips, ``video``, ``audio`` or both."""
        features = self._normalised(torch.cat([means.mean(dim=1) for means in self._means(inputs)], dim=1), inputs)
        if self.head is None:
            return Encoded(features, features[:, :0])
        place = self._place(inputs)
        return Encoded(features, self.head(functional.pad(features, (place.start, self.head.in_features - place.stop))))

    def over_time(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Returns features ``(batch, steps, width)``, as the one of the whole clip is made, of each step of time.

        Steps are those of the pictures, two pictures each, over which sound is averaged; those of the sound, 0.16 s
        each, if it is alone.
        """
        means = self._means(inputs)
        steps = means[0].shape[1]
        aligned = [functional.adaptive_avg_pool1d(part.transpose(1, 2), steps).transpose(1, 2) for part in means]
        return self._normalised(torch.cat(aligned, dim=2), inputs)

    def layer_of(self, name: str) -> int:
        """Returns the layer of a parameter: those of the fusion come after those of both streams, side by side."""
        if "patch_embed." in name:
            return 0
        block = re.match(r"encoder(_audio|_fusion)?\.blocks(?:_audio)?\.(\d+)\.", name)
        if block is None:
            return self.top_layer
        return int(block[2]) + 1 + (self.fusion_layer if block[1] == "_fusion" else 0)

    def _means(self, inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """Returns means over each step of time, ``(batch, steps, dim)`` each, in the order of the features."""
        streams = {
            "video": (self.encoder, self.video_layer_weights),
            "audio": (self.encoder_audio, self.audio_layer_weights),
        }
        if not streams.keys() & inputs.keys():
            raise ValueError(f"a batch of {sorted(inputs)}, expected video, audio or both")
        means, last = [], []
        for stream, (encoder, weights) in streams.items():
            if stream in inputs:
                layers = []
                for tokens in encoder.layers(inputs[stream]):
                    normalised = encoder.norm(tokens)
                    layers.append(_by_step(encoder, normalised))
                means.append(torch.stack(layers, dim=3) @ weights.softmax(dim=0))
                last.append(normalised)
        if len(last) == 2:
            fused = zip((self.encoder, self.encoder_audio), self.encoder_fusion(*last), strict=True)
            means += [_by_step(encoder, tokens) for encoder, tokens in fused]
        return means

    def _place(self, inputs: Mapping[str, Tensor]) -> slice:
        given = [stream for stream in self.places if stream in inputs]
        return self.places[given[0]] if len(given) == 1 else slice(0, len(self.fc_norm.weight))

    def _normalised(self, features: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        weight, bias = (values[self._place(inputs)] for values in (self.fc_norm.weight, self.fc_norm.bias))
        return functional.layer_norm(features, weight.shape, weight, bias, self.fc_norm.eps)


def _by_step(encoder: StreamEncoder, tokens: Tensor) -> Tensor:
    return tokens.unflatten(1, (encoder.patch_embed.shape.grid[0], -1)).mean(dim=2)
