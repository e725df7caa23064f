"""The memory fusion network."""

from references.vectors import HEADS, renamed

ORDER = ("texts", "audios", "videos")
PARTS = HEADS | {
    "lstm_l": "fusion.lstm.cells.0",
    "lstm_a": "fusion.lstm.cells.1",
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


def options(arguments):
    return {"hidden": arguments["hidden_dim"], "memory": arguments["mem_dim"]}


def translate(theirs, arguments):
    return renamed(theirs, PARTS)
