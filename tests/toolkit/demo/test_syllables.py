"""From characters to sounds."""

from toolkit.demo.syllables import FORMANTS, NOISES, PAUSES, syllables


def test_one_syllable_per_character_and_a_pause_per_comma():
    sounds = syllables("唉，我很难过。")
    assert [sound.pause for sound in sounds] == [0.0, 0.12, 0.0, 0.0, 0.0, 0.0, PAUSES["。"]]


def test_the_same_word_always_sounds_the_same():
    assert syllables("生气") == syllables("我很生气")[2:]
    assert len({syllables(letter)[0] for letter in "我你他很生气开心难过"}) > 5


def test_sounds_are_ones_the_synthesiser_has():
    for sound in syllables("这件事让我真的很开心我在楼下等你"):
        assert sound.start in FORMANTS
        assert sound.end in FORMANTS
        assert sound.consonant in {*NOISES, "m", ""}


def test_empty_text():
    assert syllables("  ") == []
