"""Records larger than memory, measured in a process of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource")

CODE = """
import resource, sys
from pathlib import Path
import numpy as np
from toolkit.cache import Cache, CacheWriter, Header, Record, merge, verify
from toolkit.spool import Spool

half, folder = sys.argv[1] == "half", Path(sys.argv[2])
header = Header("demo", "{}", "0")

def peak():
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / (1 << 20 if sys.platform == "darwin" else 1 << 10)

def make(name, frames):
    times = Spool(0)
    times.append(np.arange(len(frames)) / 50)
    ragged = {"frames/values": frames, "frames/time": times.array()}
    with CacheWriter(folder / name, header, half=half) as writer:
        writer.append(Record("clip", row={"utterance": frames[0]}, ragged=ragged))
    merge(folder / name, header, [folder / name], ["clip"], half=half)

make("small.h5", np.ones((10, 256), np.float32))  # what is loaded at the first use counts before
before, spool, block = peak(), Spool(1 << 20), np.ones((4096, 256), np.float32)
for number in range(50):
    spool.append(block * number)
make("large.h5", spool.array())
assert verify(folder / "large.h5") == []
frames = Cache(folder / "large.h5").clip("clip").ragged["frames/values"]
print(peak() - before)
assert frames.shape == (50 * 4096, 256), frames.shape
assert frames[::4096, 255].tolist() == list(range(50))
"""


@pytest.mark.parametrize("kind", ["float", "half"])
def test_210_megabytes_of_one_clip(tmp_path: Path, kind: str):
    """Spooled, written, merged, checked and read: by less than 64 MB more than a small one."""
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", CODE, kind, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 64
