import pytest

from baseline.network_options import anchored, options_of, require_options
from toolkit.errors import UserError

MODALITIES = {"apple": "audio", "bert": "text", "char-hash": "text"}


def test_options():
    assert options_of("attention") == ["hidden", "dropout"]
    assert options_of("mctn") == ["hidden", "dropout", "teacher_forcing", "loss_weight", "anchor"]


def test_unknown_option():
    with pytest.raises(
        UserError, match=r"Unknown option 'hiden' of network 'lmf'. Did you mean 'hidden'\? Known: dropo"
    ):
        require_options("lmf", {"rank": 3, "hiden": 8})


@pytest.mark.parametrize("name", ["mctn", "mmim"])
def test_the_anchor_is_text(name):
    assert anchored({"name": name, "hidden": 8}, MODALITIES) == {"name": name, "hidden": 8, "anchor": "bert"}
    assert anchored({"name": name, "anchor": "apple"}, MODALITIES)["anchor"] == "apple"


def test_an_anchor_that_is_not_read_here():
    """A modality alone is trained too, whatever the anchor of all of them is."""
    assert anchored({"name": "mctn", "anchor": "apple"}, {"char-hash": "text"})["anchor"] == "char-hash"
    assert anchored({"name": "mctn", "anchor": "apple"}, {"face": "visual"})["anchor"] is None


def test_networks_without_an_anchor():
    assert anchored({"name": "mlp", "hidden": 8}, MODALITIES) == {"name": "mlp", "hidden": 8}
