"""The Multimodal Cyclic Translation Network: what it takes to translate one modality into the others and back."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from toolkit.models.layers import SequenceEncoder
from toolkit.models.losses import loss_wanted, squared_error
from toolkit.models.network import Features, Fused, Network, Sequences, anchored, networks
from toolkit.models.translation import Encoded, TeacherForcing, TranslationDecoder, TranslationEncoder, widened


@networks.add("mctn")
class CyclicTranslation(Network):
    """An anchor is translated into a second modality and back; what was encoded for it is translated into a third, and
    so on; an LSTM reads the last encoding (Pham, Liang, Manzini, Morency, Poczos, "Found in Translation: Learning
    Robust Joint Representations by Cyclic Translations Between Modalities", AAAI 2019, arXiv:1812.07809).

    The chain is the anchor, then the others sorted by name. Its first two share an encoder and a decoder, which
    translate both ways; every further modality has one of each, which reads the encoding before. Translations are
    learnt from, by the mean squared error of the real frames, where a clip has both the anchor and the other modality;
    predictions need the anchor alone. Of a clip that lacks the anchor, the first of the chain that it has is read in
    its place. With one modality there is only the encoder.

    The reference (MERTools, MER2024 ``mctn.py``) is mistaken in several ways, and ours does otherwise:

    - its LSTMs recur over the clips of the batch, so that a clip changes with its neighbours; ours over time;
    - its padding is read like frames; ours stops at the last real frame, in both directions;
    - its decoder begins each step anew, with two LSTM cells (a bidirectional LSTM of one step) that remember nothing;
      ours is one cell, which begins with the encoder's state and carries its own;
    - the first step of its translations stays zero and is in the error; ours is written too;
    - its teacher forcing tells the true frame always, also in evaluation; ours by chance, in training only;
    - modalities are widened with zeros to the widest, which are in its error; ours is over a modality's own columns,
      and a further modality's decoder is no wider than that.

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        hidden: width of all states
        dropout: probability, on what encoders read and on the state that the heads read
        teacher_forcing: probability of telling the decoder the true frame before, in training
        loss_weight: of the summed errors of the translations
        anchor: the modality that is translated, ``text`` by default, or the first where there is none
    """

    levels = ("aligned",)

    def __init__(
        self,
        inputs: Mapping[str, int],
        classes: int,
        *,
        hidden: int = 128,
        dropout: float = 0.2,
        teacher_forcing: float = 0.5,
        loss_weight: float = 0.3,
        anchor: str | None = None,
    ) -> None:
        super().__init__(inputs, classes, hidden)
        first = anchored(self.inputs, anchor)
        self.chain = [first, *(key for key in self.inputs if key != first)]
        self.loss_weight, self.width = float(loss_weight), max(self.inputs.values())
        read = [self.width, *[hidden] * (len(self.chain) - 2)]
        written = [self.width, *(self.inputs[key] for key in self.chain[2:])]
        self.encoders = nn.ModuleList(TranslationEncoder(dim, hidden, dropout) for dim in read)
        self.decoders = nn.ModuleList(TranslationDecoder(dim, hidden) for dim in written[: len(self.chain) - 1])
        self.forcing = TeacherForcing(teacher_forcing)
        self.head = SequenceEncoder(hidden, hidden, dropout)

    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor | Fused:
        """Returns ``(batch, hidden)``, and the weighted errors of the translations if `loss_wanted`."""
        given = {k: Sequences(part.values, torch.where(present[k], part.lengths, 0)) for k, part in features.items()}
        encoded = self.encoders[0](self._source(given))
        anchor, loss = given.get(self.chain[0]), encoded.state.new_zeros(())
        for number, key in enumerate(self.chain[1:]):
            if number:
                encoded = self.encoders[number](encoded.joint)
            if anchor is None or key not in given or not loss_wanted():
                continue
            both = (anchor.lengths > 0) & (given[key].lengths > 0)
            made, error = self._translate(self.decoders[number], encoded, given[key], both)
            loss = loss + error
            if not number:
                again = self.encoders[0](Sequences(widened(made, self.width), given[key].lengths))
                loss = loss + self._translate(self.decoders[number], again, anchor, both)[1]
        hidden = self.head(encoded.joint)
        return Fused(hidden, self.loss_weight * loss) if loss_wanted() else hidden

    def _source(self, given: Mapping[str, Sequences]) -> Sequences:
        """Returns of each clip the first modality of the chain that it has, ``(batch, time, width)``."""
        first, steps = next(iter(given.values())), max(part.values.shape[1] for part in given.values())
        values = first.values.new_zeros(len(first.values), steps, self.width)
        lengths = torch.zeros_like(first.lengths)
        for key in reversed(self.chain):
            if key in given:
                part, known = given[key]
                longer = nn.functional.pad(widened(part, self.width), (0, 0, 0, steps - part.shape[1]))
                values = torch.where((known > 0)[:, None, None], longer, values)
                lengths = torch.where(known > 0, known, lengths)
        return Sequences(values, lengths)

    def _translate(
        self, decoder: TranslationDecoder, encoded: Encoded, target: Sequences, both: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Returns a translation, ``(batch, time, dim)``, and its error over the clips of ``both``, ``()``."""
        made = decoder(encoded, target.values, self.forcing(target.values))
        real = target.mask & both[:, None]  # (B, T)
        return made, squared_error(made.flatten(0, 1), target.values.flatten(0, 1), real.flatten())
