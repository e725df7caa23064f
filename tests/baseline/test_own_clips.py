"""Somebody's own clips as a corpus."""

import numpy as np
import pytest

from baseline.own_clips import corpus_of
from toolkit.errors import UserError
from toolkit.media import Sound, write_sound, write_video


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "talk.mp4"
    write_video(path, [np.full((64, 64, 3), 128, np.uint8)] * 5, frame_rate=10.0)
    return path


@pytest.fixture
def sound(tmp_path):
    path = tmp_path / "voice.wav"
    write_sound(path, Sound(np.zeros(1600, np.float32), 16000))
    return path


def test_video_and_sound(video, sound):
    corpus = corpus_of([str(video), str(sound)])
    assert list(corpus.table["name"]) == ["talk", "voice"]
    assert corpus.path(corpus.table["video"][0]) == video
    assert corpus.path(corpus.table["audio"][0]) is None
    assert corpus.path(corpus.table["video"][1]) is None
    assert corpus.path(corpus.table["audio"][1]) == sound
    assert corpus.table["text"].isna().all()


def test_transcripts_in_order(video, sound):
    corpus = corpus_of([str(video), str(sound)], ["very good", "我很高兴"], columns=("text", "english"))
    assert list(corpus.table["text"]) == ["very good", "我很高兴"]
    assert list(corpus.table["english"]) == ["very good", "我很高兴"]


def test_folder(video, sound):
    (video.parent / "notes.md").write_text("no clip")
    assert list(corpus_of([str(video.parent)]).table["name"]) == ["talk", "voice"]


def test_same_stem(video, tmp_path):
    other = tmp_path / "other" / "talk.mp4"
    other.parent.mkdir()
    other.write_bytes(video.read_bytes())
    assert list(corpus_of([str(video), str(other)]).table["name"]) == [str(video), str(other)]


def test_csv(video):
    table = video.parent / "mine.csv"
    table.write_text("name,video,text\na,talk.mp4,hello\n")
    corpus = corpus_of([str(table)])
    assert list(corpus.table["name"]) == ["a"]
    assert corpus.path(corpus.table["video"][0]) == video


def test_unreadable_file_is_left_to_stage_1(tmp_path):
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"no video at all")
    assert corpus_of([str(path)]).path(corpus_of([str(path)]).table["video"][0]) == path


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match=r"There is no clip .*nowhere.mp4. Expected a video or sound file"):
        corpus_of([str(tmp_path / "nowhere.mp4")])


def test_no_clips(tmp_path):
    with pytest.raises(UserError, match="No clips are named"):
        corpus_of([])
    with pytest.raises(UserError, match="holds no media files"):
        corpus_of([str(tmp_path)])


def test_named_twice(video):
    with pytest.raises(UserError, match="is named twice"):
        corpus_of([str(video), str(video)])


def test_other_number_of_transcripts(video, sound):
    with pytest.raises(UserError, match="Got 1 transcripts for 2 clips"):
        corpus_of([str(video), str(sound)], ["hello"])


def test_corpus_stands_alone(video):
    with pytest.raises(UserError, match="stands alone"):
        corpus_of(["demo:somewhere", str(video)])
