import csv
import json
import sys

import numpy as np
import pytest

from feature_extraction.faces.extractor import FaceExtractor
from feature_extraction.faces.openface import find_program, read_output
from feature_extraction.faces.spec import FaceSpec, get_face_spec
from feature_extraction.faces.store import decoded
from toolkit.errors import ClipError, UserError
from toolkit.status import Status

FIELDS = ["frame", "face_id", "timestamp", "confidence", "success"]
LANDMARKS = [f"{axis}_{n}" for axis in "xy" for n in range(68)]

# Stands in for OpenFace: notes how it was called, writes 25 frames a second of which the third failed.
PROGRAM = """#!{python}
import json, sys
from pathlib import Path
import cv2, numpy as np
arguments = sys.argv[1:]
options = dict(zip(arguments, arguments[1:]))
clip, out = Path(options["-f"]), Path(options["-out_dir"])
Path(r"{log}").write_text(json.dumps(arguments))
if clip.stem == "crash":
    sys.exit("models are missing")
if clip.stem != "silent":
    (out / f"{{clip.stem}}_aligned").mkdir()
    lines = [", ".join({header})]
    for n in range(1, 11):
        good = 0 if n == 3 or clip.stem == "empty" else 1
        landmarks = [100 + i + n for i in range(68)] + [200 + 2 * i for i in range(68)]
        lines.append(", ".join(map(str, [n, 0, round((n - 1) * 0.04, 3), 0.98 if good else 0.1, good, *landmarks])))
        size = int(options["-simsize"])
        picture = np.full((size, size, 3), (10 * n, 0, 200), np.uint8)
        cv2.imwrite(str(out / f"{{clip.stem}}_aligned" / f"frame_det_00_{{n:06d}}.bmp"), picture)
    (out / f"{{clip.stem}}.csv").write_text("\\n".join(lines) + "\\n")
"""


@pytest.fixture
def openface(tmp_path, monkeypatch):
    """Puts the stand-in on PATH and makes clips for it."""
    binaries = tmp_path / "program files"
    binaries.mkdir()
    program = binaries / "FeatureExtraction"
    log = tmp_path / "call.json"
    program.write_text(PROGRAM.format(python=sys.executable, log=log, header=FIELDS + LANDMARKS), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(binaries), prepend=":")
    monkeypatch.delenv("OPENFACE", raising=False)
    for name in ("a clip; of mine", "empty", "crash", "silent"):
        (tmp_path / f"{name}.mp4").touch()
    return tmp_path


def test_every_frame(openface):
    clip = openface / "a clip; of mine.mp4"
    track = FaceExtractor(get_face_spec("openface")).extract(clip)
    assert track.times.tolist() == pytest.approx([0, 0.04, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32, 0.36])
    crops = decoded(track).crops
    assert crops.shape == (9, 112, 112, 3)
    colours = [[200, 0, 10 * n] for n in (1, 2, 4, 5, 6, 7, 8, 9, 10)]
    np.testing.assert_allclose(crops[:, 0, 0], colours, atol=2)  # of JPEG
    assert track.boxes[0].tolist() == [101, 200, 168, 334]
    eyes = [[101 + 38.5, 200 + 77], [101 + 44.5, 200 + 89]]
    assert track.points[0].tolist() == [*eyes, [131, 260], [149, 296], [155, 308]]
    assert track.probabilities.tolist() == pytest.approx([0.98] * 9)
    called = json.loads((openface / "call.json").read_text())
    assert called[:2] == ["-f", str(clip)]
    assert called[4:] == ["-2Dfp", "-simalign", "-simsize", "112", "-simscale", "0.7", "-format_aligned", "bmp"]


def test_frame_rate_and_crop_size(openface):
    spec = FaceSpec(name="x", detector="openface", frame_rate=10, crop_size=56)
    track = FaceExtractor(spec).extract(openface / "a clip; of mine.mp4")
    assert track.times.tolist() == pytest.approx([0, 0.2, 0.28])  # 0.08 failed
    assert decoded(track).crops.shape == (3, 56, 56, 3)


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("empty", Status.NO_FACE, "no face in 10 frames"),
        ("crash", Status.UNREADABLE, "ended with code 1: models are missing"),
        ("silent", Status.UNREADABLE, "wrote no table"),
        ("none", Status.MISSING, "no such file"),
    ],
)
def test_no_face_and_other_failures(openface, name, status, reason):
    with pytest.raises(ClipError, match=reason) as caught:
        FaceExtractor(get_face_spec("openface")).extract(openface / f"{name}.mp4")
    assert caught.value.status is status


def test_not_installed(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("OPENFACE", raising=False)
    with pytest.raises(UserError, match="OpenFace 2 is not installed: no FeatureExtraction on PATH"):
        FaceExtractor(get_face_spec("openface"))


def test_where_the_program_is(openface, monkeypatch):
    folder = openface / "program files"
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("OPENFACE", str(folder))
    assert find_program() == folder / "FeatureExtraction"
    assert find_program(folder / "FeatureExtraction") == folder / "FeatureExtraction"
    with pytest.raises(UserError, match="neither OpenFace's FeatureExtraction nor a folder"):
        find_program(openface / "nowhere")


def test_program_that_cannot_start(openface):
    (openface / "program files" / "FeatureExtraction").write_bytes(b"\x00")
    with pytest.raises(UserError, match="cannot be started"):
        FaceExtractor(FaceSpec(detector="openface"), weights=openface / "program files").extract(openface / "empty.mp4")


def write_table(folder, header, rows):
    with open(folder / "clip.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def test_table_without_landmarks(tmp_path):
    write_table(tmp_path, FIELDS, [[1, 0, 0.0, 0.9, 1]])
    with pytest.raises(ClipError, match="no column 'x_0'"):
        read_output(tmp_path, tmp_path / "clip.mp4", FaceSpec())


@pytest.mark.parametrize("row", [[1, 0, "?", 0.9, 1, *np.zeros(136)], [1, 0, 0.0]])
def test_damaged_table(tmp_path, row):
    write_table(tmp_path, FIELDS + LANDMARKS, [row])
    with pytest.raises(ClipError, match="table is damaged"):
        read_output(tmp_path, tmp_path / "clip.mp4", FaceSpec())


def test_damaged_picture(tmp_path):
    write_table(tmp_path, FIELDS + LANDMARKS, [[1, 0, 0.0, 0.9, 1, *np.zeros(136)]])
    (tmp_path / "clip_aligned").mkdir()
    (tmp_path / "clip_aligned" / "frame_det_00_000001.bmp").write_bytes(b"BM")
    with pytest.raises(ClipError, match=r"frame_det_00_000001\.bmp of OpenFace cannot be read"):
        read_output(tmp_path, tmp_path / "clip.mp4", FaceSpec())


def test_table_without_rows(tmp_path):
    write_table(tmp_path, FIELDS + LANDMARKS, [])
    with pytest.raises(ClipError) as caught:
        read_output(tmp_path, tmp_path / "clip.mp4", FaceSpec())
    assert caught.value.status is Status.NO_FACE
