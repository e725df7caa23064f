"""Folders of MERTools features: both levels, files per clip and per frame, and files that are broken."""

import numpy as np
import pytest

from toolkit.cache_import.folder import NpyFolder
from toolkit.errors import ClipError
from toolkit.status import Status


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("chinese-hubert-large-UTT", "utterance"), ("manet_UTT", "utterance"), ("clip-vit-large-FRA", "frame"),
        ("IS09_fra", "frame"), ("hubert", None), ("my-UTTerances", None), ("UTT-old", None),
    ],
)  # fmt: skip
def test_level_by_the_name(save, name, level):
    assert NpyFolder(save(name)).level == level


def test_entries(save):
    folder = save("x-FRA", a=np.ones(3), b=np.ones(3))
    (folder / "b").mkdir()  # the file wins
    (folder / "c").mkdir()
    (folder / "notes.txt").touch()
    origin = NpyFolder(folder)
    assert set(origin.names) == {"a", "b", "c"}
    assert origin.strangers == ["notes.txt"]
    np.testing.assert_array_equal(origin.read("b"), np.ones(3))
    assert origin.read("c").size == 0


def test_a_name_with_dots(save):
    origin = NpyFolder(save("x-UTT", **{"talk.v2": np.arange(2)}))
    np.testing.assert_array_equal(origin.read("talk.v2"), [0, 1])


def test_frames_in_files_come_in_the_order_people_count(save):
    save("x-FRA/a", **{f"det_{number}": np.full(2, number) for number in (10, 9, 1, 100)})
    origin = NpyFolder(save("x-FRA"))
    assert origin.read("a")[:, 0].tolist() == [1, 9, 10, 100]


def test_frames_of_different_sizes(save):
    save("x-FRA/a", f1=np.ones(2), f2=np.ones(3))
    with pytest.raises(ClipError) as error:
        NpyFolder(save("x-FRA")).read("a")
    assert error.value.status == Status.UNREADABLE
    assert error.value.reason == "its frames have 2 to 3 numbers, not as many each"


UNKNOWN_TYPE = b"{'descr': 'x9', 'fortran_order': False, 'shape': (3,)}".ljust(64)


def broken(path, kind):
    np.save(path, np.ones(100))
    whole = path.read_bytes()
    contents = {
        "cut off": whole[:-8],
        "cut off in its header": whole[:20],
        "empty": b"",
        "text": b"name,value\n",
        "a header of rubbish": b"\x93NUMPY\x01\x00\x10\x00{'descr': (((((((",
        "a header that names no type": b"\x93NUMPY\x01\x00\x40\x00" + UNKNOWN_TYPE,
    }
    path.write_bytes(contents[kind])


@pytest.mark.parametrize(
    "kind",
    ["cut off", "cut off in its header", "empty", "text", "a header of rubbish", "a header that names no type"],
)
def test_broken_files(save, kind):
    folder = save("x-UTT")
    broken(folder / "a.npy", kind)
    with pytest.raises(ClipError) as error:
        NpyFolder(folder).read("a")
    assert error.value.status == Status.UNREADABLE
    assert error.value.reason.startswith("a.npy cannot be read: ")
    assert "\n" not in error.value.reason


def test_python_objects_are_never_unpickled(save, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "trapped"), "w"))

    folder = save("x-UTT")
    np.save(folder / "a.npy", np.array([Trap()], object), allow_pickle=True)
    with pytest.raises(ClipError, match="it holds Python objects, which are never unpickled"):
        NpyFolder(folder).read("a")
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (0, 4), (3, 4), (2, 3, 4)])
@pytest.mark.parametrize("dtype", ["f4", ">f8", "f2", "i8", "?", "U3"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_those_of_numpy(save, version, shape, dtype, order):
    values = np.asarray(np.random.default_rng(0).integers(0, 9, shape).astype(dtype), order=order)
    folder = save("x-UTT")
    with (folder / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, values, version)
    found = NpyFolder(folder).read("a")
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values, strict=True)


@pytest.mark.filterwarnings("ignore:Stored array in format 3.0")
def test_format_of_tables(save):
    origin = NpyFolder(save("x-UTT", a=np.zeros(2, [("中", "f4")])))
    with pytest.raises(ClipError, match=r"its format has version 3.0, which is for tables with named columns"):
        origin.read("a")


def test_a_link_that_leads_nowhere(save, tmp_path):
    folder = save("x-UTT")
    (folder / "a.npy").symlink_to(tmp_path / "gone.npy")
    with pytest.raises(ClipError, match="No such file"):
        NpyFolder(folder).read("a")
