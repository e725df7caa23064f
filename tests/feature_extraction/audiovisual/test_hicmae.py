"""HiCMAE with face and sound: what is heard while sixteen pictures are seen."""

import numpy as np
import pytest
import torch

from feature_extraction.encoder import build_encoder, get_spec
from feature_extraction.faces.track import FaceTrack
from feature_extraction.source import Speaker
from toolkit.clip_sound import sound_of
from toolkit.errors import ClipError
from toolkit.filter_bank import filter_bank_example
from toolkit.frame_sampling import view_frames
from toolkit.media import Sound
from toolkit.status import Status


def make_speaker(pictures: int, samples: int, *, start: float = 0.0) -> Speaker:
    """Noise for eyes and ears, 25 pictures a second."""
    generator = np.random.default_rng(pictures)
    crops, empty = generator.integers(0, 256, (pictures, 64, 64, 3)).astype(np.uint8), np.zeros((pictures, 0))
    face = FaceTrack(crops, start + np.arange(pictures) / 25, empty, empty, empty)
    return Speaker(face, Sound(generator.normal(0, 0.1, samples).astype(np.float32), 16000))


def inputs(encoder, crops: np.ndarray, samples: np.ndarray) -> dict[str, torch.Tensor]:
    video = encoder.preprocessing.normalised(torch.from_numpy(crops)).transpose(0, 1)[None]
    return {"video": video, "audio": torch.from_numpy(filter_bank_example(samples))[None, None]}


@pytest.fixture(scope="module")
def encoder():
    return build_encoder(get_spec("tiny-hicmae", "audiovisual"), level="frame")


def test_the_vector_is_that_of_the_release(encoder):
    """Sound as long as from the first picture to the last, over which the release spreads the pictures."""
    speaker = make_speaker(101, 64000)
    views = []
    for choice in view_frames(101, 4):
        samples = sound_of(choice, 101, speaker.sound.samples)
        with torch.inference_mode():
            views.append(encoder.network(inputs(encoder, speaker.face.crops[choice.frames], samples)).features[0])
    (result,) = encoder.encode([speaker])
    np.testing.assert_allclose(result.utterance, torch.stack(views).mean(dim=0), rtol=0, atol=1e-5)


def test_a_window_hears_what_happens_while_it_looks(encoder):
    speaker = make_speaker(128, 6 * 16000, start=0.4)
    (result,) = encoder.encode([speaker])
    crops, samples = speaker.face.crops[::4], speaker.sound.samples[6400:]
    with torch.inference_mode():
        rows = [
            encoder.network.over_time(inputs(encoder, crops[part], heard))[0].numpy()
            for part, heard in ((slice(16), samples[:40960]), (slice(16, 32), samples[40960 : 127 * 640]))
        ]
    np.testing.assert_allclose(result.values, np.concatenate(rows), rtol=0, atol=1e-5)
    np.testing.assert_allclose(result.times, 0.4 + 0.08 + 0.32 * np.arange(16))


@pytest.mark.parametrize(
    ("pictures", "seconds", "start", "heard"),
    [
        (1, 10.0, 3.0, slice(48000, 48000 + 40960)),  # a glimpse
        (1, 4.0, 3.0, slice(64000 - 40960, 64000)),
        (1, 1.0, 0.5, slice(0, 16000)),
        (50, 1.0, 3.0, slice(0, 16000)),  # seen after the sound has ended
    ],
)
def test_where_pictures_leave_next_to_no_sound(encoder, pictures, seconds, start, heard):
    speaker = make_speaker(pictures, round(seconds * 16000), start=start)
    piece = next(encoder.pieces(speaker))
    np.testing.assert_array_equal(piece.inputs["audio"][0], filter_bank_example(speaker.sound.samples[heard]))


def test_no_face_and_next_to_no_sound(encoder):
    good = make_speaker(30, 20000)
    blind = good._replace(face=FaceTrack(*(field[:0] for field in good.face)))
    deaf = good._replace(sound=Sound(good.sound.samples[:399], 16000))
    found = encoder.encode([blind, good, deaf])
    assert [one.status for one in (found[0], found[2])] == [Status.NO_FACE, Status.TOO_SHORT]
    assert all(isinstance(one, ClipError) for one in (found[0], found[2]))
    np.testing.assert_allclose(found[1].values, encoder.encode([good])[0].values, rtol=0, atol=1e-5)
