"""The memory fusion network; theirs has the order text, audio, video."""

from references.vectors import HEADS, rearranged, renamed

PARTS = HEADS | {
    "lstm_a": "fusion.lstm.cells.0",
    "lstm_l": "fusion.lstm.cells.1",
    "lstm_v": "fusion.lstm.cells.2",
    "att1_fc1": "fusion.attention.0",
    "att1_fc2": "fusion.attention.3",
    "att2_fc1": "fusion.memory.candidate.0",
    "att2_fc2": "fusion.memory.candidate.3",
    "gamma1_fc1": "fusion.memory.retain.0",
    "gamma1_fc2": "fusion.memory.retain.3",
    "gamma2_fc1": "fusion.memory.update.0",
    "gamma2_fc2": "fusion.memory.update.3",
    "out_fc1": "output.0",
    "out_fc2": "output.3",
}
AROUND = [1, 0, 2, 4, 3, 5]  # cells before, cells after a frame


def options(arguments):
    return {"hidden": arguments["hidden_dim"], "memory": arguments["mem_dim"]}


def translate(theirs, arguments):
    hidden, memory = arguments["hidden_dim"], arguments["mem_dim"]
    ours = renamed(theirs, PARTS)
    for key in ("fusion.attention.3.weight", "fusion.attention.3.bias"):
        ours[key] = rearranged(ours[key], 0, [hidden] * 6, AROUND)
    for key in ("fusion.attention.0.weight", "fusion.memory.candidate.0.weight"):
        ours[key] = rearranged(ours[key], 1, [hidden] * 6, AROUND)
    for key in ("fusion.memory.retain.0.weight", "fusion.memory.update.0.weight"):
        ours[key] = rearranged(ours[key], 1, [hidden] * 6 + [memory], [*AROUND, 6])
    ours["output.0.weight"] = rearranged(ours["output.0.weight"], 1, [hidden] * 3 + [memory], [1, 0, 2, 3])
    return ours
