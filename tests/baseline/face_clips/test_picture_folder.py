"""Clips that lie in folders of pictures."""

import cv2
import numpy as np
import pytest

from baseline.face_clips.picture_folder import PictureFolder
from baseline.face_clips.video_files import VideoFiles
from toolkit.corpus import load_corpus
from toolkit.errors import ClipError


@pytest.fixture
def folder(tmp_path, face_pictures):
    (tmp_path / "clip").mkdir()
    for number, picture in enumerate(face_pictures(1, 12)):
        cv2.imwrite(str(tmp_path / "clip" / f"{number:02d}.png"), picture[..., ::-1])
    (tmp_path / "clip" / "notes.txt").write_text("not a picture", encoding="utf-8")
    return tmp_path


def test_pictures_come_in_the_order_of_their_names(folder, face_pictures):
    clip = PictureFolder("clip", folder / "clip", None)
    assert len(clip) == 12
    np.testing.assert_array_equal(clip.pictures(np.array([1, 10, 11, 11])), face_pictures(1, 12)[[1, 10, 11, 11]])
    np.testing.assert_allclose(clip.times[:3], [0, 0.04, 0.08])


def test_a_corpus_may_name_folders_and_single_pictures(folder, face_pictures):
    (folder / "clips.csv").write_text("name,video\na,clip\nb,clip/03.png\n", encoding="utf-8")
    clips = VideoFiles(load_corpus(str(folder / "clips.csv")))
    assert [len(clips.open(number)) for number in (0, 1)] == [12, 1]
    np.testing.assert_array_equal(clips.open(1).pictures(np.zeros(16, int))[9], face_pictures(1, 12)[3])


def test_what_cannot_be_read_says_so(folder):
    (folder / "clip" / "00.png").write_bytes(b"broken")
    with pytest.raises(ClipError, match=r"^unreadable: .*00.png"):
        PictureFolder("clip", folder / "clip", None).pictures(np.array([0]))
    (folder / "clip" / "00.png").unlink()
    (folder / "clip" / "00.png").mkdir()
    with pytest.raises(ClipError, match=r"^unreadable: .*00.png"):
        PictureFolder("clip", folder / "clip", None).pictures(np.array([0]))
    (folder / "empty").mkdir()
    with pytest.raises(ClipError, match=r"^no_video"):
        PictureFolder("clip", folder / "empty", None)
    with pytest.raises(ClipError, match=r"^missing"):
        PictureFolder("clip", folder / "none", None)


def test_a_folder_that_may_not_be_looked_into_is_unreadable(folder, monkeypatch):
    def refused(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(folder), "iterdir", refused)
    with pytest.raises(ClipError, match=r"^unreadable: .*Permission denied"):
        PictureFolder("clip", folder / "clip", None)
