"""What pickles may hold, and what they may not."""

import os
import pickle
import struct
from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np
import pytest

from toolkit.errors import UserError
from toolkit.pickle_reader import load_pickle, read_pickle

PATH = Path("file.pkl")
# What Python 2 wrote for array([1, 2.5, -3], float32) and for {"text": "caf\xe9"}; its words were bytes.
PYTHON_2_ARRAY = (
    b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x03\x85"
    b"cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
    b"U\x0c" + struct.pack("<3f", 1, 2.5, -3) + b"tb."
)
PYTHON_2_WORDS = b"\x80\x02}U\x04textU\x04caf\xe9s."


class Command:
    """Would run a program where unpickling trusts."""

    def __reduce__(self):
        return os.system, ("touch run",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_containers_come_back(protocol):
    value = {
        "clip$_$1": [1, -2.5, True, None, "ärger", b"", b"\x00\xff"],
        "more": (1, 2, {"a", "b"}, frozenset({3}), OrderedDict(z=1, a=2)),
    }
    back = load_pickle(pickle.dumps(value, protocol), PATH)
    assert back == value
    assert type(back["more"][4]) is OrderedDict


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=np.int64).reshape(2, 3)),
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4).transpose(1, 2, 0),
        np.array([1.5, -2], dtype=">f8"),
        np.array([True, False]),
        np.array([1 + 2j]),
        np.array(["angry", "ärger"]),
        np.array([b"wav", b""]),
        np.zeros((0, 5), np.float16),
        np.array(["a", None, [1, 2]], dtype=object),
        np.array({"clip": {"emo": "sad", "val": np.float64(-1.5)}}, dtype=object),
    ],
    ids=["rows", "columns", "turned", "big_endian", "boolean", "complex", "words", "bytes", "empty", "objects", "none"],
)
def test_arrays_come_back(array, protocol):
    back = load_pickle(pickle.dumps(array, protocol), PATH)
    assert isinstance(back, np.ndarray)
    assert back.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")  # numpy turns most to the machine's own
    assert back.shape == array.shape
    assert back.tolist() == array.tolist()


def test_an_array_of_its_own_memory_can_be_written_to():
    back = load_pickle(pickle.dumps(np.zeros(3), 4), PATH)
    back[1] = 7
    assert back.tolist() == [0, 7, 0]


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("scalar", [np.float32(0.1), np.int64(-5), np.bool_(True), np.str_("joy")])
def test_scalars_come_back(scalar, protocol):
    back = load_pickle(pickle.dumps(scalar, protocol), PATH)
    assert type(back) is type(scalar)
    assert back == scalar


def test_python_2():
    np.testing.assert_array_equal(load_pickle(PYTHON_2_ARRAY, PATH), np.array([1, 2.5, -3], np.float32))
    assert load_pickle(PYTHON_2_WORDS, PATH) == {"text": "café"}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_command_is_refused_by_name_and_not_run(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps({"train": [Command()]}, protocol)
    with pytest.raises(UserError, match=r"^file.pkl asks for 'posix.system', which is refused, .*any program"):
        load_pickle(data, PATH)
    assert list(tmp_path.iterdir()) == []
    pickle.loads(data)  # it is hostile indeed
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        (b"cbuiltins\neval\n(S'1'\ntR.", "builtins.eval"),
        (b"c__builtin__\ngetattr\n.", "__builtin__.getattr"),
        (b"cnumpy\nload\n.", "numpy.load"),
        (b"cnumpy.testing._private.utils\nrunstring\n.", r"numpy.testing._private.utils.runstring"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0dndarray.dtype\x93.", "numpy.ndarray.dtype"),
        (pickle.dumps(Counter("ab")), "collections.Counter"),
        (pickle.dumps(Path("a")), "pathlib.PosixPath"),
    ],
    ids=["eval", "getattr", "numpy_load", "numpy_exec", "dotted", "counter", "object"],
)
def test_refused_by_name(data, asked):
    with pytest.raises(UserError, match=rf"asks for '{asked}', which is refused"):
        load_pickle(data, PATH)


ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
FLOATS, OBJECTS = (b"cnumpy\ndtype\n(S'%s'\nI0\nI1\ntR" % code for code in (b"f8", b"O8"))

# The same array restored twice, and memory of the first time looked at in between.
FREED = (
    ARRAY + b"p0\n0g0\n(I1\n(I8\nt" + FLOATS.replace(b"f8", b"u1") + b"I0\nS'8 bytes.'\ntb0"
    b"cnumpy.core.numeric\n_frombuffer\n(g0\n" + FLOATS + b"(I1\ntS'C'\ntR."
)
# A claim of 2 ** 60 bytes, and an array of as many words of no letters.
CLAIMS = (
    b"\x80\x05\x96" + (1 << 60).to_bytes(8, "little") + b"abc.",
    b"\x80\x04\x8e" + (1 << 60).to_bytes(8, "little"),
)
NO_LETTERS = ARRAY + b"(I1\n(I%d\nt" % (1 << 60) + FLOATS.replace(b"f8", b"S0") + b"I0\nS''\ntb."
GROWN = (  # bytes that an array looks at, to which more are added
    b"\x80\x05\x96" + (8).to_bytes(8, "little") + b"8 bytes.q\x000"
    b"cnumpy.core.numeric\n_frombuffer\n(h\x00" + FLOATS + b"(I1\ntS'C'\ntRq\x010h\x00(K\x41K\x42e."
)
# A word of one letter that Unicode has not, in an array, alone, and as protocol 5 has arrays.
LETTER = b"\x00\x00\x11\x00"
NO_LETTER = b"B\x04\x00\x00\x00" + LETTER
WORD = FLOATS.replace(b"f8", b"U1")
UNREADABLE = (
    ARRAY + b"(I1\n(I1\nt" + WORD + b"I0\n" + NO_LETTER + b"tb.",
    b"cnumpy.core.multiarray\nscalar\n(" + WORD + NO_LETTER + b"tR.",
    b"cnumpy.core.numeric\n_frombuffer\n(" + NO_LETTER + WORD + b"(I1\ntS'C'\ntR.",
)
ADDRESS = b"S'\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00'\n"


@pytest.mark.parametrize(
    "data",
    [
        ARRAY + b"(I1\n(I9\nt" + FLOATS + b"I0\nS'only8byt'\ntb.",
        ARRAY + b"(I1\n(I-1\nI-1\nt" + FLOATS + b"I0\nS'only8byt'\ntb.",
        ARRAY + b"(I1\n(I3\nt" + OBJECTS + b"I0\n(I1\nltb.",
        # an object type that says it holds no objects: numpy would take the eight bytes for an address
        ARRAY + b"(I1\n(I8\nt" + OBJECTS + b"(I3\nS'|'\nNNNI8\nI8\nI0\ntb" + b"I0\n" + ADDRESS + b"tb.",
        b"cnumpy.core.multiarray\nscalar\n(" + OBJECTS + ADDRESS + b"tR.",
        b"c_codecs\nencode\n(S'a'\nS'rot13'\ntR.",
        FREED,
        GROWN,
        NO_LETTERS,
        *UNREADABLE,
        pickle.dumps([1, 2, 3])[:-4],
        b"",
        b"hello",
        b"PK\x03\x04",
        b"version https://git-lfs.github.com/spec/v1",
    ],
    ids=[
        "too_few_bytes", "negative", "too_few_objects", "forged_type", "address", "codec", "freed",
        "grown", "no_letters", "letter", "letter_alone", "letter_5", "cut", "empty", "words", "zip", "pointer",
    ],
)  # fmt: skip
def test_damaged(data):
    with pytest.raises(UserError, match=r"^file.pkl is damaged, or no pickle \(\w+: .+\). Copy or download it again"):
        load_pickle(data, PATH)


@pytest.mark.parametrize("claim", CLAIMS, ids=["array_of_bytes", "bytes"])
def test_a_size_that_no_memory_has(tmp_path, claim):
    path = tmp_path / "file.pkl"
    path.write_bytes(claim)
    with pytest.raises(
        UserError, match=r"file.pkl is damaged, or no pickle \(MemoryError\). Copy or download it again"
    ):
        read_pickle(path)


@pytest.mark.parametrize("dtype", ["f4,i4", "M8[s]", "g"], ids=["record", "time", "long_double"])
def test_arrays_that_are_not_read(dtype):
    with pytest.raises(
        UserError, match=r"holds an array of type '\w+', which is not read. Expected booleans, integers"
    ):
        load_pickle(pickle.dumps(np.zeros(2, dtype)), PATH)


@pytest.mark.parametrize(
    "state",
    [b"(N}S'__defaults__'\n(I1\ntstb.", b"(N}S'_function'\nNstb.", b"}S'__wrapped__'\nI1\nsb."],
    ids=["slots", "function", "dictionary"],
)
@pytest.mark.parametrize("asked", [b"cnumpy\ndtype\n", b"cbuiltins\nbytes\n", b"cbuiltins\nset\n"])
def test_nothing_that_is_given_out_can_be_changed(asked, state):
    """BUILD sets attributes; a pickle that could would spoil the next one."""
    with pytest.raises(UserError, match=r"AttributeError|TypeError"):
        load_pickle(asked + state, PATH)
    assert load_pickle(pickle.dumps(np.arange(2)), PATH).tolist() == [0, 1]


def test_files(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"x": np.ones(2)}))
    assert read_pickle(tmp_path / "a.pkl")["x"].tolist() == [1, 1]
    with pytest.raises(UserError, match=r"b.pkl cannot be read \(No such file or directory\)"):
        read_pickle(tmp_path / "b.pkl")
    with pytest.raises(UserError, match=r"cannot be read \(Is a directory\)"):
        read_pickle(tmp_path)
