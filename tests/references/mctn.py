"""The cyclic translation network, which recurs over the clips of a batch and has other mistakes; see ours."""

import torch
from torch import nn

from references.vectors import HEADS, renamed
from toolkit.models.network import NetworkOutput, Sequences
from toolkit.models.translation import widened

ORDER = ("texts", "videos", "audios")  # of the chain of translations


def options(arguments):
    return {"hidden": arguments["hidden_dim"], "loss_weight": arguments["loss_weight"], "teacher_forcing": 1.0}


def prepare(values):
    """Clips and frames change places, and all are as wide as the widest."""
    width = max(part.shape[2] for part in values.values())
    return {key: widened(part.transpose(0, 1), width) for key, part in values.items()}


def translate(theirs, arguments):
    """Of the two cells of each decoder the first; `run` takes the second from their weights."""
    parts = HEADS | {"fc_out_0.rnn": "head.rnn", "fc_out_0.linear_1": "head.linear"}
    apart = {}
    for name, tensor in theirs.items():
        part, _, weight = name.rpartition(".")
        if part in ("encoder1.rnn", "encoder2.rnn"):
            direction = "backwards" if weight.endswith("_reverse") else "forwards"
            apart[f"{part}.{direction}.{weight.removesuffix('_reverse')}"] = tensor
        elif part in ("decoder1.rnn", "decoder2.rnn"):
            if not weight.endswith("_reverse"):
                apart[f"{part}.{weight.removesuffix('_l0')}"] = tensor
        elif weight == "weight" and part.endswith(".attn"):
            hidden = arguments["hidden_dim"]
            apart[f"{part}.state.weight"], apart[f"{part}.key.weight"] = tensor.split([hidden, hidden], dim=1)
        else:
            apart[name] = tensor
    for number in (0, 1):
        encoder, attention, decoder = (f"{part}{number + 1}" for part in ("encoder", "attn", "decoder"))
        parts |= {
            f"{encoder}.rnn.forwards": f"encoders.{number}.forwards",
            f"{encoder}.rnn.backwards": f"encoders.{number}.backwards",
            f"{encoder}.fc": f"encoders.{number}.state",
            f"{attention}.attn.state": f"decoders.{number}.attention.state",
            f"{attention}.attn.key": f"decoders.{number}.attention.key",
            f"{attention}.v": f"decoders.{number}.attention.score",
            f"{decoder}.rnn": f"decoders.{number}.cell",
            f"{decoder}.fc_out": f"decoders.{number}.output",
        }
    return renamed(apart, parts)


def run(network, case):
    """What the reference makes of our parts: translations by `_decoded`, and a head that recurs over frames."""
    text, video, audio = case.features.values()
    once, again, last = network.encoders[0](text), network.encoders[0], network.encoders[1]
    cells = [_second_cell(case, number) for number in (0, 1)]
    made = {"video": _decoded(network.decoders[0], cells[0], once, video.values)}
    made["text"] = _decoded(network.decoders[0], cells[0], again(video._replace(values=made["video"])), text.values)
    joint = last(once.joint)
    made["audio"] = _decoded(network.decoders[1], cells[1], joint, audio.values)
    targets = {"video": video.values, "text": text.values, "audio": audio.values}
    loss = network.loss_weight * sum(nn.functional.mse_loss(made[key], targets[key]) for key in made)
    states = joint.joint.values.transpose(0, 1)
    features = network.head(Sequences(states, torch.full(states.shape[:1], states.shape[1])))
    return NetworkOutput(features, network.emotion_head(features), network.valence_head(features)[:, 0], loss)


def _second_cell(case, number):
    weights = case.vectors.group("weights")
    ends = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    state = {end: weights[f"decoder{number + 1}.rnn.{end}_l0_reverse"] for end in ends}
    cell = nn.LSTMCell(state["weight_ih"].shape[1], state["weight_hh"].shape[1])
    cell.load_state_dict(state)
    return cell


def _decoded(decoder, second, encoded, target):
    """Both cells from zero at every step, told the true frame before, the first frame left at zero."""
    joint, state = encoded
    made = [torch.zeros_like(target[:, 0])]
    for number in range(1, target.shape[1]):
        context = decoder.attention(state, joint, decoder.attention.key(joint.values))
        read = torch.cat([target[:, number - 1], context], dim=1)
        state = decoder.cell(read)[0] + second(read)[0]
        made.append(decoder.output(torch.cat([state, context], dim=1)))
    return torch.stack(made, dim=1)
