import importlib.util
import shutil

import pytest
import torch

from feature_extraction.faces.networks import find_weights, load_networks
from toolkit.errors import UserError


def test_shapes():
    networks = load_networks()
    offsets, face = networks.propose(torch.zeros(2, 3, 40, 52))
    assert (offsets.shape, face.shape) == ((2, 4, 15, 21), (2, 15, 21))
    offsets, face = networks.refine(torch.zeros(2, 3, 24, 24))
    assert (offsets.shape, face.shape) == ((2, 4), (2,))
    offsets, points, face = networks.output(torch.zeros(2, 3, 48, 48))
    assert (offsets.shape, points.shape, face.shape) == ((2, 4), (2, 10), (2,))


def test_other_folder(tmp_path):
    for file in find_weights().values():
        shutil.copy(file, tmp_path)
    assert find_weights(tmp_path)["onet"] == tmp_path / "onet.lz4"


def test_tampered_weights_are_not_opened(tmp_path):
    for file in find_weights().values():
        shutil.copy(file, tmp_path)
    (tmp_path / "rnet.lz4").write_bytes(b"cposix\nsystem\n")
    with pytest.raises(UserError, match=r"rnet\.lz4 has sha256 .* expected cb00e646"):
        load_networks(tmp_path)


def test_absent_weights(tmp_path):
    with pytest.raises(UserError, match=r"pnet\.lz4 is absent"):
        load_networks(tmp_path)


def test_wheel_not_installed(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'pip install "mtcnn>=1\.0,<2"'):
        find_weights()
