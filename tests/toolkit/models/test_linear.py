import warnings
from contextlib import contextmanager

import pytest
import torch

from toolkit.models.linear import Linear, RectifiedLinear


def stack(layers):
    """Linear layers as one whose weights have an axis of models in front."""
    one = type(layers[0])(layers[0].in_features, layers[0].out_features, bias=layers[0].bias is not None)
    for name, _ in layers[0].named_parameters():
        stacked = torch.stack([layer.get_parameter(name).detach() for layer in layers])
        setattr(one, name, torch.nn.Parameter(stacked))
    return one


def layers(count, dim, width, kind=Linear, **options):
    torch.manual_seed(0)
    return [kind(dim, width, **options) for _ in range(count)]


def test_hand_computed():
    layer = stack(layers(2, 2, 1))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]]))
        layer.bias.copy_(torch.tensor([[10.0], [20.0]]))
    values = torch.tensor([[[1.0, 1.0], [0.0, 2.0]], [[1.0, 1.0], [0.0, 2.0]]])
    assert layer(values).tolist() == [[[13.0], [14.0]], [[27.0], [28.0]]]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5,), (1,), (0,), (5, 3), (2, 3, 4)])
@pytest.mark.parametrize("width", [4, 1, 0])
@pytest.mark.parametrize("kind", [Linear, RectifiedLinear])
def test_each_model_is_torch_s_layer(shape, bias, width, kind):
    """Also with no column at all, of which a head for no emotions is made."""
    ours = layers(3, 6, width, kind, bias=bias)
    values = torch.randn(3, *shape, 6)
    mapped = stack(ours)(values)
    assert mapped.shape == (3, *shape, width)
    for model, layer in enumerate(ours):
        expected = torch.nn.functional.linear(values[model], layer.weight, layer.bias)
        expected = expected.relu() if kind is RectifiedLinear else expected
        torch.testing.assert_close(mapped[model], expected)
        assert torch.equal(layer(values[model]), expected)


def test_no_column_is_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Linear(6, 0).weight.shape == (0, 6)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("width", [4, 1])
@pytest.mark.parametrize("kind", [Linear, RectifiedLinear])
def test_gradients_are_torch_s(bias, width, kind):
    ours = layers(3, 6, width, kind, bias=bias)
    values, pull = torch.randn(3, 5, 6), torch.randn(3, 5, width)
    together = learnt(stack(ours), values, pull)
    assert kind is Linear or (together[0] == 0).any(), "nothing is rectified"
    for model, layer in enumerate(ours):
        for one, other in zip(together, learnt(layer, values[model], pull[model]), strict=True):
            torch.testing.assert_close(one[model], other)


def test_gradients_that_are_not_wanted_are_not_made():
    layer = stack(layers(2, 6, 4))
    layer.weight.requires_grad_(False)
    layer(torch.randn(2, 5, 6)).sum().backward()
    assert layer.weight.grad is None
    torch.testing.assert_close(layer.bias.grad, torch.full((2, 4), 5.0))


def test_models_do_not_touch_each_other():
    layer = stack(layers(3, 6, 4))
    values = torch.randn(3, 5, 6)
    before = layer(values)
    with torch.no_grad():
        layer.weight[1] = torch.nan
        values[1] = torch.nan
    after = layer(values)
    assert torch.equal(after[[0, 2]], before[[0, 2]])
    assert after[1].isnan().all()


def learnt(layer, values, pull):
    """Output and gradients of a layer and its input."""
    values = values.clone().requires_grad_()
    mapped = layer(values)
    mapped.backward(pull)
    return [mapped.detach(), values.grad, *(weight.grad for weight in layer.parameters())]


WIDTHS = [(768, 128), (35, 128), (384, 16), (128, 7), (128, 1), (16, 16), (16, 1)]


@contextmanager
def threads(count):
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    yield
    torch.set_num_threads(before)


def compare(rows, dim, width, bias, tolerance):
    """A stack of five beside stacks of one: output and gradients of input, weight and bias."""
    ours = layers(5, dim, width, RectifiedLinear, bias=bias)
    values, pull = torch.randn(5, rows, dim), torch.randn(5, rows, width)
    together = learnt(stack(ours), values, pull)
    for model in (0, 3):
        with threads(1):  # as one small network trains: several would share its products out in another way
            alone = learnt(stack(ours[model : model + 1]), values[model : model + 1], pull[model : model + 1])
        for one, other in zip(together, alone, strict=True):
            torch.testing.assert_close(one[model], other[0], rtol=tolerance, atol=tolerance)


@pytest.mark.skipif(not torch.backends.mkl.is_available(), reason="other libraries promise nothing about the last bit")
@pytest.mark.parametrize("rows", [16, 32, 64])
@pytest.mark.parametrize(("dim", "width"), WIDTHS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("cores", [1, 2, 3])
def test_a_model_gives_the_same_bits_alone(rows, dim, width, bias, cores):
    with threads(cores):
        compare(rows, dim, width, bias, 0)


# Among them the small ones for which torch has a way of its own: fewer than 400 multiplications.
@pytest.mark.parametrize("rows", [1, 2, 5, 31])
@pytest.mark.parametrize(("dim", "width"), [*WIDTHS, (1, 1), (1, 128), (35, 70), (8, 6)])
@pytest.mark.parametrize("bias", [True, False])
def test_a_model_gives_the_same_numbers_alone(rows, dim, width, bias):
    compare(rows, dim, width, bias, 1e-5)


def test_one_batch_for_all_models_is_not_copied():
    ours = layers(4, 6, 3)
    values = torch.randn(5, 6)
    mapped = stack(ours)(values.expand(4, 5, 6))
    for model, layer in enumerate(ours):
        torch.testing.assert_close(mapped[model], layer(values))
