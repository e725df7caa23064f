import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from feature_extraction.faces.extractor import FaceExtractor
from feature_extraction.faces.facenet import Facenet, import_facenet
from feature_extraction.faces.spec import FaceSpec, get_face_spec
from toolkit.errors import UserError


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Makes a package called facenet_pytorch out of source text, instead of any installed one."""

    def make(text):
        (tmp_path / "facenet_pytorch").mkdir()
        (tmp_path / "facenet_pytorch" / "__init__.py").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        for name in ("facenet_pytorch", "torchvision"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        return tmp_path

    yield make
    sys.modules.pop("facenet_pytorch", None)


def test_asked_for_but_missing(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs facenet-pytorch\. Run: pip install .*\[facenet\]"):
        Facenet(FaceSpec())


def test_torchvision_for_another_torch(package):
    folder: Path = package("import torchvision")
    (folder / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    with pytest.raises(UserError, match=r"torchvision does not fit torch .*torchvision::nms does not exist.*uninstall"):
        FaceExtractor(get_face_spec("facenet"))


def test_own_weights_are_refused():
    with pytest.raises(UserError, match="carries its own weights"):
        Facenet(FaceSpec(), weights=Path("weights"))


SCRIPTED = """
import numpy as np, torch
class MTCNN:
    def __init__(self, **options):
        assert options == dict(min_face_size=40, keep_all=True, select_largest=False, device="cpu")
        self.pnet = self.rnet = torch.nn.Identity()
        self.onet = lambda x: None
        self.onet = torch.nn.Identity()
    def detect(self, frames, landmarks):
        assert frames.dtype == np.uint8 and landmarks
        some = (np.array([[0, 0, 9, 9], [5, 5, 9, 9]], object), np.array([.8, .9], object), np.ones((2, 5, 2), object))
        return ([some[0], None], [some[1], [None]], [some[2], None])
"""


def test_results_are_sorted_and_typed(package):
    package(SCRIPTED)
    first, second = Facenet(FaceSpec()).detect([np.zeros((50, 60, 3), np.uint8)] * 2)
    assert second == []
    assert [face.probability for face in first] == [0.9, 0.8]
    assert first[0].box.tolist() == [5, 5, 9, 9]
    assert (first[0].box.dtype, first[0].points.shape) == (np.float32, (5, 2))


def test_frame_smaller_than_a_face(package):
    package(SCRIPTED)
    assert Facenet(FaceSpec()).detect([np.zeros((39, 60, 3), np.uint8)]) == [[]]


def test_installed_package_gives_the_same_crops(astronaut):
    try:
        import_facenet()
    except UserError as error:
        pytest.skip(str(error))
    theirs, ours = (FaceExtractor(get_face_spec(name))._detector for name in ("facenet", "mtcnn"))
    expected = ours.detect([astronaut])[0][0]
    for found in (theirs.detect([astronaut])[0][0], theirs.confirm([astronaut], expected.box[None])[0]):
        np.testing.assert_allclose(found.points, expected.points, atol=3)
    np.testing.assert_allclose(theirs.detect([astronaut])[0][0].box, expected.box, atol=1e-3)
