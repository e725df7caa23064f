import pytest
import torch
from torch import nn

from toolkit.errors import UserError
from toolkit.models.mctn import CyclicTranslation
from toolkit.models.network import Sequences, build_network
from toolkit.models.translation import TranslationDecoder, widened

CELL = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def step(module, number, ending, hidden, cell):
    """One step of an LSTM by its definition, one clip, from the weights ``weight_ih + ending`` and so on."""
    weight, again, bias, other = (getattr(module, name + ending) for name in CELL)
    take, forget, new, show = (weight @ number + bias + again @ hidden + other).chunk(4)
    cell = forget.sigmoid() * cell + take.sigmoid() * new.tanh()
    return show.sigmoid() * cell.tanh(), cell


def states(lstm, frames):
    hidden = cell = frames.new_zeros(lstm.hidden_size)
    found = []
    for frame in frames:
        hidden, cell = step(lstm, frame, "_l0", hidden, cell)
        found.append(hidden)
    return found


def slow_encoder(encoder, frames):
    early = states(encoder.forwards, frames)
    late = states(encoder.backwards, frames.flip(0))[::-1]
    joint = torch.stack([one + other for one, other in zip(early, late, strict=True)])
    return joint, (encoder.state.weight @ (early[-1] + late[0])).tanh()


def slow_decoder(decoder, joint, state, target, forced):
    """One clip; ``forced`` tells of each step whether the next is told the true frame."""
    hidden, cell, before, made = state, torch.zeros_like(state), torch.zeros_like(target[0]), []
    for frame, told in zip(target, forced, strict=True):
        attention = decoder.attention
        scores = [attention.score(torch.tanh(attention.state(hidden) + attention.key(part))) for part in joint]
        context = sum(weight * part for weight, part in zip(torch.cat(scores).softmax(0), joint, strict=True))
        wide = torch.cat([before, before.new_zeros(decoder.dim - len(before))])
        hidden, cell = step(decoder.cell, torch.cat([wide, context]), "", hidden, cell)
        made.append(decoder.output(torch.cat([hidden, context]))[: len(frame)])
        before = frame if told else made[-1]
    return torch.stack(made)


def slow_clip(network, clip, forced):
    """The features of one clip, ``(time, dim)`` by modality, and its squared errors by translation.

    Args:
        forced: whether every step of every translation is told the true frame before
    """
    anchor = network.chain[0]
    source = next(clip[key] for key in network.chain if key in clip)
    joint, state = slow_encoder(network.encoders[0], widened(source, network.width))
    errors = {}
    for number, key in enumerate(network.chain[1:]):
        if number:
            joint, state = slow_encoder(network.encoders[number], joint)
        if key not in clip or anchor not in clip:
            continue
        decoder, told = network.decoders[number], [forced] * len(source)
        made = slow_decoder(decoder, joint, state, clip[key], told)
        errors[key] = (made - clip[key]).square()
        if not number:
            again = slow_encoder(network.encoders[0], widened(made, network.width))
            errors[anchor] = (slow_decoder(decoder, *again, clip[anchor], told) - clip[anchor]).square()
    return network.head.linear(states(network.head.rnn, joint)[-1]), errors


def slow(network, clips, forced):
    """The features of some clips and the loss, one clip after the other."""
    features, errors = zip(*(slow_clip(network, clip, forced) for clip in clips), strict=True)
    loss = sum(
        torch.cat([found[key].flatten() for found in errors if key in found]).mean()
        for key in network.chain
        if any(key in found for found in errors)
    )
    return torch.stack(features), network.loss_weight * loss


LENGTHS = (4, 2, 5, 1, 3)
HAS = {"a": (1, 1, 1, 0, 1), "text": (1, 1, 0, 0, 1), "v.1": (1, 0, 1, 1, 1), "x": (0, 1, 1, 0, 1)}
SIZES = {"a": 3, "text": 4, "v.1": 6, "x": 2}


def batch_of(keys):
    """A padded batch, what each clip has, and the clips one by one; clips without any modality are left out."""
    generator = torch.Generator().manual_seed(3)
    rows = [row for row in range(len(LENGTHS)) if any(HAS[key][row] for key in keys)]
    lengths = torch.tensor([LENGTHS[row] for row in rows])
    batch, present = {}, {}
    for key in keys:
        values = torch.randn(len(rows), max(LENGTHS), SIZES[key], generator=generator, dtype=torch.float64)
        mask = Sequences(values, lengths).mask[..., None]
        batch[key] = Sequences(torch.where(mask, values, 4.0), lengths)
        present[key] = torch.tensor([bool(HAS[key][row]) for row in rows])
    clips = [
        {key: batch[key].values[number, : lengths[number]] for key in keys if present[key][number]}
        for number in range(len(rows))
    ]
    return batch, present, clips


def build(keys, **options):
    torch.manual_seed(0)
    return CyclicTranslation({key: SIZES[key] for key in keys}, 3, hidden=4, dropout=0.0, **options).double()


SUBSETS = [["text"], ["text", "x"], ["a", "text", "v.1"], ["a", "text", "v.1", "x"], ["a", "x"]]


@pytest.mark.parametrize("keys", SUBSETS, ids=" ".join)
@pytest.mark.parametrize(("training", "ratio"), [(False, 1.0), (True, 0.0), (True, 1.0)])
def test_against_the_slow_computation(keys, training, ratio):
    """Lengths of all kinds, clips that lack the anchor or others, told the true frame always or never."""
    network = build(keys, teacher_forcing=ratio, loss_weight=0.7).train(training)
    batch, present, clips = batch_of(keys)
    output = network(batch, present)
    features, loss = slow(network, clips, training and ratio == 1)
    torch.testing.assert_close(output.features, features, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(output.auxiliary_loss, torch.as_tensor(loss, dtype=torch.float64), rtol=1e-9, atol=1e-9)


def test_gradients_against_the_slow_computation():
    network = build(SUBSETS[3], teacher_forcing=1.0)
    batch, present, clips = batch_of(SUBSETS[3])
    output = network(batch, present)
    features, loss = slow(network, clips, True)
    weights = list(network.parameters())
    ours = torch.autograd.grad(output.features.square().sum() + output.auxiliary_loss, weights, allow_unused=True)
    expected = torch.autograd.grad(features.square().sum() + loss, weights, allow_unused=True)
    for one, other in zip(ours[4:], expected[4:], strict=True):  # without the heads
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)


def test_chain_and_anchor():
    assert build(SUBSETS[3]).chain == ["text", "a", "v.1", "x"]
    assert build(SUBSETS[3], anchor="x").chain == ["x", "a", "text", "v.1"]
    assert build(["a", "x"]).chain == ["a", "x"]
    with pytest.raises(UserError, match="the anchor 'smell' is none of the inputs"):
        build_network("mctn", SIZES, 3, anchor="smell")


def test_predictions_need_the_anchor_alone():
    network = build(SUBSETS[3]).eval()
    batch, _, _ = batch_of(SUBSETS[3])
    alone = network({"text": batch["text"]})
    torch.testing.assert_close(network(batch).features, alone.features)
    assert alone.auxiliary_loss == 0


def test_evaluation_translates_nothing():
    network, asked = build(["text", "x"]).eval(), []
    for decoder in network.decoders:
        decoder.register_forward_hook(lambda *_: asked.append("decoder"))
    batch, _, _ = batch_of(["text", "x"])
    with torch.no_grad():
        network(batch)
    assert asked == []
    network(batch)
    assert asked == ["decoder", "decoder"]  # there and back


def test_no_clip_with_both_has_no_loss_and_finite_gradients():
    network = build(["text", "x"])
    batch, _, _ = batch_of(["text", "x"])
    first = torch.arange(len(batch["text"].lengths)) < 2
    output = network(batch, {"text": first, "x": ~first})
    assert output.auxiliary_loss == 0
    (output.features.sum() + output.auxiliary_loss).backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in network.parameters())


def test_clips_without_anything_and_more_padding_change_nothing():
    network = build(SUBSETS[3]).eval()
    batch, present, _ = batch_of(SUBSETS[3])
    expected = network(batch, present)
    more = {
        key: Sequences(nn.functional.pad(values, (0, 0, 0, 3, 0, 1), value=8), nn.functional.pad(lengths, (0, 1)))
        for key, (values, lengths) in batch.items()
    }
    output = network(more, {key: nn.functional.pad(mask, (0, 1), value=True) for key, mask in present.items()})
    torch.testing.assert_close(output.features[:-1], expected.features)
    torch.testing.assert_close(output.auxiliary_loss, expected.auxiliary_loss)
    assert output.features[-1].isfinite().all()


def test_a_step_is_told_what_was_drawn_for_the_one_before():
    """Some steps of some clips are told, others not: each clip as the slow computation has it."""
    torch.manual_seed(0)
    decoder = TranslationDecoder(5, 3).double()
    joint, state, target = torch.randn(2, 4, 3).double(), torch.randn(2, 3).double(), torch.randn(2, 6, 2).double()
    forced = torch.tensor([[True, False, False, True, True, False], [False, True, False, False, True, True]])
    encoded = (Sequences(joint, torch.tensor([4, 2])), state)
    made = decoder(encoded, target, forced)
    for row, length in enumerate((4, 2)):
        expected = slow_decoder(decoder, joint[row, :length], state[row], target[row], forced[row].tolist())
        torch.testing.assert_close(made[row], expected)


def test_batch_of_one_trains():
    network = build(SUBSETS[2])
    output = network({key: Sequences(torch.ones(1, 1, SIZES[key]).double(), torch.tensor([1])) for key in SUBSETS[2]})
    (output.emotion_logits.sum() + output.valence.sum() + output.auxiliary_loss).backward()
    assert all(weight.grad.isfinite().all() for weight in network.parameters())
