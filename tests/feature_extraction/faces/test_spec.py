import dataclasses

import pytest

from feature_extraction.faces.detect import detectors
from feature_extraction.faces.spec import FaceSpec, face_specs, get_face_spec
from toolkit.errors import UserError


def test_names():
    assert set(face_specs) == {"mtcnn", "mtcnn-every", "facenet", "openface", "organisers", "frames"}
    assert get_face_spec("mtcnn") == FaceSpec()


@pytest.mark.parametrize("name", face_specs)
def test_every_spec_has_a_detector(name):
    assert face_specs[name].name == name
    assert face_specs[name].detector in detectors.names()


def test_unknown_name():
    with pytest.raises(UserError, match=r"Unknown face spec 'openfase'\. Did you mean 'openface'"):
        get_face_spec("openfase")


def test_identity_changes_with_all_but_the_licence():
    spec = FaceSpec()
    for item in dataclasses.fields(FaceSpec):
        other = dataclasses.replace(spec, **{item.name: 0.123})
        assert (other.identity == spec.identity) == (item.name == "licence")
