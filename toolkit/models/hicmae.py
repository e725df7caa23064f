"""HiCMAE: a masked autoencoder of faces and voices whose every layer learns.

Sun, Lian, Liu, Tao 2024, "HiCMAE: Hierarchical Contrastive Masked Autoencoder for Self-Supervised Audio-Visual Emotion
Recognition", Information Fusion 108, arXiv 2401.05698.
"""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from toolkit.models.hicmae_fine_tuning import HicmaeFineTuning
from toolkit.models.hicmae_pretraining import HicmaePretraining
from toolkit.models.hicmae_size import HicmaeSize
from toolkit.models.masked_autoencoder import Family, autoencoders
from toolkit.models.stream_encoder import StreamSize
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.decoder import DecoderSize
from toolkit.models.transformer.spectrogram import SpectrogramShape
from toolkit.models.transformer.state import clip_shape, decoder_size, depth, heads, needed


@autoencoders.add("hicmae")
class Hicmae(Family):
    """HiCMAE; of the tiny size nobody published a decoder, here it is half as wide as the encoder."""

    streams: ClassVar = ("audio", "video")
    sizes: ClassVar = {
        "base": HicmaeSize(),
        "small": HicmaeSize(
            video=StreamSize(384, heads=6, decoder=DecoderSize(192, heads=3)),
            audio=StreamSize(384, heads=6, decoder=DecoderSize(192, heads=3)),
            fusion_heads=6,
        ),
        "tiny": HicmaeSize(
            video=StreamSize(256, heads=4, decoder=DecoderSize(128, heads=2)),
            audio=StreamSize(256, heads=4, decoder=DecoderSize(128, heads=2)),
            fusion_heads=4,
        ),
        "tiny-test": HicmaeSize(
            ClipShape(64),
            video=StreamSize(64, 2, 1, DecoderSize(64, 2, 1)),
            audio=StreamSize(64, 2, 1, DecoderSize(64, 2, 1)),
            fusion_depth=1,
            fusion_heads=1,
            taps=(1,),
        ),
    }
    pretraining = HicmaePretraining
    fine_tuning = HicmaeFineTuning

    @classmethod
    def size_of(cls, state: Mapping[str, Tensor]) -> HicmaeSize:
        """Returns the size of the network whose tensors these are, of either form.

        Which blocks are tapped is not stored: they are spread evenly, the last being one, as in all published sizes.

        Raises:
            UserError: the tensors are not of this family
        """
        video, audio = (
            needed(state, f"{part}.patch_embed.proj.weight", "hicmae") for part in ("encoder", "encoder_audio")
        )
        needed(state, "encoder_fusion.norm_audio.weight", "hicmae")
        sizes = {
            suffix: StreamSize(
                len(tokenizer),
                depth(state, f"encoder{suffix}."),
                heads(len(tokenizer)),
                decoder_size(state, f"decoder{suffix}."),
            )
            for suffix, tokenizer in (("", video), ("_audio", audio))
        }
        blocks, taps = sizes[""].depth, sizes[""].decoder.depth - 1
        return HicmaeSize(
            clip_shape(video),
            SpectrogramShape(patch=audio.shape[2]),
            sizes[""],
            sizes["_audio"],
            depth(state, "encoder_fusion."),
            heads(len(video)),
            tuple(-(-blocks * (number + 1) // taps) - 1 for number in range(taps)),
        )

    @classmethod
    def for_fine_tuning(cls, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Returns the tensors as they are: both forms have the same names."""
        return dict(state)
