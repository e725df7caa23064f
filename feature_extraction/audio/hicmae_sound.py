"""HiCMAE that hears and does not see."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from feature_extraction.autoencoder import AutoencoderEncoder
from feature_extraction.encoder import register
from feature_extraction.spec import EncoderSpec
from toolkit.errors import ClipError
from toolkit.filter_bank import FRAMES as FILTER_BANKS
from toolkit.filter_bank import HOP, RATE, WINDOW, filter_bank_example
from toolkit.frame_sampling import FRAMES
from toolkit.media import Sound
from toolkit.status import Status

if TYPE_CHECKING:
    from toolkit.models.hicmae_fine_tuning import HicmaeFineTuning

MOMENT = FILTER_BANKS // FRAMES * HOP  # samples, 0.16 s: a row, and what a picture stands for

TINY = EncoderSpec(
    name="tiny-hicmae-sound",
    modality="audio",
    family="hicmae-sound",
    checkpoint="tiny",
    pooling="own",
    sample_rate=RATE,
    dim=64,
)


@register
class HicmaeSoundEncoder(AutoencoderEncoder):
    """HiCMAE (Sun et al. 2024), its sound alone: the weighted mean of all layers of 2.56 s at once, a row every 0.16 s.

    As in the release no loudness is evened out; its random gain, which it leaves on in testing, there is not.
    """

    family, kind = "hicmae-sound", "hicmae"
    specs = (TINY,)

    def count_steps(self, network: "HicmaeFineTuning") -> int:
        """Returns how many rows the network gives of 2.56 s."""
        return network.encoder_audio.patch_embed.shape.grid[0]

    def moments(self, item: Sound) -> np.ndarray:
        """Returns the middles of stretches of 0.16 s, the last of which may be shorter.

        Raises:
            ClipError: the sound does not fill one filter bank; zeros in its place would be heard as silence
        """
        if len(item.samples) < WINDOW:
            raise ClipError(
                Status.TOO_SHORT,
                f"{1000 * item.seconds:.1f} ms of sound, at least {1000 * WINDOW / RATE:g} ms are needed",
            )
        starts = np.arange(0, len(item.samples), MOMENT)
        return (starts + np.minimum(starts + MOMENT, len(item.samples))) / 2 / RATE

    def streams(self, item: Sound, moments: np.ndarray) -> Mapping[str, np.ndarray]:
        """Returns the filter banks ``(1, 256, 128)`` as ``audio``."""
        heard = item.samples[moments[0] * MOMENT : (moments[-1] + 1) * MOMENT]
        return {"audio": filter_bank_example(heard)[None]}
