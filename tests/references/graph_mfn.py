"""The graph memory fusion network."""

from references.mfn import options
from references.vectors import HEADS, renamed

ORDER = ("texts", "audios", "videos")
PARTS = HEADS | {
    "lstm_l": "lstm.cells.0",
    "lstm_a": "lstm.cells.1",
    "lstm_v": "lstm.cells.2",
    "l_transform": "singles.0",
    "a_transform": "singles.1",
    "v_transform": "singles.2",
    # The nodes of sets stand among the weights that the reference forgot to register.
    **{f"{nodes}.0": f"graph.nodes.{number}.0" for number, nodes in enumerate(("01", "02", "12", "012"))},
    **{f"{nodes}.1.0": f"graph.nodes.{number}.1" for number, nodes in enumerate(("01", "02", "12", "012"))},
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

__all__ = ["ORDER", "options", "translate"]


def translate(theirs, arguments):
    return renamed(theirs, PARTS)
