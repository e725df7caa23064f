"""SENTIMENT: valence alone, scored as CMU-MOSI, CMU-MOSEI and CH-SIMS are."""

from baseline.sentiment import SentimentTask
from baseline.track import Track, tracks
from toolkit.corpus import Corpus
from toolkit.errors import UserError


@tracks.add("sentiment")
class Sentiment(Track):
    """How negative or positive a clip is."""

    name = "sentiment"

    def task(self, corpus: Corpus, train: Corpus, valence_weight: float) -> SentimentTask:
        """Valence, which is the sentiment.

        Raises:
            UserError: no training clip has a valence
        """
        if not train.table["valence"].notna().any():
            raise UserError(
                f"None of the {len(train)} training clips of '{corpus.name}' has a sentiment. Fill column 'valence', "
                "or use --track emotion for classes."
            )
        return SentimentTask(corpus.valence)
