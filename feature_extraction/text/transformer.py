"""Transformers over tokens: what the text families share."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from feature_extraction.layers import combine_layers
from feature_extraction.network import NetworkEncoder
from feature_extraction.piece import Chunk, Piece, cut_chunks
from feature_extraction.text.loading import load_network, load_tokenizer
from feature_extraction.text.spreading import settle
from feature_extraction.text.tiny import make_tiny
from feature_extraction.text.tokens import TokenReader, Tokens
from toolkit.device import is_want_of_memory
from toolkit.errors import ClipError, UserError
from toolkit.status import Status

if TYPE_CHECKING:
    import torch

# Tokens in one window. Few networks take more; the others would, but then a transcript's length would decide how much
# memory is needed. No clip of the challenges says as much.
_LONGEST = 1024
_CONTEXT = 8  # a window sees this part of its length beside the tokens kept, on either side
_PROBE = "一 two three."
_ALIKE = {"float32": 1e-4}  # how far, relatively, rows may be moved by padding and still count as the same
_ALIKE_IN_HALF = 0.05


class Habits(NamedTuple):
    """What a network does that no configuration tells.

    Attributes:
        time_first: its hidden states are ``(T, B, D)``, as ChatGLM's, not ``(B, T, D)``
        minds_padding: padding changes its numbers, mask or not
    """

    time_first: bool
    minds_padding: bool


class TextTransformer(NetworkEncoder):
    """A transformer that reads tokens, encoder or decoder.

    A row is a token of the transcript; special tokens are computed and left out. A transcript longer than the network
    reads at once is cut into windows that overlap, each with special tokens of its own; of each the middle is kept.
    Batches are padded on the right and masked. Networks that mind padding nevertheless are found by trying, and are
    given texts of one length only.

    Attributes:
        reader: the tokenizer
        longest: tokens of the longest window, special ones included
    """

    capacity = 512

    def build(self) -> "torch.nn.Module":
        """Returns the network, and readies the tokenizer that belongs to it."""
        tokenizer, network = self.load()
        self.longest = longest_window(network, tokenizer)
        self._inputs = {"input_ids"}
        if self.spec.option("token_types", has_token_types(network)):
            self._inputs.add("token_type_ids")
        padding = getattr(network.config, "pad_token_id", None) or 0  # the tokenizer's may be one the network has not
        self._padding = padding if 0 <= padding < getattr(network.config, "vocab_size", 0) else 0
        self._probe = np.resize(self.reader.read(_PROBE).ids, 6)  # now, as later a thread has the tokenizer
        return network

    def load(self) -> tuple[Any, "torch.nn.Module"]:
        """Returns tokenizer and network, in the spec's precision, and sets ``reader``."""
        if self.spec.is_tiny:
            tokenizer, network = make_tiny(self.spec.option("kind"))
            network = network.to(self.dtype)
        else:
            tokenizer = load_tokenizer(self.spec, self.trusted)
            network = load_network(self.spec, self.trusted, dtype=self.dtype)
        self.reader = TokenReader(tokenizer)
        return tokenizer, network

    def place(self, network: "torch.nn.Module") -> "torch.nn.Module":
        """Returns the network on the device, or on all of them where one is too small."""
        return settle(network.eval().requires_grad_(False), self.device)

    def pieces(self, item: str) -> Iterator[Piece]:
        """Yields the windows of a transcript; most have one.

        Raises:
            ClipError: there is nothing in it that the tokenizer knows as text
        """
        tokens = self.reader.read(item)
        if not len(tokens.ids):
            raise ClipError(Status.EMPTY_TEXT, "the tokenizer finds nothing in the transcript")
        longest = self.longest - self.reader.specials
        for chunk in cut_chunks(len(tokens.ids), longest=longest, context=longest // _CONTEXT):
            inputs = self.reader.surround(tokens.ids[chunk.start : chunk.stop])
            spans, keep = self.kept(tokens, chunk)
            yield Piece(inputs, len(inputs["input_ids"]), spans, keep)

    def kept(self, tokens: Tokens, chunk: Chunk) -> tuple[np.ndarray, slice]:
        """Returns which rows of a window are kept and the characters they stand for."""
        skipped = len(self.reader.surroundings.before)
        keep = slice(skipped + chunk.keep.start, skipped + chunk.keep.stop)
        return tokens.spans[chunk.keep_start : chunk.keep_stop], keep

    @abstractmethod
    def forward(self, pieces: list[Piece]) -> list["torch.Tensor"]:
        """Returns the rows ``(t, D)`` of each window, special tokens included."""

    def rows(self, pieces: Sequence[Piece]) -> list["torch.Tensor"]:
        """Returns the chosen layers ``(t, D)`` float32 of each window, special tokens included."""
        states = self._states(pieces)
        if self.habits.time_first:
            states = states.transpose(0, 1)
        return [state[: piece.length] for state, piece in zip(states, pieces, strict=True)]

    @property
    def equal_lengths(self) -> bool:
        """Whether only windows of one length may share a batch."""
        return self.habits.minds_padding

    @cached_property
    def habits(self) -> Habits:
        """The network's habits, found by giving it a text alone and beside a longer one.

        Raises:
            UserError: it does not give a row per token, or cannot compute in the spec's precision
        """
        import torch

        inputs = [self.reader.surround(self._probe[:stop]) for stop in (6, 3)]
        long, short = (Piece(given, len(given["input_ids"]), np.zeros(0)) for given in inputs)
        with torch.inference_mode():
            together, alone = self._tried([long, short]), self._tried([short])
        shape = tuple(together.shape[:2])
        if shape not in ((2, long.length), (long.length, 2)):
            raise UserError(
                f"'{self.spec.name}' gives states of shape {tuple(together.shape)} for 2 texts of up to {long.length} "
                "tokens, expected a row per token: this family cannot run it."
            )
        time_first = shape != (2, long.length)
        if time_first:
            together, alone = together.transpose(0, 1), alone.transpose(0, 1)
        moved = (together[1, : short.length] - alone[0]).norm() / alone[0].norm()
        alike = moved <= _ALIKE.get(self.spec.precision, _ALIKE_IN_HALF)
        return Habits(time_first, not bool(alike))

    def _tried(self, pieces: Sequence[Piece]) -> "torch.Tensor":
        """Returns what `_states` does, or says that the network cannot compute in half precision."""
        try:
            return self._states(pieces)
        except RuntimeError as error:
            if self.spec.precision == "float32" or is_want_of_memory(error):
                raise
            raise UserError(
                f"'{self.spec.name}' cannot compute in {self.spec.precision} on {self.device}: {error}. "
                "Take --dtype float32."
            ) from error

    def _states(self, pieces: Sequence[Piece]) -> "torch.Tensor":
        """Returns the chosen layers of a padded batch, as the network lays them out."""
        longest = max(piece.length for piece in pieces)
        batch = {name: self._padded(pieces, name, longest) for name in self._inputs}
        mask = np.arange(longest) < np.array([[piece.length] for piece in pieces])
        output = self.network(**batch, attention_mask=self.tensor(mask.astype(np.int64)), output_hidden_states=True)
        # CLIP's, for one, lists its last state before the final normalisation.
        last = getattr(output, "last_hidden_state", output.hidden_states[-1])
        states = [state.to(self.device) for state in (*output.hidden_states[:-1], last)]
        return combine_layers(states, self.spec.layers, self.spec.combine)

    def _padded(self, pieces: Sequence[Piece], name: str, longest: int) -> "torch.Tensor":
        filler = self._padding if name == "input_ids" else 0
        rows = np.full((len(pieces), longest), filler, np.int64)
        for row, piece in zip(rows, pieces, strict=True):
            row[: piece.length] = piece.inputs[name]
        return self.tensor(rows)


def longest_window(network: "torch.nn.Module", tokenizer: Any) -> int:
    """Returns how many tokens, special ones included, a network is given at once: at most 1024.

    Less where it has fewer positions, or its tokenizer says so. RoBERTa and its kin number positions from the padding
    token's id on, which takes away the first ones.
    """
    positions = getattr(network.config, "max_position_embeddings", None) or 0
    for name, module in network.named_modules():
        if positions > 0 and name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            positions -= module.padding_idx + 1
            break
    return min(_LONGEST, tokenizer.model_max_length, positions if positions > 0 else _LONGEST)


def has_token_types(network: "torch.nn.Module") -> bool:
    """Returns whether a network was trained with token types: whether it has weights for them.

    It decides for XLNet, whose tokenizer gives them only when asked, and against GPT-2, which takes them for words.
    """
    return any("token_type_embeddings" in name or "seg_embed" in name for name, _ in network.named_parameters())
