"""Tokens, n-grams and their places, worked out by hand."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from feature_extraction.encoder import build_encoder, get_spec
from feature_extraction.text.char_hash import grams, hashed, slot, tokens
from toolkit.errors import ClipError
from toolkit.status import Status


@pytest.fixture(scope="module")
def encoder():
    return build_encoder(get_spec("char-hash", "text"), level="frame")


def test_tokens_of_mixed_scripts():
    found = tokens("我很Happy！ don't ３")
    assert [token.text for token in found] == ["我", "很", "happy", "!", "don't", "3"]
    assert [(token.start, token.end) for token in found] == [(0, 1), (1, 2), (2, 7), (7, 8), (9, 14), (15, 16)]
    assert [token.kind for token in found] == ["sign", "sign", "word", "mark", "word", "word"]


def test_kana_and_hangul_are_signs():
    assert [token.kind for token in tokens("うれ기쁨")] == ["sign"] * 4


def test_grams_of_signs_do_not_cross_gaps():
    assert list(grams(tokens("很高兴，我 也"))) == [
        ["很"],
        ["高", "很高"],
        ["兴", "高兴", "很高兴"],
        [","],
        ["我"],
        ["也"],
    ]


def test_grams_of_words():
    assert list(grams(tokens("So sad"))) == [
        [" so", "<s", "so", "o>", "<so", "so>", "<so>"],
        [" sad", "so sad", "<s", "sa", "ad", "d>", "<sa", "sad", "ad>", "<sad", "sad>"],
    ]


def test_slot_by_hand():
    digest = hashlib.blake2b("高兴".encode(), digest_size=8).digest()
    number = int.from_bytes(digest, "little")
    column, sign = slot("高兴", 1024)
    assert column == number // 2 % 1024
    assert sign == (-1 if number % 2 else 1)
    # So on every machine, in every process, for good: caches depend on it.
    assert [slot(gram, 1024) for gram in ("高兴", "<sad", "!")] == [(503, 1), (769, -1), (287, -1)]


def test_hash_is_the_same_in_another_process():
    code = "from feature_extraction.text.char_hash import slot; print(slot('高兴', 1024))"
    run = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(2)]
    assert run[0].stdout == run[1].stdout == f"{slot('高兴', 1024)}\n"


def test_columns_and_signs_are_even():
    places = [slot(str(n), 64) for n in range(6400)]
    counts = np.bincount([column for column, _ in places], minlength=64)
    assert counts.min() > 60  # 100 expected, four standard deviations are 40
    assert counts.max() < 140
    assert abs(sum(sign for _, sign in places)) < 320  # four standard deviations


def test_vector_by_hand():
    vector = hashed([("a", 3.0), ("b", 4.0)], 1024)
    column_a, sign_a = slot("a", 1024)
    column_b, sign_b = slot("b", 1024)
    assert column_a != column_b
    assert vector[column_a] == np.float32(0.6 * sign_a)
    assert vector[column_b] == np.float32(0.8 * sign_b)
    assert np.count_nonzero(vector) == 2


def test_utterance_weighs_by_one_plus_log(encoder):
    (result,) = encoder.encode(["!!!?"])
    weights = np.array([1 + np.log(3), 1])
    column, sign = slot("!", 1024)
    assert result.utterance[column] == pytest.approx(sign * weights[0] / np.linalg.norm(weights))


def test_frames_are_tokens(encoder):
    (result,) = encoder.encode(["高兴 happy!"])
    assert result.values.shape == (4, 1024)
    assert result.utterance.shape == (1024,)
    assert result.times.tolist() == [[0, 1], [1, 2], [3, 8], [8, 9]]
    np.testing.assert_allclose(np.linalg.norm(result.values, axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(result.values[1], hashed([("兴", 1), ("高兴", 1)], 1024))


def test_alike_sentences_are_near(encoder):
    texts = ["我今天很高兴", "他今天非常高兴", "火车晚点了", "I feel happy", "she is unhappy", "trains run late"]
    vectors = np.stack([result.utterance for result in encoder.encode(texts)])
    near = vectors @ vectors.T
    assert near[0, 1] > near[0, 2] + 0.2
    assert near[3, 4] > near[3, 5] + 0.2


def test_case_and_width_do_not_matter(encoder):
    one, other = encoder.encode(["Happy!", "ＨＡＰＰＹ！"])
    np.testing.assert_array_equal(one.utterance, other.utterance)


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_empty_text(encoder, text):
    (result,) = encoder.encode([text])
    assert isinstance(result, ClipError)
    assert result.status == Status.EMPTY_TEXT


def test_marks_alone_are_words_too(encoder):
    (result,) = encoder.encode(["……？"])
    assert result.values.shape == (3, 1024)
    assert np.isfinite(result.utterance).all()


def test_lone_surrogate(encoder):
    (result,) = encoder.encode(["a\ud800b"])
    assert np.isfinite(result.utterance).all()


def test_english_reads_another_column():
    assert get_spec("char-hash", "text").column == "text"
    assert get_spec("char-hash-english", "text").column == "english"
