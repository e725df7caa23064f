"""openSMILE's feature sets: low-level descriptors per frame, functionals per clip."""

import importlib.util
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_extraction.encoder import Encoder, EncoderSpec, FrameFeatures, register
from toolkit.errors import ClipError, UserError
from toolkit.media import Sound
from toolkit.status import Status

if TYPE_CHECKING:
    import pandas
    from opensmile import FeatureLevel, Smile

LICENCE = "audEERING research licence: non-commercial use and research, not for products"

# The longest analysis window of the sets is 60 ms, and functionals want a few frames; below 60 ms openSMILE gives NaN.
SHORTEST = 0.1  # seconds
HOP = 0.01  # seconds from one row of descriptors to the next, in all sets


def _spec(name: str, feature_set: str, dim: int) -> EncoderSpec:
    return EncoderSpec(
        name=name,
        modality="audio",
        family="opensmile",
        licence=LICENCE,
        pooling="own",
        sample_rate=16000,
        options=(("feature_set", feature_set),),
        dim=dim,
    )


@register
class OpenSmile(Encoder):
    """A feature set of openSMILE (Eyben, Woellmer, Schuller 2010), by audEERING's Python package.

    ``egemaps`` is the extended Geneva Minimalistic Acoustic Parameter Set, version 2 (Eyben et al. 2016, IEEE
    Transactions on Affective Computing 7(2)): 88 functionals per clip, 25 low-level descriptors per 10 ms. The others
    are those of the Interspeech challenges of 2009, 2010, 2013 and 2016, and ``emobase``. MERTools runs the sets by the
    programs of openSMILE 2.3, where eGeMAPS is version 01a.

    The package computes descriptors and functionals in two passes, so at ``utterance`` level the first is left out:
    ``values`` is then ``(0, D)`` and only ``utterance`` holds numbers. A frame's time is the middle of openSMILE's own
    time stamp of it (20 ms for eGeMAPS, whose 60 ms pitch window starts at the same sample and so ends 40 ms later).

    Functionals are of a whole recording, which the package holds in memory: 30 MB per minute for eGeMAPS.

    Raises:
        UserError: the package is not installed
    """

    family = "opensmile"
    specs = (
        _spec("egemaps", "eGeMAPSv02", 88),
        _spec("compare2016", "ComParE_2016", 6373),
        _spec("is09", "IS09", 384),
        _spec("is10", "IS10", 1582),
        _spec("is13", "IS13", 6373),
        _spec("emobase", "emobase", 988),
    )

    def __init__(self, spec: EncoderSpec, **options: Any) -> None:
        super().__init__(spec, **options)
        if importlib.util.find_spec("opensmile") is None:
            raise UserError(
                f"The audio encoder '{spec.name}' needs the package opensmile, which is not installed. Install it "
                f'with: pip install "mer-toolkit[opensmile]" (in a checkout: pip install -e ".[opensmile]").'
            )

    def encode(self, batch: Sequence[Sound]) -> list[FrameFeatures | ClipError]:
        """Returns ``values (T, D)`` at frame level, ``(0, D)`` at utterance level, and ``utterance (D',)``."""
        return [self._encode(sound) for sound in batch]

    def _encode(self, sound: Sound) -> FrameFeatures | ClipError:
        if sound.seconds < SHORTEST:
            length = f"{1000 * sound.seconds:.1f} ms of sound, openSMILE needs {1000 * SHORTEST:g} ms"
            return ClipError(Status.TOO_SHORT, length)
        functionals = self._process(self._functionals, sound)
        utterance = functionals.to_numpy(np.float32)[0]
        if self.level == "utterance":
            width = len(self._descriptors.feature_names)
            return FrameFeatures(np.zeros((0, width), np.float32), np.zeros(0), utterance)
        table = self._process(self._descriptors, sound)
        start, end = (table.index.get_level_values(k).total_seconds().to_numpy() for k in ("start", "end"))
        # The last row's end is the clip's, not the frame's, and in some sets it has the start of the row before it.
        times = start[0] + (end[0] - start[0]) / 2 + HOP * np.arange(len(table))
        return FrameFeatures(table.to_numpy(np.float32), times, utterance)

    def _process(self, smile: "Smile", sound: Sound) -> "pandas.DataFrame":
        """Returns what openSMILE makes of a sound, in a thread, which no Ctrl-C reaches.

        It calls back into Python, where an interruption is ignored and the clip comes out full of NaN.
        """
        return self._thread.submit(smile.process_signal, sound.samples, sound.rate).result()

    @cached_property
    def _thread(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1)

    @cached_property
    def _functionals(self) -> "Smile":
        from opensmile import FeatureLevel

        return self._build(FeatureLevel.Functionals)

    @cached_property
    def _descriptors(self) -> "Smile":
        from opensmile import FeatureLevel

        return self._build(FeatureLevel.LowLevelDescriptors)

    def _build(self, level: "FeatureLevel") -> "Smile":
        from opensmile import FeatureSet, Smile

        feature_set = dict(self.spec.options)["feature_set"]
        return Smile(FeatureSet[feature_set], level)
