"""What a path is decides how it is read."""

import numpy as np
import pytest

from toolkit.cache_import.kinds import open_origin
from toolkit.errors import UserError


def test_folder(save):
    assert open_origin(save("x-UTT", a=np.ones(1)), "audio").kind == "folder of npy files"


def test_npz(tmp_path):
    np.savez(tmp_path / "x.NPZ.npz", name=np.array(["a"]), audio=np.ones((1, 1)))
    assert open_origin((tmp_path / "x.NPZ.npz").rename(tmp_path / "x.NPZ"), "audio").kind == "npz file"


def test_name_of_the_folder_one_stands_in(save, monkeypatch):
    monkeypatch.chdir(save("hubert-UTT"))
    assert open_origin(save("hubert-UTT") / ".", "audio").path.name == "hubert-UTT"


def test_a_link_keeps_its_name(save, tmp_path):
    (tmp_path / "hubert-UTT").symlink_to(save("hubert-noise-UTT"))
    assert open_origin(tmp_path / "hubert-UTT", "audio").path.name == "hubert-UTT"


def test_other_paths(save, tmp_path):
    with pytest.raises(UserError, match=r"x-UTT is a folder, and --key names an array of a file"):
        open_origin(save("x-UTT"), "audio", "text")
    with pytest.raises(UserError, match=r"gone is not there. Expected a folder of npy files"):
        open_origin(tmp_path / "gone", "audio")
    with pytest.raises(UserError, match=r"gone.npz is not there"):
        open_origin(tmp_path / "gone.npz", "audio")
    (tmp_path / "table.csv").touch()
    with pytest.raises(UserError, match=r"table.csv is nothing that features are imported from"):
        open_origin(tmp_path / "table.csv", "audio")
