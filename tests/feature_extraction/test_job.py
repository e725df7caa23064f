"""A job holds its encoder for as long as there is work."""

import weakref

import torch

from feature_extraction.encoder import get_spec
from feature_extraction.feature_job import FeatureJob


def test_memory_of_an_encoder_is_there_for_the_next_one(words, tmp_path, monkeypatch):
    """What a device has free is asked before a large network is put on it: torch must not keep what nobody uses."""
    spec = get_spec("tiny-bert", "text")
    job = FeatureJob(words, spec, tmp_path, levels=("utterance",), device="cpu", trusted=())
    weights = weakref.ref(next(job.encoder.network.parameters()))
    gone_when_given_back = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: gone_when_given_back.append(weights() is None))
    job.release()
    assert gone_when_given_back == [True]
