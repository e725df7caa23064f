"""What is known of a model before it is loaded: its type, and a fingerprint where it lies in a folder."""

import hashlib
import json
from pathlib import Path

from toolkit.errors import UserError

# Bytes read at either end of a file, and in each stretch of as many between: whole weights would take minutes, and
# training changes large matrices all over.
_ENDS, _PAGE = 1024 * 1024, 4096


def model_type(name: str, revision: str | None) -> str:
    """Returns a model's type: ``model_type`` of its config.json, or ``sentence`` for a sentence-transformers model.

    Args:
        name: ``ORG/NAME`` on the hub, or a folder
        revision: on the hub

    Raises:
        UserError: no such model here, and it cannot be fetched
    """
    if _file(name, "modules.json", revision, must_be=False) is not None:
        return "sentence"  # whose transformer may have a folder of its own, and its config.json with it
    path = _file(name, "config.json", revision, must_be=True)
    try:
        kind = json.loads(path.read_text(encoding="utf-8"))["model_type"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} does not name a model_type ({error!r}): is it a model of transformers?") from error
    return str(kind)


def _file(name: str, file: str, revision: str | None, *, must_be: bool) -> Path | None:
    """Returns a file of a model, fetched from the hub where it is not here yet."""
    from transformers.utils import cached_file

    folder = Path(name)
    if folder.is_dir():
        if must_be and not (folder / file).is_file():
            raise UserError(f"{folder} holds no {file}, so it is no model of transformers.")
        return folder / file if (folder / file).is_file() else None
    try:
        found = cached_file(name, file, revision=revision, _raise_exceptions_for_missing_entries=must_be)
    except (OSError, ValueError) as error:
        first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise UserError(f"The model {name} is neither a folder nor to be had from the hub: {first}") from error
    return None if found is None else Path(found)


def commit(name: str, revision: str) -> str:
    """Returns the commit that a branch or a tag of a model on the hub stands for at present.

    Raises:
        UserError: no such model here, and it cannot be fetched
    """
    from transformers.utils.hub import extract_commit_hash

    path = _file(name, "modules.json", revision, must_be=False) or _file(name, "config.json", revision, must_be=True)
    return extract_commit_hash(str(path), None) or revision


def fingerprint(place: Path) -> str:
    """Returns a hash of a file, or of a folder's files by their names, from sizes and samples; the same anywhere.

    What is hidden does not count: downloading leaves notes there, with the time of day.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in (place, *place.rglob("*")) if path.is_file()):
        name = path.relative_to(place)
        if any(part.startswith(".") for part in name.parts):
            continue
        size = path.stat().st_size
        digest.update(f"{name.as_posix()}:{size}\n".encode())
        with path.open("rb") as file:
            digest.update(file.read(_ENDS))
            for start in range(_ENDS, size - _ENDS, _ENDS):
                file.seek(start)
                digest.update(file.read(_PAGE))
            file.seek(max(0, size - _ENDS))
            digest.update(file.read(_ENDS))
    return digest.hexdigest()[:16]
