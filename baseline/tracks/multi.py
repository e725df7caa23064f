"""MULTI: emotion and valence together, scored WAF - 0.25 MSE (MER2023)."""

from baseline.task import EmotionTask
from baseline.track import Track, tracks
from toolkit.corpus import Corpus


@tracks.add("multi")
class Multi(Track):
    """Emotion and valence of clips like those of training."""

    name = "multi"

    def task(self, corpus: Corpus, train: Corpus, valence_weight: float) -> EmotionTask:
        """Emotion with valence, both of which count."""
        return EmotionTask(corpus.emotions, valence_weight=valence_weight, combined=True)
