"""OV: any number of words out of an open vocabulary (MER2024, MER2025, MER2026)."""

import json
from typing import Any

from pydantic import BaseModel, Field

from baseline.config import AbsolutePath
from baseline.track import Track, tracks
from baseline.vocabulary import VocabularyTask, learn_vocabulary, words_of_classes, words_of_clips
from toolkit.corpus import Corpus
from toolkit.errors import UserError
from toolkit.metrics.wheel import load_wheels


class VocabularyOptions(BaseModel, extra="forbid"):
    """Where words come from and how they are scored.

    Attributes:
        min_count: training clips that a word must stand with to be learnt
        neighbours: where no training clip has words, those that stand for a class beside the class itself, at most
        emotion_weight: of the classes that are learnt beside the words, 0 for words only
        wheel: JSON of emotion wheels, the project's own if absent
        groups: JSON of synonym groups by clip for the set scores, equal words only if absent
    """

    min_count: int = Field(3, ge=1)
    neighbours: int = Field(2, ge=0)
    emotion_weight: float = Field(0.5, ge=0)
    wheel: AbsolutePath | None = None
    groups: AbsolutePath | None = None


@tracks.add("ov")
class OpenVocabulary(Track):
    """Words, learnt from column ``openset``, or from the classes and their neighbours on the emotion wheel.

    Words that stand with several training clips are the vocabulary. Where no training clip has words, each class
    stands for itself and its neighbours on the wheel, and the words of the test clips, if any, only score.
    """

    name = "ov"
    options = VocabularyOptions
    refuse_rare = False

    def task(self, corpus: Corpus, train: Corpus, valence_weight: float) -> VocabularyTask:
        """Each word of the vocabulary on its own."""
        wheels = load_wheels(self.settings.wheel)
        words = words_of_clips(corpus)
        known = [words[name] for name in train.table["name"] if name in words]
        if not known:
            from_classes = words_of_classes(train, wheels, self.settings.neighbours)
            known = list(from_classes.values())
            words = words | from_classes
        if not known:
            raise UserError(
                f"No training clip of '{corpus.name}' has words in column 'openset', nor an emotion to stand for them."
            )
        vocabulary = learn_vocabulary(known, self.settings.min_count)
        emotions = len(corpus.emotions) if self.settings.emotion_weight else 0
        options = {"emotions": emotions, "emotion_weight": self.settings.emotion_weight, "groups": self._groups()}
        return VocabularyTask(vocabulary, words, wheels, **options)

    def _groups(self) -> dict[str, Any] | None:
        path = self.settings.groups
        if path is None:
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"{path} cannot be read as synonym groups ({error}). Expected JSON: clip to lists of words."
            ) from None
