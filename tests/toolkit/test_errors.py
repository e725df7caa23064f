"""The two kinds of trouble."""

import pickle

from toolkit.errors import ClipError, UserError, did_you_mean
from toolkit.status import Status


def test_did_you_mean_gives_the_nearest_and_all():
    assert did_you_mean("prosodi", ["prosody", "egemaps"]) == "Did you mean 'prosody'? Known: egemaps, prosody."


def test_did_you_mean_without_a_near_one():
    assert did_you_mean("x", ["prosody"]) == "Known: prosody."
    assert did_you_mean("x", []) == "Known: none."


def test_clip_error_survives_pickling():
    error = pickle.loads(pickle.dumps(ClipError(Status.NO_FACE, "none in 20 frames")))
    assert (error.status, error.reason, str(error)) == ("no_face", "none in 20 frames", "no_face: none in 20 frames")


def test_a_clip_error_is_no_user_error():
    assert not issubclass(ClipError, UserError)
