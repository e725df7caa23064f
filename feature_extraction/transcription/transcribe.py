"""Transcribing a corpus: every clip without a transcript gets one from a speech recogniser."""

import logging
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from feature_extraction.ahead import ahead
from feature_extraction.lock import locked
from feature_extraction.material import unforeseen
from feature_extraction.source import SoundSource
from feature_extraction.spec import Precision
from feature_extraction.transcription.transcriber import Transcriber
from feature_extraction.transcription.transcripts import Transcript, Transcripts
from toolkit.corpus import Corpus
from toolkit.errors import ClipError, UserError
from toolkit.media import Sound
from toolkit.status import Status

logger = logging.getLogger(__name__)

SHORTEST = 0.1  # seconds; no word is shorter
# A table of a hundred thousand clips takes a second to write, so a large one is written less often.
_FEWEST, _SAVES = 20, 200


class _Stretch(NamedTuple):
    """A stretch of a clip's sound; one without spectrogram ends its clip, with an error or without."""

    clip: str
    spectrogram: np.ndarray | None = None
    error: ClipError | None = None


def transcribe(
    corpus: Corpus,
    model: str,
    output: Path,
    *,
    language: str | None = None,
    device: str = "auto",
    precision: Precision = "float32",
    batch: int = 8,
    retry: bool = False,
    progress: bool = False,
) -> Path:
    """Writes the transcripts of a corpus into a CSV that is the same corpus with words.

    Clips that have words keep them. The CSV is written on the way too, and a run that finds it goes on from there. A
    clip that cannot be transcribed stays without words, its row says why.

    Args:
        corpus: the clips
        model: Whisper-type model, see `Transcriber`
        output: the CSV; a YAML of the same name beside it keeps the corpus' name and classes
        language: of all clips; ``None`` lets the model find out
        device: as the user typed it
        precision: number type the network computes in
        batch: stretches of up to 30 s computed at once
        retry: tries failed clips again
        progress: shows a progress bar

    Returns:
        ``output``

    Raises:
        UserError: no such model, device or language; the CSV is of another corpus or model
    """
    if output.suffix.lower() != ".csv":
        raise UserError(f"The output is {output}, expected a file whose name ends in .csv.")
    transcriber = Transcriber(model, language=language, device=device, precision=precision, batch=batch)
    output.parent.mkdir(parents=True, exist_ok=True)
    with locked(output):
        transcripts = Transcripts(corpus, output, transcriber.source)
        rows = transcripts.missing(retry=retry)
        interval = max(_FEWEST, len(rows) // _SAVES)
        bar = tqdm(
            total=len(corpus), initial=len(corpus) - len(rows), desc="transcribe", unit="clip", disable=not progress
        )
        try:
            with bar:
                for number, (name, transcript) in enumerate(_transcripts(rows, corpus.root, transcriber), start=1):
                    transcripts.add(name, transcript)
                    bar.update()
                    if number % interval == 0:
                        transcripts.save()
        finally:  # whatever ended it, what is done is done
            transcripts.save()
    counts = ", ".join(f"{count} {status}" for status, count in sorted(transcripts.count().items()))
    logger.info("%s: %d transcribed now; of all clips %s", output, len(rows), counts)
    return output


def _transcripts(rows: list[dict[str, Any]], root: Path, transcriber: Transcriber) -> Iterator[tuple[str, Transcript]]:
    """Yields each clip's name and transcript, in order; the next stretches are read while the model writes."""
    texts: list[str] = []
    for batch in ahead(_batches(_stretches(rows, root, transcriber), transcriber.batch)):
        written = iter(transcriber.write([part.spectrogram for part in batch if part.spectrogram is not None]))
        for part in batch:
            if part.spectrogram is not None:
                texts.append(next(written))
            else:
                yield part.clip, _transcript(texts, part.error, transcriber.source)
                texts = []


def _stretches(rows: list[dict[str, Any]], root: Path, transcriber: Transcriber) -> Iterator[_Stretch]:
    source = SoundSource(root, [transcriber.rate])
    for row in rows:
        error = None
        try:
            sound = source.load(row)[transcriber.rate]
            for spectrogram in transcriber.stretches(_require_length(sound)):
                yield _Stretch(row["name"], spectrogram)
        except ClipError as met:
            error = met
        except UserError:
            raise
        except Exception as met:  # one odd file costs one clip
            error = unforeseen("transcribe", row["name"], met)
        yield _Stretch(row["name"], error=error)


def _require_length(sound: Sound) -> Sound:
    if sound.seconds < SHORTEST:
        length = f"{1000 * sound.seconds:.1f} ms of sound, a word takes {1000 * SHORTEST:g} ms"
        raise ClipError(Status.TOO_SHORT, length)
    return sound


def _batches(stretches: Iterable[_Stretch], size: int) -> Iterator[list[_Stretch]]:
    batch: list[_Stretch] = []
    count = 0
    for part in stretches:
        batch.append(part)
        count += part.spectrogram is not None
        if count == size:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def _transcript(texts: list[str], error: ClipError | None, source: str) -> Transcript:
    if error is not None:
        return Transcript("", error.status, error.reason, source)
    text = _joined(texts)
    if not text:
        return Transcript("", Status.EMPTY_TEXT, "the model heard no words", source)
    return Transcript(text, Status.OK, "", source)


def _joined(texts: list[str]) -> str:
    """Returns the words of a clip's stretches as one text; not every model writes a blank in front of a word."""
    text = ""
    for part in texts:
        blank = "" if _is_wide(text[-1:]) or _is_wide(part[:1]) else " "
        text += blank + part if part else ""
    return " ".join(text.split())


def _is_wide(character: str) -> bool:
    """Says whether a character, or none, is of Chinese or Japanese writing, where no blanks part words.

    Korean is wide too and has blanks, which Whisper writes itself.
    """
    return unicodedata.east_asian_width(character) in "WF" if character else False
