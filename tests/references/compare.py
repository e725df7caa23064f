"""Which vector files can be compared, and by what."""

import json
from pathlib import Path

from safetensors import SafetensorError

from references import face_networks, fusion, hicmae, masked_video, metrics, recipe, svfap, vggish, video_face
from references.vectors import Difference
from toolkit.errors import UserError

COMPARABLE = {
    "fusion_": fusion.differences,
    "metrics_": metrics.differences,
    "cnn_vggish": vggish.differences,
    "cnn_sunvideomae_a": video_face.differences,
    "cnn_sunvideomae_b": video_face.differences,
    "cnn_sunvideomae_preprocess": video_face.view_differences,
    "MAE-DFER ": masked_video.differences,
    "SVFAP ": svfap.differences,
    "HiCMAE ": hicmae.differences,
    "ssl_aux": recipe.differences,
    **{f"cnn_{name}": face_networks.differences for name in face_networks.NETWORKS},
}


class DamagedVectors(UserError):
    """A vector file or its sidecar cannot be read, so that nothing says that ours is right."""


def differences(path: Path) -> list[Difference]:
    """Returns how far ours is from what a vector file holds.

    Args:
        path: ``.safetensors``, or the ``.json`` beside it

    Raises:
        DamagedVectors: the file, or its sidecar, is cut off or no such file
        UserError: there is no such file, no sidecar, or nothing of ours to compare it with yet
    """
    try:
        return _differences(path)
    except (SafetensorError, json.JSONDecodeError, UnicodeDecodeError) as error:
        problem = f"{path.stem} cannot be read ({' '.join(str(error).split())})"
        raise DamagedVectors(f"{problem}. Expected a vector file and its sidecar, whole: copy both again.") from error
    except FileNotFoundError as error:
        raise UserError(_absent(error.filename or path.with_suffix(".safetensors"))) from error


def _differences(path: Path) -> list[Difference]:
    sidecar = path.with_suffix(".json")
    for needed in (path, sidecar):
        if not needed.is_file():
            raise UserError(_absent(needed))
    case = _case(sidecar)
    for beginning, compare in COMPARABLE.items():
        if case.startswith(beginning):
            return compare(path)
    expected = "Expected fusion_*, metrics_*, ssl_aux, or cnn_*, maedfer_* and so on without the lists of keys."
    raise UserError(f"Nothing of ours can be compared with {path.name} yet. {expected}")


def _absent(path: Path | str) -> str:
    return f"There is no file {path}. Expected a vector file of ../shared/parity with its sidecar."


def _case(sidecar: Path) -> str:
    """Returns what a sidecar says that it is about, whatever the file is called."""
    facts = json.loads(sidecar.read_text(encoding="utf-8"))
    name = facts.get("name")
    if "system" in facts:  # the masked autoencoders, whose cases are but letters
        return f"{facts['system']} {facts['case']}"
    if "frame_sampling" in facts:
        return "ssl_aux"
    return f"metrics_{name}" if name in metrics.READERS else facts.get("case", "")
