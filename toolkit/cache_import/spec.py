"""What is known of numbers that were made elsewhere; it stands in a cache where stage 1 puts an encoder's spec."""

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

from toolkit.errors import UserError

Modality = Literal["audio", "text", "visual"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)


@dataclass(frozen=True, kw_only=True)
class ImportedSpec:
    """The facts that stage 1's specs have too bear the same names, so that reports and `toolkit cache info` show them.

    Attributes:
        name: name of the cache file, which ``--features`` of stage 2 takes
        modality: folder that the cache stands in
        checkpoint: ``imported:`` and the name of the folder or file that the numbers were found in
        kind: what that was, such as ``folder of npy files``
        key: array of the file, empty for a folder
        frame_rate: frames per second, as the user said; ``None`` where nobody did
        family: ``imported``, the name of no family of encoders
        licence: nobody said; does not count for the identity

    Raises:
        UserError: the name cannot name a cache, or the frame rate is none
    """

    name: str
    modality: Modality
    checkpoint: str
    kind: str
    key: str = ""
    frame_rate: float | None = None
    family: str = "imported"
    licence: str = "not known"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w[\w+.-]*", self.name) or self.name.endswith((".h5", ".frames")):
            raise UserError(
                f"The encoder's name is '{self.name}'. Expected letters, digits and any of - _ + ., as in "
                "chinese-hubert-large, because a file is called so."
            )
        if self.frame_rate is not None and not 0 < self.frame_rate < float("inf"):
            raise UserError(f"The frame rate is {self.frame_rate:g} Hz. Expected a number above 0, as in --rate 50.")

    def to_json(self) -> str:
        """Returns the facts as JSON with sorted keys."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @property
    def identity(self) -> str:
        """Sixteen hexadecimal digits, a hash of the facts.

        It tells one folder or file from another by name, not by content: what made the numbers is not known here.
        Never that of an encoder of stage 1, whose family is another.
        """
        facts: dict[str, Any] = dataclasses.asdict(self)
        del facts["licence"]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
