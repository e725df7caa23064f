"""Open-vocabulary emotion: any number of words per clip, scored as sets (MER2024 track OV)."""

import ast
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from toolkit.errors import UserError

Groups = Mapping[str, Sequence[Sequence[str]]]  # per clip, groups of words that mean the same


def parse_words(text: Any) -> list[str]:
    """Returns the words of a list as the organisers write it, lower case, each once, in their order.

    Read are ``['happy', "don't care"]``, ``["happy"]``, ``[happy, sad]`` and ``happy, sad``; a missing cell, an empty
    one and ``[]`` are no words.

    Raises:
        UserError: a bracket or a quote is not closed

    Examples:
        >>> parse_words("['Happy', \\"don't care\\", 'happy']")
        ['happy', "don't care"]
        >>> parse_words("worried, tense")
        ['worried', 'tense']
        >>> parse_words(float("nan"))
        []
    """
    if isinstance(text, Sequence) and not isinstance(text, str):
        return _clean(text)
    if text is None or text != text:  # NaN is the only value that differs from itself
        return []
    text = str(text).strip()
    if text.startswith("[") != text.endswith("]"):
        raise UserError(f"{text!r} is not a list of words. Expected something like ['happy', 'relieved'].")
    try:
        parsed = ast.literal_eval(text)
        return _clean(parsed if isinstance(parsed, list | tuple) else [parsed])
    except (ValueError, SyntaxError):
        words = text.removeprefix("[").removesuffix("]").split(",")
        if any(word.strip()[:1] in ("'", '"') for word in words):
            raise UserError(f"{text!r} has a quote that is not closed. Expected ['happy', 'relieved'].") from None
        return _clean(words)


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
    where the set divided by is empty. With groups, only clips that have groups are scored, as the organisers do; words
    are cut at apostrophes as their reader does ("don't believe" counts as "don" and "t believe"), because the groups
    they published are made of such pieces.

    Args:
        truth: words of each clip
        prediction: words of each clip
        groups: synonym groups of each clip; without, only equal words match

    Raises:
        UserError: a clip is missing on one side, or there is none to score
    """
    require_same_clips(truth, prediction)
    names = sorted(truth if groups is None else set(truth) & set(groups))
    if not names:
        raise UserError("There is no clip to score: no name stands in truth and groups alike.")
    pairs = []
    for name in names:
        head = {} if groups is None else {word: group[0] for group in groups[name] for word in group}
        true = {head.get(word, word) for word in _pieces(truth[name])}
        guess = {head.get(word, word) for word in _pieces(prediction[name])}
        pairs.append(overlap(true, guess))
    accuracy, recall = np.mean(np.array(pairs, np.float64), axis=0)
    return SetScores(float(accuracy), float(recall), float((accuracy + recall) / 2))


def _pieces(words: Sequence[str]) -> list[str]:
    return _clean([piece for word in words for piece in word.split("'")])


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
            raise UserError(f"{len(absent)} clips have no {side}, the first is '{absent[0]}'.")
