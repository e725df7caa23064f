"""A tiny Whisper with random weights: the real code runs on it in milliseconds, and its words mean nothing."""

from typing import TYPE_CHECKING

from feature_extraction.checkpoint import seeded

if TYPE_CHECKING:
    from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperTokenizer

DIM = 16
_SECONDS = 3  # window; the real one's 30 s would cost as much for a short clip as for a long one
_BYTES = 256
_LANGUAGES = ("<|en|>", "<|zh|>")
_TASKS = ("<|translate|>", "<|transcribe|>")
_SPECIAL = ("<|endoftext|>", "<|startoftranscript|>", *_LANGUAGES, *_TASKS, "<|notimestamps|>")
_IDS = {word: number for number, word in enumerate(_SPECIAL, start=_BYTES)}
_SPOKEN = " abcdefghijklmnopqrstuvwxyz"  # what its words are made of


def tiny_network() -> "WhisperForConditionalGeneration":
    """Returns the network: two layers of width 16 on either side, and how its words are generated."""
    from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

    start, end = _IDS["<|startoftranscript|>"], _IDS["<|endoftext|>"]
    spoken = tiny_tokenizer().encode(_SPOKEN, add_special_tokens=False)
    config = WhisperConfig(
        vocab_size=_BYTES + len(_SPECIAL),
        d_model=DIM,
        encoder_layers=2,
        encoder_attention_heads=2,
        encoder_ffn_dim=2 * DIM,
        decoder_layers=2,
        decoder_attention_heads=2,
        decoder_ffn_dim=2 * DIM,
        max_source_positions=_SECONDS * 50,
        max_target_positions=24,
        init_std=0.3,  # with the usual 0.02 every sound gives the same words
        decoder_start_token_id=start,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
    )
    with seeded():
        network = WhisperForConditionalGeneration(config)
    network.generation_config = GenerationConfig(
        decoder_start_token_id=start,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        max_length=config.max_target_positions,
        is_multilingual=True,
        lang_to_id={word: _IDS[word] for word in _LANGUAGES},
        task_to_id={word.strip("<|>"): _IDS[word] for word in _TASKS},
        no_timestamps_token_id=_IDS["<|notimestamps|>"],
        suppress_tokens=[number for number in range(config.vocab_size) if number not in {end, *spoken}],
    )
    return network.eval()


def tiny_extractor() -> "WhisperFeatureExtractor":
    """Returns what makes the network's spectrograms."""
    from transformers import WhisperFeatureExtractor

    return WhisperFeatureExtractor(chunk_length=_SECONDS)


def tiny_tokenizer() -> "WhisperTokenizer":
    """Returns the tokenizer: a token per byte, and the special ones."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import WhisperTokenizer

    vocabulary = {letter: number for number, letter in enumerate(sorted(ByteLevel.alphabet()))}
    return WhisperTokenizer(vocab=vocabulary | _IDS, additional_special_tokens=list(_SPECIAL[1:]))
