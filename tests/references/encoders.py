"""The encoders, one per modality, that several networks begin with."""


def encoders(order, arguments):
    """Returns our name of each part of their encoders, as `references.vectors.renamed` takes them.

    Args:
        order: their names of what the encoders read, by our numbers
        arguments: what the reference was built with
    """
    parts = {}
    for number, read in enumerate(order):
        theirs, ours = f"{read.removesuffix('s')}_encoder", f"encoders.{number}"
        parts |= layers(theirs, ours) if arguments["feat_type"] == "utt" else sequence_layers(theirs, ours)
    return parts


def layers(theirs, ours):
    """Returns our name of each layer of an encoder of vectors."""
    return {f"{theirs}.linear_{number + 1}": f"{ours}.linear.{number}" for number in range(3)}


def sequence_layers(theirs, ours):
    """Returns our name of each part of an encoder of sequences."""
    return {f"{theirs}.rnn": f"{ours}.rnn", f"{theirs}.linear_1": f"{ours}.linear"}
