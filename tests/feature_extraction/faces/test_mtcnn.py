import numpy as np
import pytest
import torch

from feature_extraction.faces.facenet import import_facenet
from feature_extraction.faces.mtcnn import Mtcnn, pyramid
from feature_extraction.faces.spec import FaceSpec
from toolkit.errors import UserError

# Measured with facenet-pytorch 2.5.3 and 2.6.0 (which agree) on skimage.data.astronaut() and pictures made of it,
# min_face_size=40: box, five points, probability of every face.
PLAIN = (
    [180.3217, 60.7128, 268.3952, 172.1667],
    [[205.3693, 101.4848], [246.8582, 103.1053], [225.0584, 129.2440], [201.1543, 139.5756], [245.1445, 141.0920]],
    0.9999957,
)
HALF = (
    [90.8758, 32.1944, 134.0994, 88.0781],
    [[102.3577, 50.9357], [123.5936, 52.3471], [112.8568, 65.0638], [101.0954, 71.0947], [122.5609, 71.7266]],
    0.9999,
)
WIDE = (
    (
        [180.4914, 59.5000, 267.9323, 174.0974],
        [[204.7836, 100.8773], [247.4156, 104.2643], [225.3458, 129.2605], [202.3561, 139.5363], [245.3167, 142.2367]],
        1.0,
    ),
    (
        [1264.7628, 65.1517, 1352.2433, 172.0460],
        [
            [1289.6500, 104.9946],
            [1331.9518, 101.7436],
            [1312.7557, 129.1330],
            [1291.8315, 142.3895],
            [1335.1223, 139.8024],
        ],
        0.9999,
    ),
)


def assert_faces(found, expected):
    assert len(found) == len(expected)
    for face, (box, points, probability) in zip(found, expected, strict=True):
        np.testing.assert_allclose(face.box, box, atol=2e-3)
        np.testing.assert_allclose(face.points, points, atol=2e-3)
        assert face.probability == pytest.approx(probability, abs=1e-4)


def test_pyramid():
    assert pyramid(512, 512, 40) == pytest.approx([0.3 * 0.709**level for level in range(8)])
    assert pyramid(39, 500, 40) == []


def test_boxes_of_facenet_pytorch(mtcnn, astronaut):
    assert_faces(mtcnn.detect([astronaut])[0], [PLAIN])


def test_probabilities_are_not_rounded_on_a_gpu(monkeypatch, mtcnn, astronaut):
    """A face whose probability is near a threshold would be there on one device and not on another."""
    rounded = []
    for network in mtcnn.networks:
        monkeypatch.setattr(
            network, "forward", lambda x, of=network.forward: rounded.append(torch.backends.cudnn.allow_tf32) or of(x)
        )
    (face,) = mtcnn.detect([astronaut])[0]
    searched = len(rounded)
    mtcnn.confirm([astronaut], face.box[None])
    assert 0 < searched < len(rounded)
    assert not any(rounded)


def test_boxes_of_facenet_pytorch_small_face(mtcnn, astronaut):
    assert_faces(mtcnn.detect([np.ascontiguousarray(astronaut[::2, ::2])])[0], [HALF])


def test_boxes_of_facenet_pytorch_two_faces(mtcnn, astronaut):
    wide = np.concatenate([astronaut, astronaut[::-1], astronaut[:, ::-1]], axis=1)
    assert_faces(mtcnn.detect([wide])[0], WIDE)


def test_equals_installed_facenet_pytorch(mtcnn, astronaut):
    try:
        package = import_facenet()
    except UserError as error:
        pytest.skip(str(error))
    frames = [astronaut, np.zeros_like(astronaut), np.ascontiguousarray(astronaut[:, ::-1])]
    theirs = package.MTCNN(min_face_size=40, keep_all=True, select_largest=False)
    boxes, probabilities, points = theirs.detect(np.stack(frames), landmarks=True)
    for found, *expected in zip(mtcnn.detect(frames), boxes, points, probabilities, strict=True):
        assert_faces(found, [] if expected[0] is None else list(zip(*expected, strict=True)))


def test_same_alone_and_in_a_batch(mtcnn, astronaut):
    frames = [astronaut, np.zeros_like(astronaut), np.ascontiguousarray(astronaut[:, ::-1])]
    together = mtcnn.detect(frames)
    assert [len(faces) for faces in together] == [1, 0, 1]
    for frame, faces in zip(frames, together, strict=True):
        assert_faces(mtcnn.detect([frame])[0], faces)


@pytest.mark.parametrize("shape", [(360, 640), (39, 500), (41, 41)])
def test_no_face(mtcnn, shape):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert mtcnn.detect([np.zeros((*shape, 3), np.uint8), noise]) == [[], []]


def test_face_far_smaller_than_asked(astronaut):
    assert Mtcnn(FaceSpec(min_face=250)).detect([astronaut]) == [[]]


def test_confirm_corrects_the_place(mtcnn, astronaut):
    near = np.array(PLAIN[0], dtype=np.float32) + 8
    boxes = np.stack([near, near + 200, near + 1000])
    face, *others = mtcnn.confirm([astronaut] * 3, boxes)
    assert others == [None, None]
    assert face.probability > 0.99
    np.testing.assert_allclose(face.box, PLAIN[0], atol=6)
    np.testing.assert_allclose(face.points, PLAIN[1], atol=3)


def test_confirm_nothing(mtcnn):
    assert mtcnn.confirm([], np.empty((0, 4))) == []
