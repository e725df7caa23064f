import pytest
import torch

from toolkit.errors import UserError
from toolkit.models.network import Sequences, build_network

DIMS = {"visual": 6, "audio": 4, "text": 3}


def test_unknown_modality(features):
    network = build_network("mlp", DIMS, 6)
    with pytest.raises(ValueError, match="non-empty subset"):
        network(features | {"smell": features["audio"]})
    with pytest.raises(ValueError, match="non-empty subset"):
        network({})


def test_unknown_network():
    with pytest.raises(UserError, match=r"Unknown network 'atention'. Did you mean 'attention'\?"):
        build_network("atention", DIMS, 6)


def test_unknown_option():
    with pytest.raises(UserError, match="'hiden'"):
        build_network("mlp", DIMS, 6, hiden=3)


def test_mask_is_true_where_a_frame_is_real():
    mask = Sequences(torch.zeros(2, 3, 4), torch.tensor([1, 3])).mask
    assert mask.tolist() == [[True, False, False], [True, True, True]]
