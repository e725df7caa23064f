import pytest
import torch

from toolkit.errors import UserError
from toolkit.models.mult import FrameProjection, MultimodalTransformer
from toolkit.models.network import Sequences, build_network


def slow_attention(module, targets, sources):
    """One clip, one frame, one head at a time."""
    rows = []
    for number, frame in enumerate(targets):
        seen = sources[: number + abs(len(targets) - len(sources)) + 1]
        query, (key, value) = module.query(frame), module.key_value(seen).chunk(2, -1)
        size, parts = len(query) // module.heads, []
        for start in range(0, len(query), size):
            weights = (key[:, start : start + size] @ query[start : start + size] / size**0.5).softmax(0)
            parts.append(weights @ value[:, start : start + size])
        rows.append(module.output(torch.cat(parts)))
    return torch.stack(rows)


def slow_stack(stack, targets, sources=None):
    scale = targets.shape[1] ** 0.5
    values, others = scale * targets, None if sources is None else scale * sources
    for layer in stack.layers:
        normed = layer.norms[0](values)
        if others is None:
            values = values + slow_attention(layer.attention, normed, normed)
        elif len(others):
            values = values + slow_attention(layer.attention, normed, layer.norms[0](others))
        values = values + layer.narrow(layer.wide(layer.norms[1](values)).relu())
    return stack.norm(values)


def slow_projection(module, clip):
    """One frame at a time, zeros in front of a clip shorter than the kernel."""
    kernel, weight = module.kernel, module.convolution.weight
    if 0 < len(clip) < kernel:
        clip = torch.cat([clip.new_zeros(kernel - len(clip), clip.shape[1]), clip])
    frames = [sum(weight[:, :, k] @ clip[t + k] for k in range(kernel)) for t in range(max(0, len(clip) - kernel + 1))]
    return torch.stack(frames) if frames else clip.new_zeros(0, len(weight))


def slow_features(network, clip):
    """What MulT is of one clip, ``(time, dim)`` by modality, alone and unpadded; no frames where it is missing."""
    frames = [slow_projection(module, clip[key]) for key, module in zip(clip, network.projections, strict=True)]
    ends = []
    for number, (target, memory) in enumerate(zip(frames, network.memories, strict=True)):
        width = memory.norm.normalized_shape[0]
        if not len(target):
            ends.append(target.new_zeros(width))
            continue
        others = frames[:number] + frames[number + 1 :]
        read = [slow_stack(pair, target, other) for pair, other in zip(network.pairs[number], others, strict=True)]
        ends.append(slow_stack(memory, torch.cat(read, 1) if read else target)[-1])
    side = torch.cat(ends)
    return network.output(side + network.second(network.first(side).relu()))


def random_batch(dims, lengths, *, padding=5.0):
    generator = torch.Generator().manual_seed(1)
    batch = {}
    for (key, dim), known in zip(dims.items(), lengths, strict=True):
        values = torch.randn(len(known), max(1, *known), dim, generator=generator, dtype=torch.float64)
        part = Sequences(values, torch.tensor(known))
        batch[key] = Sequences(torch.where(part.mask[..., None], values, padding), part.lengths)
    return batch


LENGTHS = [[6, 3, 1, 0, 9, 0], [2, 7, 5, 4, 2, 0], [4, 4, 1, 0, 0, 0], [3, 8, 2, 5, 1, 0]]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel", [1, 3])
def test_every_clip_of_a_batch_is_what_it_is_alone(count, kernel):
    """Different lengths, shorter than the kernel, missing: against the slow computation of one clip after another."""
    torch.manual_seed(0)
    dims = {"a.1": 3, "b": 5, "c": 2, "d": 4}
    dims = {key: dims[key] for key in list(dims)[:count]}
    network = MultimodalTransformer(dims, 3, hidden=6, layers=2, heads=3, kernel=kernel).double().eval()
    batch = random_batch(dims, LENGTHS[:count])
    features = network(batch).features
    for number, row in enumerate(features):
        clip = {key: values[number, : lengths[number]] for key, (values, lengths) in batch.items()}
        torch.testing.assert_close(row, slow_features(network, clip), rtol=1e-9, atol=1e-9)


def test_missing_by_mask_by_length_or_by_key_is_the_same():
    torch.manual_seed(0)
    network = MultimodalTransformer({"a": 3, "b": 5}, 3, hidden=4, layers=1, heads=2).double().eval()
    batch = random_batch({"a": 3, "b": 5}, [[4, 2], [5, 3]])
    by_key = network({"a": batch["a"]}).features
    by_mask = network(batch, {"b": torch.tensor([False, False])}).features
    by_length = network(batch | {"b": Sequences(batch["b"].values, torch.tensor([0, 0]))}).features
    torch.testing.assert_close(by_mask, by_key)
    torch.testing.assert_close(by_length, by_key)
    assert not torch.equal(network(batch).features, by_key)


def test_a_clip_shorter_than_the_kernel_has_zeros_in_front():
    projection = FrameProjection(1, 1, 3)
    with torch.no_grad():
        projection.convolution.weight.copy_(torch.tensor([[[1.0, 10.0, 100.0]]]))
    values = torch.tensor([[[1.0], [2.0], [3.0], [4.0]], [[1.0], [2.0], [9.0], [9.0]], [[1.0], [9.0], [9.0], [9.0]]])
    frames, lengths = projection(Sequences(values, torch.tensor([4, 2, 1])))
    assert lengths.tolist() == [2, 1, 1]
    assert frames[0, :, 0].tolist() == [321, 432]
    assert frames[1:, 0, 0].tolist() == [210, 100]


def test_batch_of_one_trains():
    network = MultimodalTransformer({"a": 3, "b": 5}, 3, hidden=8)
    output = network({key: Sequences(torch.ones(1, 1, dim), torch.tensor([1])) for key, dim in (("a", 3), ("b", 5))})
    (output.emotion_logits.sum() + output.valence.sum()).backward()
    assert all(weight.grad.isfinite().all() for weight in network.parameters())


def test_sizes_of_the_reference():
    """16.4 million parameters with audio 1024, text 768, video 512, hidden 128 (counted in the reference)."""
    with torch.device("meta"):
        network = MultimodalTransformer({"audio": 1024, "text": 768, "video": 512}, 6)
    assert round(sum(weight.numel() for weight in network.parameters()) / 1e6, 1) == 16.4


def test_heads_must_divide():
    with pytest.raises(UserError, match="20 numbers cannot be divided among 8 heads"):
        build_network("mult", {"a": 3}, 6, hidden=20)
    with pytest.raises(UserError, match="kernel of 0 frames"):
        build_network("mult", {"a": 3}, 6, kernel=0)
