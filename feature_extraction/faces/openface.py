"""Faces that OpenFace 2 finds, with the user's own copy of the program.

OpenFace (Baltrusaitis, Zadeh, Lim and Morency, "OpenFace 2.0: Facial Behavior Analysis Toolkit", FG 2018) is a C++
program that is on no package index. Output format: its wiki, pages "Output Format" and "Command line arguments".
"""

import csv
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from feature_extraction.faces.detect import ClipDetector, detectors
from feature_extraction.faces.reel import KeptTrack, Reel
from feature_extraction.faces.spec import FaceSpec
from toolkit.errors import ClipError, UserError
from toolkit.status import Status

PROGRAM = "FeatureExtraction"
VARIABLE = "OPENFACE"  # environment variable: the program, or the folder it lies in
LANDMARKS = 68  # numbered as in the 300-W challenge
# what makes one of our five points
PARTS = (slice(36, 42), slice(42, 48), slice(30, 31), slice(48, 49), slice(54, 55))
SCALE = 0.7  # of the mean face in a crop of 112 pixels, the program's default
SIZE = 112


def find_program(place: Path | None = None) -> Path:
    """Returns the path of OpenFace's ``FeatureExtraction``.

    Args:
        place: the program or its folder; otherwise the environment variable ``OPENFACE``, then ``PATH`` are asked

    Raises:
        UserError: it is nowhere
    """
    given = place or os.environ.get(VARIABLE)
    if given:
        for candidate in (Path(given), Path(given) / PROGRAM, Path(given) / f"{PROGRAM}.exe"):
            if candidate.is_file():
                return candidate.absolute()
        raise UserError(f"{given} is neither OpenFace's {PROGRAM} nor a folder that holds it.")
    found = shutil.which(PROGRAM)
    if found is None:
        raise UserError(
            f"OpenFace 2 is not installed: no {PROGRAM} on PATH, and the environment variable {VARIABLE} is not set. "
            "Set it to the program's path, or use the mtcnn detector."
        )
    return Path(found).absolute()


@detectors.add("openface")
class OpenFace(ClipDetector):
    """Runs OpenFace on a clip and reads the aligned faces it wrote.

    As the organisers of the MER challenges did, the crops are the program's own: similarity-aligned, the background
    masked. Frames in which it says it failed are left out.

    Args:
        spec: ``frame_rate``, ``crop_size`` and ``quality`` are used here
        device: ignored
        weights: the program or its folder, see `find_program`

    Raises:
        UserError: the program is nowhere
    """

    def __init__(self, spec: FaceSpec, *, device: str = "cpu", weights: Path | None = None) -> None:
        self.spec = spec
        self.program = find_program(weights)

    def extract(self, path: Path) -> KeptTrack:
        """Returns the face of one clip.

        Args:
            path: video file

        Raises:
            ClipError: ``missing``, ``unreadable`` (the program failed or wrote nothing) or ``no_face``
            UserError: the program cannot be started
        """
        if not Path(path).is_file():
            raise ClipError(Status.MISSING, f"{path}: no such file")
        with tempfile.TemporaryDirectory(prefix="openface-") as folder:
            self._run(Path(path), Path(folder))
            return read_output(Path(folder), path, self.spec)

    def _run(self, path: Path, folder: Path) -> None:
        size = self.spec.crop_size
        picture = ["-simsize", str(size), "-simscale", str(SCALE * size / SIZE), "-format_aligned", "bmp"]
        command = [str(self.program), "-f", str(path.absolute()), "-out_dir", str(folder), "-2Dfp", "-simalign"]
        try:
            done = subprocess.run([*command, *picture], capture_output=True, text=True, errors="replace", check=False)
        except OSError as error:
            raise UserError(f"{self.program} cannot be started: {error.strerror}.") from error
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
            raise ClipError(Status.UNREADABLE, f"{path}: OpenFace ended with code {done.returncode}: {last}")


def read_output(folder: Path, path: Path, spec: FaceSpec) -> KeptTrack:
    """Reads what ``FeatureExtraction`` wrote about one clip.

    Args:
        folder: holds one ``NAME.csv`` and one folder ``NAME_aligned``
        path: the clip, for messages
        spec: ``frame_rate`` and ``quality`` are used here

    Raises:
        ClipError: ``unreadable`` (nothing was written, or a column is absent), ``no_face``
    """
    tables = sorted(folder.glob("*.csv"))
    if not tables:
        raise ClipError(Status.UNREADABLE, f"{path}: OpenFace wrote no table")
    numbers, times, confidence, success, landmarks = _read_table(tables[0], path)
    pictures = {_number_of(file): file for file in folder.glob("*_aligned/frame_det_*")}
    kept = [row for row in _sampled(times, spec.frame_rate) if success[row] == 1 and int(numbers[row]) in pictures]
    if not kept:
        raise ClipError(Status.NO_FACE, f"{path}: OpenFace found no face in {len(times)} frames")
    reel = Reel(spec.quality)
    for row in kept:
        marks = landmarks[row]
        box = np.concatenate([marks.min(axis=0), marks.max(axis=0)])
        points = np.stack([marks[part].mean(axis=0) for part in PARTS])
        reel.add(_read_picture(pictures[int(numbers[row])], path), times[row], box, points, confidence[row])
    return reel.track()


def _read_table(table: Path, path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns the columns frame, timestamp, confidence, success ``(T,)`` and the landmarks ``(T, 68, 2)``."""
    with open(table, newline="", encoding="utf-8") as file:
        header, *rows = [[cell.strip() for cell in row] for row in csv.reader(file) if row] or [[]]
    wanted = ["frame", "timestamp", "confidence", "success"]
    wanted += [f"{axis}_{number}" for axis in "xy" for number in range(LANDMARKS)]
    absent = [name for name in wanted if name not in header]
    if absent:
        raise ClipError(Status.UNREADABLE, f"{path}: OpenFace's table has no column '{absent[0]}'")
    places = [header.index(name) for name in wanted]
    try:
        values = np.array([[float(row[place]) for place in places] for row in rows]).reshape(-1, len(places))
    except (ValueError, IndexError) as error:
        raise ClipError(Status.UNREADABLE, f"{path}: OpenFace's table is damaged ({error})") from error
    numbers, times, confidence, success = values[:, :4].T
    return numbers, times, confidence, success, values[:, 4:].reshape(-1, 2, LANDMARKS).transpose(0, 2, 1)


def _sampled(times: np.ndarray, rate: float | None) -> list[int]:
    """Returns the frames to look at, as `toolkit.media.iterate_frames` would choose them."""
    if rate is None or len(times) < 2:
        return list(range(len(times)))
    early = min(float(np.median(np.diff(times))), 1 / rate) / 2
    _, first = np.unique(np.floor((times + early) * rate + 1e-6), return_index=True)
    return first.tolist()


def _number_of(file: Path) -> int:
    digits = re.findall(r"\d+", file.stem)  # frame_det_00_000001: face 00, frame 1
    return int(digits[-1])


def _read_picture(file: Path, path: Path) -> np.ndarray:
    import cv2

    picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if picture is None:
        raise ClipError(Status.UNREADABLE, f"{path}: {file.name} of OpenFace cannot be read")
    return np.ascontiguousarray(picture[..., ::-1])
