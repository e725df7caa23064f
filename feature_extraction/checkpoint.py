"""Checkpoints: where weights are looked for, read without running what they hold, and what is said where absent."""

import os
import pickle
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from feature_extraction.spec import EncoderSpec
from toolkit.errors import UserError

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

FOLDER_VARIABLE = "MER_WEIGHTS"  # names the folder of weight files that no hub has


def pretrained(load: Callable[..., T], spec: EncoderSpec, trusted: Collection[str] = (), **options: Any) -> T:
    """Returns what a ``from_pretrained`` method makes of a spec's checkpoint.

    Args:
        load: ``AutoModel.from_pretrained``, ``AutoTokenizer.from_pretrained`` ...
        spec: a spec with an ``hf:`` checkpoint
        trusted: checkpoints whose own code may run, by name
        options: further arguments of ``load``

    Raises:
        UserError: the checkpoint is not there and cannot be had, cannot be read, or wants to run code of its own
    """
    from safetensors import SafetensorError

    name = spec.checkpoint.removeprefix("hf:")
    folder = Path(name).expanduser()
    # Variants are trusted with what they vary.
    trust = name in trusted or any(spec.name == other or spec.name.startswith(f"{other}@") for other in trusted)
    untrusted = (
        f"'{spec.name}' runs program code that comes with its checkpoint {name}. If you trust its authors, say so: "
        f"--trust {spec.name}"
    )
    if spec.remote_code and not trust:
        raise UserError(untrusted)
    if folder.is_dir():
        options |= {"local_files_only": True}
        name = str(folder)
    else:
        options |= {"revision": spec.revision}
    try:
        with _quiet():
            return load(name, trust_remote_code=trust, **options)
    except (OSError, ValueError, ImportError) as error:
        if not trust and "trust_remote_code" in str(error):  # what the library calls it, of a model in no table
            raise UserError(untrusted) from error
        raise UserError(_explanation(spec, name, folder.is_dir(), error)) from error
    except (EOFError, RuntimeError, SafetensorError, pickle.UnpicklingError) as error:
        if isinstance(error, RuntimeError) and "PytorchStreamReader" not in str(error):
            raise
        raise UserError(
            f"'{spec.name}': weights in {name} are damaged, or hold more than tensors, which is not run "
            f"({type(error).__name__}). Copy or download them again."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps transformers from drawing a bar per file and printing tables of weights that are not needed."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _explanation(spec: EncoderSpec, name: str, is_folder: bool, error: Exception) -> str:
    first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    if is_folder:
        return f"'{spec.name}' cannot be loaded from the folder {name}: {first}"
    from huggingface_hub.constants import HF_HUB_CACHE

    if isinstance(error, OSError):
        return (
            f"'{spec.name}' needs the checkpoint {name}, which is not in {HF_HUB_CACHE} nor could be had: {first}\n"
            f"On a machine with a connection: hf download {name} --revision {spec.revision}. Where the model lies in a "
            "folder, name that: --encoder hf:FOLDER."
        )
    return f"'{spec.name}' cannot be loaded from {name}: {first}"


def weights_folder() -> Path:
    """Returns the folder of weight files: that of the variable ``MER_WEIGHTS``, or one in the user's cache."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named).expanduser() if named else Path.home() / ".cache" / "mer-toolkit" / "weights"


def weights_file(spec: EncoderSpec) -> Path:
    """Returns the file of a spec with a ``local:`` checkpoint.

    Raises:
        UserError: there is no such file; the message says where it was looked for and how to get it
    """
    name = spec.checkpoint.removeprefix("local:")
    path = weights_folder() / Path(name).expanduser()  # an absolute path replaces the folder
    if not path.is_file():
        raise UserError(
            f"'{spec.name}' needs the weights {path}, which do not exist. Get them from "
            f"{spec.source or 'their authors'} and put them there; the variable {FOLDER_VARIABLE} names the folder."
        )
    return path


def read_state(path: Path, allowed: Sequence[Any] = ()) -> "dict[str, torch.Tensor]":
    """Returns the tensors of a checkpoint by name; nothing in the file is run.

    Wrappings that trainers put around them (``state_dict``, ``model``, ``module``) are taken off, and so is the prefix
    ``module.`` of networks trained on several devices.

    Args:
        path: a safetensors file, or one that ``torch.load`` reads
        allowed: harmless classes the file may hold besides tensors, as `torch.serialization.safe_globals` takes them

    Raises:
        UserError: the file cannot be read, or holds something that is not allowed
    """
    from toolkit.models.checkpoint_file import read_checkpoint

    return read_checkpoint(path, allowed).weights


def load_into(network: "torch.nn.Module", state: "dict[str, torch.Tensor]", path: Path) -> None:
    """Puts a checkpoint's tensors into a network, all of them or none.

    Raises:
        UserError: names or shapes differ; the message gives the first difference
    """
    from toolkit.models.checkpoint_file import require_same

    require_same(network.state_dict(), state, path)
    network.load_state_dict(state)


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """Within it torch draws the same numbers every time; outside nothing changes. For ``tiny`` networks."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
