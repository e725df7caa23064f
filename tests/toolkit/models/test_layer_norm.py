import torch

from toolkit.models.layer_norm import LayerNorm


def norm(seed: int) -> LayerNorm:
    layer = LayerNorm(5)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.normal_(generator=torch.Generator().manual_seed(seed))
    return layer


def test_one_is_torch():
    layer, theirs = norm(1), torch.nn.LayerNorm(5)
    theirs.load_state_dict(layer.state_dict())
    values = torch.randn(4, 6, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(layer(values), theirs(values))


def test_a_stack_is_each_alone():
    layers = [norm(seed) for seed in range(3)]
    stack = LayerNorm(5)
    for name, _ in list(stack.named_parameters()):
        stack.register_parameter(name, torch.nn.Parameter(torch.stack([one.get_parameter(name) for one in layers])))
    for shape in ((3, 4, 5), (3, 4, 6, 5)):
        values = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        together = stack(values)
        for one, part, expected in zip(layers, values, together, strict=True):
            assert torch.equal(one(part), expected)
