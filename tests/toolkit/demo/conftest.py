"""The smallest demo corpus there is, made once."""

from pathlib import Path

import pytest

from toolkit.demo.make import make_demo


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """Folder of a whole demo of scale ``tiny``."""
    return make_demo(tmp_path_factory.mktemp("demo") / "tiny", scale="tiny", workers=1)
