"""Checkpoints of masked autoencoders as encoders: what a user may name, and what comes of it."""

import argparse
import json
import logging
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from feature_extraction.checkpoint import seeded
from feature_extraction.cli import run
from feature_extraction.encoder import build_encoder
from feature_extraction.faces.reel import Reel
from feature_extraction.faces.spec import get_face_spec
from feature_extraction.faces.store import to_record
from feature_extraction.faces.track import FaceTrack
from feature_extraction.reference import find_spec, spec_again
from toolkit.cache import Cache, CacheWriter, Header, cache_path, find_cache
from toolkit.errors import UserError
from toolkit.media import Sound, write_sound
from toolkit.models.masked_autoencoder import autoencoders

# What the authors' trainers would call the tiny sizes' numbers that no tensor says.
ARGUMENTS = {"input_size": 64, "lg_region_size": [2, 2, 4], "stage_depths": [2, 2, 1]}
FAMILIES = {"mae-dfer": "mae-dfer", "svfap": "svfap", "videomae-face": "videomae", "hicmae-face": "hicmae"}
WIDTHS = {"audio": ("hicmae-sound", 64), "visual": ("hicmae-face", 64), "audiovisual": ("hicmae", 256)}


def save(kind, path, *, form="pretraining", **options):
    """Saves a tiny network as the authors' trainers do, and returns it."""
    family = autoencoders.get(kind)
    with seeded(7):
        network = getattr(family, form)(family.sizes["tiny-test"], **options)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": network.state_dict(), "epoch": 49, "args": argparse.Namespace(**ARGUMENTS)}, path)
    return network


@pytest.mark.parametrize("family", FAMILIES)
def test_pretraining_goes_on_as_an_encoder(family, tmp_path, caplog):
    path = tmp_path / "voxceleb2" / "checkpoint-49.pth"
    trained = save(FAMILIES[family], path).state_dict()
    caplog.set_level(logging.INFO)
    spec = find_spec(f"{family}:{path}", "visual")
    network = build_encoder(spec).network
    assert spec.name == f"{family}--{tmp_path.name}-voxceleb2-checkpoint-49"
    assert (spec.faces.name, spec.option("step"), spec.pooling, spec.dim) == ("mtcnn-every", 4, "own", None)
    kept = autoencoders.get(FAMILIES[family]).for_fine_tuning(trained)
    shared = kept.keys() & network.state_dict().keys()
    assert len(shared) > 20
    assert all(torch.equal(network.state_dict()[name], kept[name]) for name in shared)
    assert (network.fc_norm.weight == 1).all()
    assert f"checkpoint-49.pth: {FAMILIES[family]} after pretraining" in caplog.text


def test_fine_tuning_goes_on_as_an_encoder(tmp_path):
    path = tmp_path / "mafw" / "checkpoint-best.pth"
    trained = save("svfap", path, form="fine_tuning", outputs=11)
    torch.nn.init.uniform_(trained.fc_norm.weight)
    torch.save({"model": trained.state_dict(), "args": argparse.Namespace(**ARGUMENTS)}, path)
    network = build_encoder(find_spec(f"svfap:{path}", "visual")).network
    assert network.head is None
    assert torch.equal(network.fc_norm.weight, trained.fc_norm.weight)


def test_a_network_of_single_pictures_gives_their_mean(tmp_path):
    """The authors' ``keep_temporal_dim``."""
    path, options = tmp_path / "werewolf" / "checkpoint-29.pth", {"mean_of": "local", "per_picture": True}
    trained = save("mae-dfer", path, form="fine_tuning", outputs=3, **options)
    said = argparse.Namespace(**ARGUMENTS, keep_temporal_dim=True, lg_classify_token_type="org")
    torch.save({"model": trained.state_dict(), "args": said}, path)
    encoder = build_encoder(find_spec(f"mae-dfer:{path}", "visual"))
    crops = np.random.default_rng(0).integers(0, 256, (64, 64, 64, 3)).astype(np.uint8)
    (found,) = encoder.encode([FaceTrack(crops, np.arange(64) / 25, *[np.zeros((64, 0))] * 3)])
    video = encoder.preprocessing.normalised(torch.from_numpy(crops[::4])).transpose(0, 1)[None]
    with torch.inference_mode():
        expected = trained.eval()({"video": video}).features[0]
    assert expected.shape == (16, 64)
    np.testing.assert_allclose(found.utterance, expected.mean(dim=0), rtol=0, atol=1e-5)


def test_what_a_file_holds_counts_and_not_where_it_lies(tmp_path):
    path = tmp_path / "a" / "run" / "net@7.pth"
    save("videomae", path)
    spec = find_spec(f"videomae-face:{path}", "visual")
    moved = shutil.copytree(tmp_path / "a", tmp_path / "elsewhere" / "a") / "run"
    assert find_spec(f"videomae-face:{moved}/net@7.pth", "visual").identity == spec.identity
    varied = find_spec(f"videomae-face:{moved}/net@7.pth@step-1+bfloat16", "visual")
    assert varied.name == "videomae-face--a-run-net@7+step-1+bfloat16"
    assert (varied.option("step"), varied.precision) == (1, "bfloat16")
    with open(f"{moved}/net@7.pth", "ab") as file:
        file.write(b"more")
    assert find_spec(f"videomae-face:{moved}/net@7.pth", "visual").identity != spec.identity


@pytest.mark.parametrize("variants", ["", "@step-1+bfloat16"])
def test_the_encoder_of_a_cache_is_found_again(variants, tmp_path):
    path = tmp_path / "run" / "net@7.pth"
    save("videomae", path)
    spec = find_spec(f"videomae-face:{path}{variants}", "visual")
    recorded = json.loads(spec.to_json())
    assert spec_again(spec.name, "visual", recorded) == spec
    with path.open("ab") as file:
        file.write(b"more")
    assert spec_again(spec.name, "visual", recorded).identity != spec.identity
    path.unlink()
    with pytest.raises(UserError, match=r"There is no checkpoint .*net@7\.pth"):
        spec_again(spec.name, "visual", recorded)


def test_an_encoder_of_a_table_is_found_again_by_its_name():
    spec = find_spec("wavlm-large@layers-1", "audio")
    assert spec_again(spec.name, "audio", json.loads(spec.to_json())) == spec


@pytest.mark.parametrize(
    ("reference", "modality", "message"),
    [
        ("svfap:FOLDER/none.pth", "visual", r"no checkpoint .*none\.pth\. Expected svfap:FILE"),
        ("hicmae:FOLDER/net.pth", "visual", "'hicmae' is no visual family. The audiovisual command runs it"),
        ("emonet:FOLDER/net.pth", "visual", "Unknown visual encoder 'emonet:"),
        ("svfap:FOLDER/net.pth@step-0", "visual", "no variant 'step-0'"),
        ("hicmae-sound:FOLDER/net.pth@step-2", "audio", "no variant 'step-2'"),
        ("hicmae-sound:FOLDER/net.pth@faces-mtcnn", "audio", "no variant 'faces-mtcnn'"),
    ],
)
def test_references_that_lead_nowhere(reference, modality, message, tmp_path):
    save("hicmae", tmp_path / "net.pth")
    with pytest.raises(UserError, match=message):
        find_spec(reference.replace("FOLDER", str(tmp_path)), modality)


def test_a_checkpoint_of_another_family(tmp_path):
    save("svfap", tmp_path / "net.pth")
    with pytest.raises(UserError, match=r"net\.pth: .*not of the family 'hicmae'"):
        build_encoder(find_spec(f"hicmae:{tmp_path}/net.pth", "audiovisual"))


@pytest.fixture
def corpus(tmp_path):
    """Three clips: one that is seen and heard, one without a face, one without sound."""
    generator, spec = np.random.default_rng(0), get_face_spec("mtcnn-every")
    write_sound(tmp_path / "both.wav", Sound(generator.uniform(-0.5, 0.5, 48000).astype(np.float32), 16000))
    table = {"name": ["both", "heard", "seen"], "audio": ["both.wav", "both.wav", None]}
    pd.DataFrame(table).to_csv(tmp_path / "few.csv", index=False)
    path = cache_path(tmp_path, "few", "faces", "mtcnn-every")
    with CacheWriter(path, Header("few", spec.to_json(), spec.identity)) as writer:
        for name in ("both", "heard", "seen"):
            reel = Reel(spec.quality)
            for frame in range(0 if name == "heard" else 75):
                reel.add(generator.integers(0, 256, (112, 112, 3)).astype(np.uint8), frame / 25)
            writer.append(to_record(name, reel.track()) if name != "heard" else no_face(name))
    return tmp_path / "few.csv"


def no_face(name):
    from toolkit.cache import Record
    from toolkit.status import Status

    return Record(name, Status.NO_FACE, "no face found")


@pytest.mark.parametrize("modality", WIDTHS)
def test_from_the_command_line_to_the_cache(modality, corpus, tmp_path, monkeypatch, capsys):
    family, width = WIDTHS[modality]
    save("hicmae", tmp_path / "run" / "net.pth")
    arguments = [modality, "--corpus", str(corpus), "--encoder", f"{family}:{tmp_path}/run/net.pth", "--cache"]
    more = ["--level", "both", "--device", "cpu", "--dtype", "bfloat16"]
    monkeypatch.setattr(sys, "argv", ["feature_extraction", *arguments, str(tmp_path), *more])
    with pytest.raises(SystemExit) as end:
        run()
    assert end.value.code in (None, 0), capsys.readouterr().err
    name = f"{family}--{tmp_path.name}-run-net@bfloat16"
    cache = Cache(find_cache(tmp_path, "few", name, "frame"))
    assert cache.path.parent.name == modality
    expected = {"audio": ["ok", "ok", "no_audio"], "visual": ["ok", "no_face", "ok"]}
    assert cache.status == expected.get(modality, ["ok", "no_face", "no_audio"])
    utterance = Cache(find_cache(tmp_path, "few", name)).row("utterance", ["both"])
    assert utterance.shape == (1, width)
    assert utterance.dtype == np.float32
    np.testing.assert_array_equal(cache.row("utterance", ["both"]), utterance)
    times = cache.ragged("frames/time", "both")
    every = 0.16 if modality == "audio" else 0.32
    np.testing.assert_allclose(np.diff(times)[:-1], every, atol=1e-9)
