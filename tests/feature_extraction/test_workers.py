"""Worker processes: what they share, and how they are stopped."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feature_extraction.workers import sharing_cores
from toolkit.cache import Cache
from toolkit.device import usable_cores
from toolkit.media import Sound, write_sound

# What a process is asked for, as the modules of tests cannot be imported there.
NUMPY = "__import__('numpy') and max(pool['num_threads'] for pool in __import__('threadpoolctl').threadpool_info())"
OPENCV = "__import__('cv2').getNumThreads()"


def test_processes_side_by_side_share_the_cores(monkeypatch):
    pytest.importorskip("threadpoolctl")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        with sharing_cores(usable_cores()):
            asked = [pool.submit(eval, NUMPY), pool.submit(eval, OPENCV)]
        assert [answer.result() for answer in asked] == [1, 1]
    assert "OMP_NUM_THREADS" not in os.environ


def test_the_users_number_of_threads_stays(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with sharing_cores(2):
        assert os.environ["OMP_NUM_THREADS"] == "7"
    assert os.environ["OMP_NUM_THREADS"] == "7"


@pytest.mark.skipif(os.name != "posix", reason="sends the signal of Ctrl-C to a group of processes")
def test_interrupted_by_the_keyboard(tmp_path: Path):
    """The terminal sends the signal to the workers too, where openSMILE swallows it together with a clip."""
    times = np.arange(2 * 16000) / 16000
    write_sound(tmp_path / "a.wav", Sound(np.sin(1500 * times).astype(np.float32), 16000))
    table = pd.DataFrame({"name": [f"c{n}" for n in range(2000)], "audio": "a.wav"})
    table.to_csv(tmp_path / "tones.csv", index=False)
    options = ["--corpus", "tones.csv", "--encoder", "egemaps", "--cache", "cache", "--workers", "2"]
    command = [sys.executable, "-m", "feature_extraction", "audio", *options]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.Popen(
        command, cwd=tmp_path, env=environment, start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    folder = tmp_path / "cache" / "tones" / "audio" / "egemaps.h5.segments"
    deadline = time.monotonic() + 60
    while not list(folder.glob("[!.]*.h5")) and time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "What is finished is kept" in errors
    assert "Traceback" not in errors
    statuses = [status for path in folder.glob("[!.]*.h5") for status in Cache(path).status]
    assert set(statuses) == {"ok"}
    assert len(statuses) < 2000
