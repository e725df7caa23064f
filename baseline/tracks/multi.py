"""MULTI: emotion and valence together, scored WAF - 0.25 MSE (MER2023)."""

from baseline.task import EmotionTask
from baseline.track import Track, tracks
from toolkit.corpus import Corpus
from toolkit.errors import UserError


@tracks.add("multi")
class Multi(Track):
    """Emotion and valence of clips like those of training."""

    name = "multi"

    def task(self, corpus: Corpus, train: Corpus, valence_weight: float) -> EmotionTask:
        """Emotion with valence, both of which count.

        Raises:
            UserError: training clips have emotions, and none a valence
        """
        known = train.table[["emotion", "valence"]].notna().any()
        if known["emotion"] and not known["valence"]:
            raise UserError(
                f"None of the {len(train)} training clips of '{corpus.name}' has a valence, which track multi "
                "predicts. Fill column 'valence', or use --track semi for emotions alone."
            )
        return EmotionTask(corpus.emotions, valence_weight=valence_weight, combined=True)
