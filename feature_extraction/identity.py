"""A hash of everything that changes numbers, so that caches made in different ways are never mixed."""

import dataclasses
import hashlib
import json
from typing import Any


class Identified:
    """Base of frozen dataclasses that say how numbers are made; a field ``licence`` does not count."""

    def to_json(self) -> str:
        """Returns the fields as JSON with sorted keys."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @property
    def identity(self) -> str:
        """Sixteen hexadecimal digits, equal exactly when all numbers are made the same way."""
        facts = json.dumps(_without_licence(dataclasses.asdict(self)), sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()[:16]


def _without_licence(facts: dict[str, Any]) -> dict[str, Any]:
    kept = {name: fact for name, fact in facts.items() if name != "licence"}
    return {name: _without_licence(fact) if isinstance(fact, dict) else fact for name, fact in kept.items()}
