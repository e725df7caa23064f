"""Open-vocabulary emotion: any number of words per clip, scored as sets (MER2024 track OV)."""

import ast
import io
import re
import tokenize
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from toolkit.errors import UserError

# A word in quotes of one kind; the same sign may stand inside between two letters, as in 'don't care'.
QUOTED = re.compile(r"""(['"])((?:(?!\1).|(?<=\w)\1(?=\w))*)\1""")
TOUCHING = re.compile(r"""['"]\s*\w{0,2}['"]""")  # where a comma may be missing; the letters are Python's prefixes
Groups = Mapping[str, Sequence[Sequence[str]]]  # per clip, groups of words that mean the same


def parse_words(text: Any) -> list[str]:
    """Returns the words of a list as the organisers write it, lower case, each once, in their order.

    Read are ``['happy', "don't care"]``, ``["happy"]``, ``['don't care']``, ``[happy, sad]`` and ``happy, sad``; a
    missing cell, an empty one and ``[]`` are no words.

    Raises:
        UserError: a bracket or a quote is not closed, a comma is missing, or something in the list is not a word

    Examples:
        >>> parse_words("['Happy', \\"don't care\\", 'happy']")
        ['happy', "don't care"]
        >>> parse_words("worried, tense")
        ['worried', 'tense']
        >>> parse_words(float("nan"))
        []
    """
    if isinstance(text, list | tuple | np.ndarray):
        return _clean(text)
    if pd.isna(text):
        return []
    text = str(text).strip()
    problem = UserError(f"{text[:80]!r} is not a list of words. Expected something like ['happy', 'relieved'].")
    if text.startswith("[") != text.endswith("]"):
        raise problem
    try:
        parsed = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # all that Python's parser names
        words = _plain_words(text.removeprefix("[").removesuffix("]"))
    else:
        words = list(parsed) if isinstance(parsed, list | tuple) else [parsed]
        if not all(isinstance(word, str) for word in words) or _comma_missing(text):
            raise problem
    if words is None:
        raise problem
    return _clean(words)


def _plain_words(text: str) -> list[str] | None:
    cells = [cell.strip() for cell in text.split(",")]
    if any(cell[:1] in ("'", '"') for cell in cells):
        matches = [QUOTED.fullmatch(cell) for cell in cells if cell]
        return [match[2] for match in matches if match] if all(matches) else None
    return None if set(text) & set("[]{}") else cells


def _comma_missing(text: str) -> bool:
    """Whether two quoted words stand side by side, which Python would join into one."""
    if not TOUCHING.search(text):  # spares nearly every cell the tokenizer
        return False
    kinds = [token.type for token in tokenize.generate_tokens(io.StringIO(text).readline)]
    kinds = [kind for kind in kinds if kind != tokenize.NL]
    return (tokenize.STRING, tokenize.STRING) in pairwise(kinds)


def format_words(words: Sequence[str]) -> str:
    """Returns words as a list in the organisers' way.

    Examples:
        >>> format_words(["happy", "don't care"])
        '[\\'happy\\', "don\\'t care"]'
    """
    return str(list(words))


def _clean(words: Sequence[Any]) -> list[str]:
    lowered = (str(word).strip().lower() for word in words)
    return list(dict.fromkeys(word for word in lowered if word))


class SetScores(NamedTuple):
    """Set-level scores, each a mean over clips.

    Attributes:
        accuracy: share of the predicted words that are true
        recall: share of the true words that are predicted
        score: the mean of both, which ranks
    """

    accuracy: float
    recall: float
    score: float


def set_scores(
    truth: Mapping[str, Sequence[str]], prediction: Mapping[str, Sequence[str]], groups: Groups | None = None
) -> SetScores:
    """Returns the set-level scores of MER2024 (arXiv 2404.17113, track OV).

    Per clip, words of one synonym group count as one; accuracy is ``|G & P| / |P|`` and recall ``|G & P| / |G|``, zero
    where the set divided by is empty. With groups, only clips that have groups are scored, as the organisers do. A word
    that the groups do not hold is cut at apostrophes as their reader does ("don't believe" counts as "don" and
    "t believe"), because the groups they published are made of such pieces.

    Args:
        truth: words of each clip
        prediction: words of each clip
        groups: synonym groups of each clip; without, only equal words match

    Raises:
        UserError: a clip is missing on one side, or there is none to score
    """
    accuracy, recall = set_overlaps(truth, prediction, groups).mean(axis=0)
    return SetScores(float(accuracy), float(recall), float((accuracy + recall) / 2))


def set_overlaps(
    truth: Mapping[str, Sequence[str]], prediction: Mapping[str, Sequence[str]], groups: Groups | None = None
) -> np.ndarray:
    """Returns accuracy and recall of each clip that `set_scores` scores, by name, ``(clips, 2)``; errors as there."""
    require_same_clips(truth, prediction)
    names = sorted(truth if groups is None else set(truth) & set(groups))
    if not names:
        raise UserError("There is no clip to score: no name stands in truth and groups alike.")
    pairs = []
    for name in names:
        head = {} if groups is None else {word: group[0] for group in map(_clean, groups[name]) for word in group}
        true = {head.get(word, word) for word in _pieces(truth[name], head)}
        guess = {head.get(word, word) for word in _pieces(prediction[name], head)}
        pairs.append(overlap(true, guess))
    return np.array(pairs, np.float64)


def _pieces(words: Sequence[str], whole: Mapping[str, str]) -> list[str]:
    return _clean([piece for word in _clean(words) for piece in ([word] if word in whole else word.split("'"))])


def overlap(truth: set[str], prediction: set[str]) -> tuple[float, float]:
    """Returns the shares of predicted words that are true and of true words that are predicted; zero of nothing."""
    common = len(truth & prediction)
    return common / max(1, len(prediction)), common / max(1, len(truth))


def require_same_clips(truth: Mapping[str, Any], prediction: Mapping[str, Any]) -> None:
    """Checks that both sides speak of the same clips.

    Raises:
        UserError: they do not; the message names the first clip and counts the rest
    """
    for here, there, side in ((truth, prediction, "prediction"), (prediction, truth, "truth")):
        absent = [name for name in here if name not in there]
        if absent:
            raise UserError(
                f"{len(absent)} clips have no {side}, the first is '{absent[0]}'. "
                "Expected the same clips on both sides; leave those out that are not to be scored."
            )
