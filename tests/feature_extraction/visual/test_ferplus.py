import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from feature_extraction.encoder import build_encoder, get_spec


@pytest.fixture(scope="module", params=["resnet50", "senet50"])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def vectors(face_network, name):
    return face_network(f"{name}_ferplus_dag")


@pytest.fixture(scope="module")
def looking():
    """An encoder that looks at what the full ones look at."""
    return build_encoder(dataclasses.replace(get_spec("tiny-resnet50-ferplus", "visual"), input_size=224))


def test_preprocessing(vectors, looking):
    pictures = np.stack([looking.picture(frame) for frame in vectors.frames])
    vectors.assert_input(looking.normalised(torch.from_numpy(pictures)).numpy())


def test_checkpoint_of_its_authors(vectors, name, weights_folder, track_of):
    torch.save(vectors.weights, weights_folder / f"{name}_ferplus_dag.pth")
    encoder = build_encoder(get_spec(f"{name}-ferplus", "visual"), level="frame")
    (result,) = encoder.encode([track_of(vectors.frames)])
    vectors.assert_output(result.values, "embedding_conv5_3_3x3_relu")


# Sizes as torchvision rounds them: Resize cuts the longer side down, CenterCrop rounds a half to the even number.
@pytest.mark.parametrize(
    ("shape", "size", "corner"),
    [
        ((112, 112), (256, 256), (16, 16)),
        ((180, 320), (256, 455), (16, 116)),
        ((333, 100), (852, 256), (314, 16)),
        ((100, 257), (256, 657), (16, 216)),
        ((256, 300), (256, 300), (16, 38)),
    ],
)
def test_middle(looking, shape, size, corner):
    crop = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    resized = np.asarray(Image.fromarray(crop).resize(size[::-1], Image.Resampling.BILINEAR))
    top, left = corner
    np.testing.assert_array_equal(looking.picture(crop), resized[top : top + 224, left : left + 224])


@pytest.mark.parametrize("name", ["resnet50", "senet50"])
def test_mertools_differs_in_the_crops_only(name):
    plain, theirs = get_spec(f"{name}-ferplus", "visual"), get_spec(f"{name}-ferplus@mertools", "visual")
    assert theirs.faces.detector == "organisers"
    assert dataclasses.replace(theirs, name=plain.name, faces=plain.faces) == plain
