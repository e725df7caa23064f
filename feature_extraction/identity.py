"""A hash of everything that changes numbers, so that caches made in different ways are never mixed."""

import dataclasses
import hashlib
import json
from typing import Any

# Facts for people: they may be corrected without making old caches useless.
FOR_PEOPLE = {"dim", "licence", "remote_code", "source"}


class Identified:
    """Base of frozen dataclasses that say how numbers are made; the fields in ``FOR_PEOPLE`` do not count."""

    def to_json(self) -> str:
        """Returns the fields as JSON with sorted keys."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @property
    def identity(self) -> str:
        """Sixteen hexadecimal digits, equal exactly when all numbers are made the same way."""
        facts = json.dumps(_that_count(self.facts()), sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()[:16]

    def facts(self) -> dict[str, Any]:
        """Returns the fields as they count for the identity."""
        return dataclasses.asdict(self)


def _that_count(facts: dict[str, Any]) -> dict[str, Any]:
    kept = {name: fact for name, fact in facts.items() if name not in FOR_PEOPLE}
    return {name: _that_count(fact) if isinstance(fact, dict) else fact for name, fact in kept.items()}
