"""Random numbers by purpose."""

from toolkit.seeds import generator_for


def test_pinned():
    """The same seed draws the same in every version of the toolkit."""
    assert generator_for(0, "noise", "clip").integers(1_000_000, size=3).tolist() == [880606, 170562, 442380]


def test_same_purpose_same_numbers_and_any_other_others():
    draws = [
        generator_for(seed, *purpose).integers(2**62)
        for seed, purpose in [(1, ("a", "b")), (2, ("a", "b")), (1, ("b", "a")), (1, ("ab",)), (1, ("a",)), (1, ())]
    ]
    assert len(set(draws)) == 6
    assert generator_for(1, "a", "b").integers(2**62) == draws[0]
