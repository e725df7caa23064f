"""The encoders, one per modality, that several networks begin with."""

MODALITIES = ("audio", "text", "video")  # theirs, by our numbers


def encoders(arguments):
    """Returns our name of each part of their encoders, as `references.vectors.renamed` takes them."""
    parts = {}
    for number, modality in enumerate(MODALITIES):
        theirs, ours = f"{modality}_encoder", f"encoders.{number}"
        if arguments["feat_type"] == "utt":
            parts |= {f"{theirs}.linear_{layer + 1}": f"{ours}.linear.{layer}" for layer in range(3)}
        else:
            parts |= {f"{theirs}.rnn": f"{ours}.rnn", f"{theirs}.linear_1": f"{ours}.linear"}
    return parts
