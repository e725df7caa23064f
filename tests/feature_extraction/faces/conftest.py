import numpy as np
import pytest

from feature_extraction.faces.detect import Detection
from feature_extraction.faces.mtcnn import Mtcnn
from feature_extraction.faces.spec import FaceSpec


@pytest.fixture(scope="session")
def astronaut():
    """A photograph with one face, (512, 512, 3) uint8."""
    data = pytest.importorskip("skimage.data", reason="needs scikit-image, in the test extra")
    return data.astronaut()


@pytest.fixture(scope="session")
def mtcnn():
    return Mtcnn(FaceSpec())


@pytest.fixture
def detection():
    """Makes a Detection out of a box's left, top and size."""

    def make(left, top, size, probability=0.99):
        box = np.array([left, top, left + size, top + size], dtype=np.float32)
        places = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], dtype=np.float32)
        return Detection(box, box[:2] + size * places, probability)

    return make
