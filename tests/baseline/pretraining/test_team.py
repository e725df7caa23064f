"""Several processes that train one network."""

import subprocess
import sys

import pytest
import torch

from baseline.pretraining.checkpoint import read_own
from baseline.pretraining.run import pretrain
from baseline.pretraining.team import AcceleratedTeam
from toolkit.errors import UserError


@pytest.mark.parametrize(("model", "network"), [("mae-dfer", {}), ("svfap", {"context": "release"})])
def test_two_processes_with_two_parts_each_have_the_gradient_of_one_with_one(quickly, tmp_path, model, network):
    """Though accelerate is told of other numbers, and though weights of SVFAP get no gradient."""
    pytest.importorskip("accelerate")
    settings, alone = quickly(model=model, network=network, batch=4, epochs=1, out=tmp_path / "alone")
    (row,) = pretrain(settings, alone)
    # Without --multi_gpu accelerate starts one process on CPUs, whatever it is told.
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launch += ["--num_machines", "1", "--mixed_precision", "bf16", "--dynamo_backend", "no", "--main_process_port", "0"]
    options = {
        "model": model, "size": "tiny-test", "corpus": settings.corpus[0], "cache": settings.cache,
        "frame-step": 1, "epochs": 1, "batch": 4, "warmup-epochs": 1, "learning-rate": 0.1, "accumulate": 2,
        "out": tmp_path / "two", "device": "cpu", "page-every": 0, "save-every": 1, "workers": 0,
    }  # fmt: skip
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    words += [word for name, value in network.items() for word in ("--set", f"{name}={value}")]
    done = subprocess.run(
        [*launch, "-m", "baseline", "pretrain", *words], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("loss") == 1, "one of them speaks"
    one, two = (read_own(folder / "checkpoint-0.pth") for folder in (alone.out, tmp_path / "two"))
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
