import pytest
import torch

from toolkit.models.dropout import Dropout
from toolkit.models.token_encoder import TokenEncoder

THEIRS = {
    "project.weight": "self_attn.in_proj_weight",
    "project.bias": "self_attn.in_proj_bias",
    "merge.weight": "self_attn.out_proj.weight",
    "merge.bias": "self_attn.out_proj.bias",
    "widen.weight": "linear1.weight",
    "widen.bias": "linear1.bias",
    "narrow.weight": "linear2.weight",
    "narrow.bias": "linear2.bias",
    "norms.0.weight": "norm1.weight",
    "norms.0.bias": "norm1.bias",
    "norms.1.weight": "norm2.weight",
    "norms.1.bias": "norm2.bias",
}


@pytest.fixture
def tokens() -> torch.Tensor:
    return torch.randn(5, 4, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def encoder() -> TokenEncoder:
    torch.manual_seed(1)
    return TokenEncoder(6, 2, inner=16).eval()


def test_one_is_torch(encoder, tokens):
    theirs = torch.nn.TransformerEncoderLayer(6, 2, 16, batch_first=True).eval()
    theirs.load_state_dict({THEIRS[key]: value for key, value in encoder.state_dict().items()})
    mask = torch.rand(5, 4, generator=torch.Generator().manual_seed(2)) < 0.6
    mask[:, 1] = True
    ours, expected = encoder(tokens, mask), theirs(tokens, src_key_padding_mask=~mask)
    torch.testing.assert_close(ours[mask], expected[mask], rtol=1e-5, atol=1e-6)


def test_starts_and_drops_out_as_torch_does():
    torch.manual_seed(0)
    ours, theirs = TokenEncoder(64, 2), torch.nn.TransformerEncoderLayer(64, 2)
    state = theirs.state_dict()
    assert {THEIRS[key]: value.shape for key, value in ours.state_dict().items()} == {
        k: v.shape for k, v in state.items()
    }
    for key, value in ours.state_dict().items():
        expected = state[THEIRS[key]].abs().max().item()
        assert value.abs().max().item() == pytest.approx(expected, rel=0.05), key
    assert ours.dropout.probability == theirs.dropout.p == theirs.self_attn.dropout


def test_dropout_stands_in_four_places(encoder, tokens, monkeypatch):
    seen = []
    monkeypatch.setattr(Dropout, "forward", lambda _, values: seen.append(values.shape) or values)
    encoder(tokens, torch.ones(5, 4, dtype=torch.bool))
    assert seen == [(5, 2, 4, 4), (5, 4, 6), (5, 4, 16), (5, 4, 6)]


def test_a_masked_token_changes_no_other(encoder, tokens):
    mask = torch.tensor([True, False, True, True]).expand(5, 4)
    before = encoder(tokens, mask)
    tokens[:, 1] = 1e6
    assert torch.equal(encoder(tokens, mask)[mask], before[mask])


def test_no_token_at_all_gives_numbers(encoder, tokens):
    found = encoder(tokens.requires_grad_(), torch.zeros(5, 4, dtype=torch.bool))
    found.square().sum().backward()
    assert found.isfinite().all()
    assert tokens.grad.isfinite().all()


def test_heads_must_divide():
    with pytest.raises(ValueError, match="5 numbers do not divide among 2 heads"):
        TokenEncoder(5, 2)
