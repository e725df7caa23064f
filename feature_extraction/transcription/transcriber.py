"""A transcriber: a Whisper-type model that writes down what is said in a sound."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_extraction.audio.tiny_whisper import tiny_extractor, tiny_network, tiny_tokenizer
from feature_extraction.checkpoint import pretrained
from feature_extraction.encoder import all_specs
from feature_extraction.loading import load_whole
from feature_extraction.reference import find_spec
from feature_extraction.spec import EncoderSpec, Precision
from feature_extraction.transcription.pauses import cut_at_pauses
from toolkit.device import exact_convolutions, give_back_memory, is_want_of_memory, must_fit, resolve_device
from toolkit.errors import UserError, did_you_mean
from toolkit.media import Sound, is_silent

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, WhisperFeatureExtractor, WhisperForConditionalGeneration

logger = logging.getLogger(__name__)


class Transcriber:
    """A model that hears up to 30 s at once and writes the likeliest word after the other.

    Longer sounds are cut at pauses, and each stretch is written on its own, so that batches need not wait for one
    another and a mistake in one stretch does not lead the next astray. The search is greedy and nothing is drawn at
    random: the same sound gives the same words, in any batch.

    Attributes:
        source: what the transcripts are made with: model, revision, language, number type
        rate: sample rate in Hz of the sounds it hears

    Args:
        model: a name in ``list`` of the family ``whisper``, ``ORG/NAME`` on the hub, a folder, or ``tiny``
        language: of all clips, as a name or a code (``chinese``, ``zh``); ``None`` lets the model find out for each
            stretch, where it knows several
        device: as the user typed it
        precision: number type the network computes in
        batch: stretches computed at once

    Raises:
        UserError: no such model, device or language, or the model does not fit on the device
    """

    def __init__(
        self,
        model: str,
        *,
        language: str | None = None,
        device: str = "auto",
        precision: Precision = "float32",
        batch: int = 8,
    ) -> None:
        import torch

        self.batch = batch
        self._device = resolve_device(device)
        self._dtype = getattr(torch, precision)
        self._name = model
        self._said = False  # that memory ended, which is said once
        spec = _find(model)
        network, self._extractor, self._tokenizer = _load(spec)
        with must_fit(f"'{model}'", self._device):
            self._network = network.eval().requires_grad_(False).to(self._device, self._dtype)
        self._settings, code = _language_settings(model, network.generation_config, language)
        self.source = f"{spec.name} revision={spec.revision} language={code} {precision}"

    @property
    def rate(self) -> int:
        """Sample rate in Hz of the sounds it hears."""
        return self._extractor.sampling_rate

    def stretches(self, sound: Sound) -> Iterator[np.ndarray]:
        """Yields the log-mel spectrograms ``(mels, frames)`` of a sound's stretches; silent ones are left out.

        It may run in a thread beside `write`.
        """
        for start, stop in cut_at_pauses(sound.samples, sound.rate, longest=self._extractor.n_samples):
            stretch = np.asarray(sound.samples[start:stop])
            if not is_silent(Sound(stretch, sound.rate)):
                inputs = self._extractor(stretch, sampling_rate=sound.rate, return_tensors="np")
                yield inputs.input_features[0]

    def write(self, stretches: list[np.ndarray]) -> list[str]:
        """Returns the words of each stretch, with the blanks that the model puts in front.

        Raises:
            UserError: the device cannot hold a single stretch
        """
        texts: list[str] = []
        while len(texts) < len(stretches):
            part = stretches[len(texts) : len(texts) + self.batch]
            try:
                texts += self._generate(part)
                continue
            except RuntimeError as error:
                if not is_want_of_memory(error):
                    raise
                if len(part) == 1:
                    raise UserError(
                        f"'{self._name}' does not fit on {self._device}: not even with one stretch of sound. Try "
                        "--dtype bfloat16, or --device cpu."
                    ) from error
            self._shrink(len(part))  # not before the error is gone, which holds on to what did not fit
        return texts

    def _generate(self, stretches: list[np.ndarray]) -> list[str]:
        import torch

        inputs = torch.from_numpy(np.stack(stretches)).to(self._device, self._dtype)
        with torch.inference_mode(), exact_convolutions():
            # Whisper hears its window whole; without the mask the library warns of padding that it cannot see.
            heard = torch.ones(inputs.shape[0], inputs.shape[-1], dtype=torch.long, device=inputs.device)
            tokens = self._network.generate(
                inputs, attention_mask=heard, do_sample=False, num_beams=1, **self._settings
            )
        return self._tokenizer.batch_decode(tokens, skip_special_tokens=True)

    def _shrink(self, count: int) -> None:
        give_back_memory()
        self.batch = count // 2
        if not self._said:
            self._said = True
            logger.warning(
                "'%s': a batch of %d does not fit on %s; batches are made half as large and the run goes on.",
                self._name, count, self._device,
            )  # fmt: skip


def _find(model: str) -> EncoderSpec:
    reference = "tiny-whisper" if model == "tiny" else model
    known = all_specs("audio")
    if reference not in known and not reference.startswith("hf:"):
        if "/" not in reference and not Path(reference).expanduser().is_dir():  # nor ORG/NAME
            names = [name for name, spec in known.items() if spec.family == "whisper"]
            raise UserError(f"'{model}' is neither ORG/NAME, nor a folder, nor in `list`. {did_you_mean(model, names)}")
        reference = f"hf:{reference}"
    spec = find_spec(reference, "audio")
    if spec.family != "whisper":
        raise UserError(f"'{model}' is of the family '{spec.family}', which writes no words. Name a Whisper model.")
    return spec


def _load(
    spec: EncoderSpec,
) -> "tuple[WhisperForConditionalGeneration, WhisperFeatureExtractor, PreTrainedTokenizerBase]":
    if spec.is_tiny:
        return tiny_network(), tiny_extractor(), tiny_tokenizer()
    from transformers import AutoTokenizer, WhisperFeatureExtractor, WhisperForConditionalGeneration

    return (
        load_whole(WhisperForConditionalGeneration.from_pretrained, spec),
        pretrained(WhisperFeatureExtractor.from_pretrained, spec),
        pretrained(AutoTokenizer.from_pretrained, spec),
    )


def _language_settings(model: str, generation: Any, language: str | None) -> tuple[dict[str, str], str]:
    """Returns what ``generate`` is told of the language, and its code.

    Raises:
        UserError: the model does not know the language
    """
    from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

    word = None if language is None else language.strip().lower()
    code = None if word is None else TO_LANGUAGE_CODE.get(word, word)
    tokens = getattr(generation, "lang_to_id", None)
    if not tokens or not getattr(generation, "is_multilingual", True):  # of one language, and it takes no orders
        if code not in (None, "en"):
            raise UserError(f"'{model}' is not told of languages and cannot be set to '{language}'. Leave it out.")
        return {}, "its-own"
    codes = [token.strip("<|>") for token in tokens]
    if code is None:
        return {"task": "transcribe"}, "detected"
    if code not in codes:
        raise UserError(f"'{model}' does not know the language '{language}'. {did_you_mean(code, codes)}")
    return {"task": "transcribe", "language": code}, code
