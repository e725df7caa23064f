"""Several processes that train one network."""

import json
import multiprocessing
import os
import socket
import subprocess
import sys

import pytest
import torch

from baseline.cli import app
from baseline.pretraining.checkpoint import read_own
from baseline.pretraining.run import pretrain
from baseline.pretraining.team import AcceleratedTeam
from toolkit.errors import UserError

TELL = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1] + os.environ['RANK'], 'w'))"


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    """What ``accelerate launch`` has each of two processes know, which is all that it does.

    Processes that it starts itself would take most of their time to import torch.
    """
    pytest.importorskip("accelerate")
    tmp_path = tmp_path_factory.mktemp("launched")
    (tmp_path / "tell.py").write_text(TELL, encoding="utf-8")
    # Without --multi_gpu accelerate starts one process on CPUs, whatever it is told.
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launch += ["--num_machines", "1", "--mixed_precision", "bf16", "--dynamo_backend", "no", "--main_process_port", "0"]
    launch += [tmp_path / "tell.py", tmp_path / "rank-"]
    done = subprocess.run(launch, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads((tmp_path / f"rank-{rank}").read_text(encoding="utf-8")) for rank in range(2)]


@pytest.fixture
def meeting():
    """Where processes meet now that the launcher, at whose port they would, is no more."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return {"MASTER_PORT": str(free.getsockname()[1]), "TORCHELASTIC_USE_AGENT_STORE": "False"}


def run(environment, words):
    os.environ.update(environment)
    app(["pretrain", *words], standalone_mode=False)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(("model", "network"), [("mae-dfer", {}), ("svfap", {"context": "release"})])
def test_two_processes_with_two_parts_each_have_the_gradient_of_one_with_one(
    quickly, tmp_path, launched, meeting, capfd, model, network
):
    """Though accelerate is told of other numbers, and though weights of SVFAP get no gradient."""
    settings, alone = quickly(model=model, network=network, batch=4, epochs=1, out=tmp_path / "alone")
    (row,) = pretrain(settings, alone)
    options = {
        "model": model, "size": "tiny-test", "corpus": settings.corpus[0], "cache": settings.cache,
        "frame-step": 1, "epochs": 1, "batch": 4, "warmup-epochs": 1, "learning-rate": 0.1, "accumulate": 2,
        "out": tmp_path / "two", "device": "cpu", "page-every": 0, "save-every": 1, "workers": 0,
    }  # fmt: skip
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    words += [word for name, value in network.items() for word in ("--set", f"{name}={value}")]
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=run, args=(environment | meeting, words)) for environment in launched]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert capfd.readouterr().out.count("loss") == 1, "one of them speaks"
    one, two = (read_own(folder / "checkpoint-0.pth") for folder in (alone.out, tmp_path / "two"))
    assert two["args"].processes == 2
    assert two["curve"][0]["loss"] == pytest.approx(row["loss"], rel=1e-6)
    for name, state in one["optimizer"]["state"].items():
        gradient, same = (each["exp_avg"] / 0.1 for each in (state, two["optimizer"]["state"][name]))
        torch.testing.assert_close(same, gradient, rtol=1e-4, atol=1e-7)


def test_one_gpu_for_several_processes_is_refused():
    pytest.importorskip("accelerate")
    with pytest.raises(UserError, match="CUDA_VISIBLE_DEVICES"):
        AcceleratedTeam("cuda:1")


def test_without_accelerate_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(UserError, match=r"pip install .*\[distributed\]"):
        AcceleratedTeam("cpu")
