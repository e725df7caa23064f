"""The face crops of a corpus: what is a clip's fault, and what is not."""

import pytest
import torch

from feature_extraction.face_job import FaceJob
from feature_extraction.faces.extractor import FaceExtractor
from feature_extraction.faces.spec import FaceSpec
from toolkit.errors import ClipError, UserError
from toolkit.status import Status


@pytest.fixture
def job(words, tmp_path):
    return FaceJob(words, FaceSpec(), tmp_path, device="cpu")


def test_clip_without_a_face_costs_no_other(job, tmp_path):
    (error,) = job.encode([tmp_path / "absent.mp4"], source=None)
    assert isinstance(error, ClipError)
    assert error.status is Status.MISSING


@pytest.mark.parametrize("step", ["__init__", "extract"])
def test_device_that_is_full_is_no_clips_fault(job, tmp_path, monkeypatch, step):
    """As many processes as there are cores share it."""

    def fail(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(FaceExtractor, step, fail)
    with pytest.raises(UserError, match=r"'mtcnn' does not fit on cpu\. Each of the --workers"):
        job.encode([tmp_path / "clip.mp4"], source=None)
