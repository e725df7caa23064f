"""Pictures equal those of the processors of transformers, bit for bit before normalisation."""

import json

import numpy as np
import pytest
import torch
from transformers import (
    AutoImageProcessor,
    BeitImageProcessorPil,
    BitImageProcessorPil,
    CLIPImageProcessorPil,
    DeiTImageProcessorPil,
    SiglipImageProcessorPil,
    ViTImageProcessorPil,
)

from feature_extraction.visual.preprocessing import Preprocessing
from toolkit.errors import UserError

PROCESSORS = (
    CLIPImageProcessorPil,  # bicubic, shorter side 224, middle 224
    SiglipImageProcessorPil,  # bicubic, 224 x 224
    BitImageProcessorPil,  # DINOv2's
    ViTImageProcessorPil,  # bilinear
    BeitImageProcessorPil,  # data2vec-vision's
    DeiTImageProcessorPil,  # 256 x 256, middle 224
)
SHAPES = {"crop": (112, 112), "upright": (512, 300), "wide": (360, 641), "odd": (37, 23)}


def noise(shape: tuple[int, int]) -> np.ndarray:
    """The hardest picture for rounding."""
    return np.random.default_rng(7).integers(0, 256, (*shape, 3)).astype(np.uint8)


def library(processor, picture: np.ndarray, **options) -> np.ndarray:
    return processor(images=[picture], return_tensors="np", input_data_format="channels_last", **options)[
        "pixel_values"
    ][0]


@pytest.fixture(params=PROCESSORS, ids=lambda processor: processor.__name__)
def processor(request):
    return request.param()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_pixels_are_the_library_s(processor, shape):
    ours = Preprocessing.of(processor, "x").picture(noise(shape))
    theirs = library(processor, noise(shape), do_rescale=False, do_normalize=False)
    assert ours.dtype == np.uint8
    np.testing.assert_array_equal(ours.transpose(2, 0, 1), theirs)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_normalised_pictures_are_the_library_s(processor, shape):
    preprocessing = Preprocessing.of(processor, "x")
    ours = preprocessing.normalised(torch.from_numpy(preprocessing.picture(noise(shape)).copy())[None])
    theirs = library(processor, noise(shape))
    assert ours.dtype == torch.float32
    assert ours.is_contiguous()
    np.testing.assert_allclose(ours[0].numpy(), theirs, rtol=0, atol=1e-6)


def test_colours_are_normalised_each_by_its_own():
    preprocessing = Preprocessing.of(ViTImageProcessorPil(image_mean=[0.0, 0.5, 1.0], image_std=[1.0, 0.5, 0.25]), "x")
    picture = torch.tensor([0, 255, 51], dtype=torch.uint8).expand(1, 2, 2, 3)
    values = preprocessing.normalised(picture)[0, :, 0, 0]
    np.testing.assert_allclose(values, [0.0, 1.0, (0.2 - 1) / 0.25], atol=1e-6)


def test_pixels_that_are_not_rescaled():
    processor = CLIPImageProcessorPil(do_rescale=False)
    preprocessing = Preprocessing.of(processor, "x")
    ours = preprocessing.normalised(torch.from_numpy(preprocessing.picture(noise((112, 112))).copy())[None])
    np.testing.assert_allclose(ours[0].numpy(), library(processor, noise((112, 112))), rtol=1e-6)


# The files on the hub, as they were written by several versions of the library.
CLIP_FILE = {
    "crop_size": 224, "do_center_crop": True, "do_normalize": True, "do_resize": True,
    "feature_extractor_type": "CLIPFeatureExtractor", "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711], "resample": 3, "size": 224,
}  # fmt: skip
DINO_FILE = {
    "crop_size": {"height": 224, "width": 224}, "do_center_crop": True, "do_convert_rgb": True, "do_normalize": True,
    "do_rescale": True, "do_resize": True, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
    "image_processor_type": "BitImageProcessor", "resample": 3, "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": 256},
}  # fmt: skip


@pytest.mark.parametrize(("file", "resize"), [(CLIP_FILE, 224), (DINO_FILE, 256)], ids=["clip", "dinov2"])
def test_files_of_the_hub(tmp_path, file, resize):
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(file))
    processor = AutoImageProcessor.from_pretrained(tmp_path, backend="pil", local_files_only=True)
    preprocessing = Preprocessing.of(processor, "x")
    assert (preprocessing.resize, preprocessing.size, preprocessing.resample) == (resize, (224, 224), 3)
    np.testing.assert_allclose(preprocessing.scale, 1 / 255 / np.array(file["image_std"]))


@pytest.mark.parametrize(
    "options",
    [
        {"do_center_crop": False},  # pictures of different sizes
        {"do_resize": False},
        {"do_resize": False, "size": None},
        {"size": {"longest_edge": 224}},
        {"crop_size": {"height": 300, "width": 300}},  # black borders
        {"do_pad": True, "pad_size": {"height": 300, "width": 300}},
        {"size": {"shortest_edge": 224, "longest_edge": 256}},
    ],
    ids=str,
)
def test_other_ways_are_refused(options):
    with pytest.raises(UserError, match=r"'someone' prepares pictures by CLIPImageProcessorPil .* not supported"):
        Preprocessing.of(CLIPImageProcessorPil(**options), "someone")
