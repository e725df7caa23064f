"""What is known of imported numbers: names that files can have, and an identity by origin."""

import json

import pytest

from toolkit.errors import UserError


def test_identity_tells_origins_apart(make_spec):
    same, others = make_spec(), [
        make_spec(name="emonet"), make_spec(modality="audio"), make_spec(checkpoint="imported:manet_noise_FRA"),
        make_spec(kind="npz file"), make_spec(key="video"), make_spec(frame_rate=25.0),
    ]  # fmt: skip
    assert same.identity == make_spec().identity
    assert len({spec.identity for spec in [same, *others]}) == 7
    assert len(same.identity) == 16


def test_licence_is_for_people(make_spec):
    assert make_spec(licence="MIT").identity == make_spec().identity


def test_json_has_what_reports_show(make_spec):
    facts = json.loads(make_spec(frame_rate=25.0).to_json())
    assert facts == {
        "name": "manet", "modality": "visual", "family": "imported", "checkpoint": "imported:manet_FRA",
        "kind": "folder", "key": "", "frame_rate": 25.0, "licence": "not known",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["", "a/b", "../a", ".hidden", "a*", "a b", "a.h5", "a.frames", "-a", "a?[b]"])
def test_names_that_no_cache_can_have(make_spec, name):
    with pytest.raises(UserError, match="Expected letters, digits"):
        make_spec(name=name)


@pytest.mark.parametrize("name", ["chinese-hubert-large", "eGeMAPS_UTT", "wav2vec2.0", "中文-4", "a+b"])
def test_names_that_are_fine(make_spec, name):
    assert make_spec(name=name).name == name


@pytest.mark.parametrize("rate", [0.0, -25.0, float("inf"), float("nan")])
def test_frame_rates_that_are_none(make_spec, rate):
    with pytest.raises(UserError, match="Expected a number above 0, as in --rate 50"):
        make_spec(frame_rate=rate)
