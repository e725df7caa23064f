import pytest

from feature_extraction.faces.detect import detectors
from toolkit.errors import UserError


def test_names():
    assert detectors.names() == ["facenet", "frames", "mtcnn", "openface", "organisers"]


def test_unknown_detector():
    with pytest.raises(UserError, match=r"Unknown face detector 'mtcn'\. Did you mean 'mtcnn'"):
        detectors.get("mtcn")
