"""The one number of tracks that ask for emotion and valence together."""

VALENCE_WEIGHT = 0.25  # MER2023 paper (arXiv 2304.08981), section 4: metric of MER-MULTI and MER-NOISE


def emotion_valence_score(weighted_f1: float, mean_squared_error: float) -> float:
    """Returns ``WAF - 0.25 MSE``, both on their own scale (WAF from 0 to 1, MSE in squared valence points).

    Examples:
        >>> emotion_valence_score(0.75, 1.0)
        0.5
    """
    return weighted_f1 - VALENCE_WEIGHT * mean_squared_error
