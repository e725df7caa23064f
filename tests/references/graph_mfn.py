"""The graph memory fusion network; theirs has the order text (0), audio (1), video (2)."""

from references.vectors import HEADS, rearranged, renamed

PARTS = HEADS | {
    "lstm_a": "lstm.cells.0",
    "lstm_l": "lstm.cells.1",
    "lstm_v": "lstm.cells.2",
    "a_transform": "singles.0",
    "l_transform": "singles.1",
    "v_transform": "singles.2",
    # The nodes of sets stand among the weights that the reference forgot to register.
    "01.0": "graph.nodes.0.0",
    "01.1.0": "graph.nodes.0.1",
    "12.0": "graph.nodes.1.0",  # audio and video, in our order 0 and 2
    "12.1.0": "graph.nodes.1.1",
    "02.0": "graph.nodes.2.0",  # text and video, in our order 1 and 2
    "02.1.0": "graph.nodes.2.1",
    "012.0": "graph.nodes.3.0",
    "012.1.0": "graph.nodes.3.1",
    "graph_mfn.t_network.0": "graph.nodes.4.0",
    "graph_mfn.t_network.1.0": "graph.nodes.4.1",
    "graph_mfn.efficacy_model.0": "graph.efficacies.0",
    "graph_mfn.efficacy_model.1.0": "graph.efficacies.1",
    "graph_mfn.efficacy_model.2": "graph.efficacies.2",
    "att2_fc1": "memory.candidate.0",
    "att2_fc2": "memory.candidate.3",
    "gamma1_fc1": "memory.retain.0",
    "gamma1_fc2": "memory.retain.3",
    "gamma2_fc1": "memory.update.0",
    "gamma2_fc2": "memory.update.3",
    "out_fc1": "output.0",
    "out_fc2": "output.3",
}
# Which of their inputs each of ours is; theirs are 0, 1, 2, 01, 02, 12, 012, as far as a node has them.
SETS = [1, 0, 2, 3, 5, 4, 6]
COLUMNS = {
    "graph.nodes.0.0.weight": [1, 0],
    "graph.nodes.3.0.weight": SETS[:6],
    "graph.nodes.4.0.weight": SETS,
    "graph.efficacies.0.weight": [1, 0, 2],
}
# Theirs: two of 01, two of 02, two of 12, six of 012, seven of the last node.
EFFICACIES = [1, 0, 4, 5, 2, 3, *(6 + k for k in SETS[:6]), *(12 + k for k in SETS)]


def options(arguments):
    return {"hidden": arguments["hidden_dim"], "memory": arguments["mem_dim"]}


def translate(theirs, arguments):
    hidden = arguments["hidden_dim"]
    ours = renamed(theirs, PARTS)
    for key, order in COLUMNS.items():
        ours[key] = rearranged(ours[key], 1, [hidden] * len(order), order)
    for key in ("graph.efficacies.2.weight", "graph.efficacies.2.bias"):
        ours[key] = ours[key][EFFICACIES]
    last = [hidden] * 3 + [arguments["mem_dim"]]
    ours["output.0.weight"] = rearranged(ours["output.0.weight"], 1, last, [1, 0, 2, 3])
    return ours
