"""EMOTION: one emotion out of those of any corpus (IEMOCAP, MELD, one's own), scored by the weighted F1."""

from baseline.task import EmotionTask
from baseline.track import Track, tracks
from toolkit.corpus import Corpus


@tracks.add("emotion")
class Emotion(Track):
    """Emotions of a corpus that is no challenge; nothing is submitted."""

    name = "emotion"

    def task(self, corpus: Corpus, train: Corpus, valence_weight: float) -> EmotionTask:
        """Emotion, with the valence where the corpus has it."""
        return EmotionTask(corpus.emotions, valence_weight=valence_weight)
