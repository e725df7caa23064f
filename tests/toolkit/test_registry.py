"""Things found in the files of a folder."""

import sys

import pytest

from toolkit.errors import UserError
from toolkit.registry import Registry


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with a registry and one file that uses it."""
    folder = tmp_path / "animals"
    folder.mkdir()
    registry = "from toolkit.registry import Registry\nthings = Registry('animal', 'animals')\n"
    (folder / "__init__.py").write_text(registry)
    (folder / "cat.py").write_text("from animals import things\n\n@things.add('cat')\ndef cat(): return 'meow'\n")
    monkeypatch.syspath_prepend(tmp_path)
    import animals

    yield animals
    for name in [name for name in sys.modules if name.partition(".")[0] == "animals"]:
        del sys.modules[name]


def test_a_new_file_is_found(package):
    assert package.things.names() == ["cat"]
    assert package.things.get("cat")() == "meow"


def test_unknown_name_gives_the_nearest(package):
    with pytest.raises(UserError, match=r"^Unknown animal 'cta'. Did you mean 'cat'\? Known: cat.$"):
        package.things.get("cta")


def test_two_things_of_one_name():
    things = Registry("thing")
    things.add("a")(1)
    with pytest.raises(ValueError, match="two things are called 'a': 1 and 2"):
        things.add("a")(2)


def test_the_same_thing_twice_is_fine():
    things = Registry("thing")
    things.add("a")(1)
    things.add("a")(1)
    assert things.names() == ["a"]
