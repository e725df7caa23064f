"""Working ahead in a thread."""

import threading
import time

import pytest

from feature_extraction.ahead import ahead


def test_order():
    assert list(ahead(range(100), depth=3)) == list(range(100))


def test_no_more_than_wanted_is_made():
    made = []

    def items():
        for number in range(10):
            made.append(number)
            yield number

    loop = ahead(items(), depth=2)
    assert next(loop) == 0
    time.sleep(0.3)
    assert made == [0, 1, 2, 3]  # one given, two waiting, one in hand
    loop.close()


def test_error_comes_in_its_place():
    def items():
        yield 1
        raise KeyError("lost")

    loop = ahead(items())
    assert next(loop) == 1
    with pytest.raises(KeyError, match="lost"):
        next(loop)


def test_no_kind_of_error_leaves_the_loop_waiting():
    class Panic(BaseException):
        """What libraries in Rust raise, tokenizers among them, is no `Exception`."""

    def items():
        raise Panic("index out of bounds")
        yield

    loop = ahead(items())
    waiting = threading.Thread(target=lambda: errors.append(_error_of(loop)), daemon=True)
    errors: list[BaseException] = []
    waiting.start()
    waiting.join(5)
    assert [type(error) for error in errors] == [Panic]


def _error_of(loop) -> BaseException:
    with pytest.raises(BaseException) as error:  # noqa: PT011 - of any kind
        next(loop)
    return error.value


def test_leaving_early_ends_the_thread():
    before = threading.active_count()
    for item in ahead(iter(int, 1)):  # zeros without end
        assert item == 0
        break
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() == before
