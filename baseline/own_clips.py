"""Somebody's own clips as a corpus: media files, a folder of them, or any corpus reference."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from toolkit.corpus import Corpus, corpus_from_table, load_corpus, readers
from toolkit.errors import ClipError, UserError
from toolkit.media import probe

NAME = "own-clips"
_MEDIA = {
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".flv", ".mpg", ".mpeg", ".wmv", ".ts", ".3gp"),
    *(".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac"),
}


def corpus_of(references: Sequence[str], texts: Sequence[str] = (), *, columns: Sequence[str] = ("text",)) -> Corpus:
    """Returns a corpus of the clips that a command line names.

    Args:
        references: media files and folders of them, or a single CSV or ``reader:path``
        texts: transcripts of the files in their order, none or one for each
        columns: columns that the transcripts go to

    Raises:
        UserError: nothing named, no such file, or another number of transcripts than files
    """
    if not references:
        raise UserError(
            "No clips are named. Expected video files, a folder of them, or a CSV with a transcript column."
        )
    if _is_corpus(references[0]):
        if len(references) > 1 or texts:
            raise UserError(f"'{references[0]}' is a corpus and stands alone: no other clips and no --text beside it.")
        return load_corpus(references[0])
    files = [file for reference in references for file in _files(Path(reference).expanduser())]
    if texts and len(texts) != len(files):
        raise UserError(f"Got {len(texts)} transcripts for {len(files)} clips. Expected one --text per clip, in order.")
    table = pd.DataFrame([_row(file) for file in files])
    table["name"] = _names(files)
    for column in columns:
        table[column] = pd.Series(list(texts) or None, index=table.index, dtype=object)
    return corpus_from_table(NAME, Path(), table.assign(split="clips"))


def _is_corpus(reference: str) -> bool:
    reader, colon, _ = reference.partition(":")
    return reference.endswith(".csv") or (bool(colon) and reader in readers.names())


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in _MEDIA)
        if not files:
            raise UserError(f"{path} holds no media files. Expected {', '.join(sorted(_MEDIA))}.")
        return files
    if not path.is_file():
        raise UserError(f"There is no clip {path}. Expected a video or sound file, a folder, a CSV or READER:PATH.")
    return [path]


def _row(file: Path) -> dict[str, str | None]:
    """Returns the columns of a file: sound alone is no video, what cannot be opened is reported by stage 1."""
    try:
        has_picture = probe(file).width is not None
    except ClipError:
        has_picture = True
    place = str(file.resolve())
    return {"video": place if has_picture else None, "audio": None if has_picture else place}


def _names(files: Sequence[Path]) -> list[str]:
    """Returns the files' stems, whole paths where stems are not unique."""
    stems = [file.stem for file in files]
    if len(set(stems)) == len(stems):
        return stems
    paths = [str(file) for file in files]
    doubled = next((path for path in paths if paths.count(path) > 1), None)
    if doubled:
        raise UserError(f"The clip {doubled} is named twice. Name each clip once.")
    return paths
