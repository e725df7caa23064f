"""How an extraction runs."""

import pytest

from feature_extraction.options import Shard
from toolkit.errors import UserError


def test_shard():
    assert Shard.parse("2/3") == (2, 3)


@pytest.mark.parametrize("text", ["3/3", "1", "a/b", "-1/3", "0/0", "1/2/3", ""])
def test_no_shard(text):
    with pytest.raises(UserError, match="is not i/n"):
        Shard.parse(text)
