"""What the demo's people say, in Chinese and English, and the open-set words that describe them."""

from typing import NamedTuple

import numpy as np


class Sentence(NamedTuple):
    """The same said twice."""

    chinese: str
    english: str


Pair = tuple[str, str]

# Said of oneself; goes into a carrier.
FEELINGS: dict[str, tuple[Pair, ...]] = {
    "neutral": (("还可以", "all right"), ("很平静", "calm"), ("没什么感觉", "nothing special"), ("都一样", "the same"),
                ("挺正常的", "quite normal")),
    "angry": (("很生气", "angry"), ("气得不行", "so mad"), ("非常愤怒", "furious"), ("很恼火", "annoyed"),
              ("忍不下去了", "fed up"), ("一肚子火", "boiling with rage")),
    "happy": (("很开心", "happy"), ("真高兴", "glad"), ("特别快乐", "joyful"), ("很满足", "content"),
              ("好幸福", "blessed"), ("心情很好", "in a good mood")),
    "sad": (("很难过", "sad"), ("好伤心", "heartbroken"), ("心里很痛", "hurt"), ("特别失落", "lost and down"),
            ("想哭", "close to tears"), ("很孤单", "lonely")),
    "worried": (("很担心", "worried"), ("有点害怕", "a little afraid"), ("非常紧张", "nervous"), ("心里不安", "uneasy"),
                ("很着急", "anxious"), ("放心不下", "restless")),
    "surprise": (("很惊讶", "surprised"), ("大吃一惊", "taken aback"), ("不敢相信", "in disbelief"),
                 ("太意外了", "caught by surprise"), ("吓了一跳", "startled")),
}  # fmt: skip
CARRIERS: tuple[Pair, ...] = (
    ("我{}", "I am {}"),
    ("我现在{}", "Right now I am {}"),
    ("这件事让我{}", "This makes me {}"),
    ("听他一说我{}", "Hearing him, I am {}"),
    ("想到明天我{}", "Thinking of tomorrow I am {}"),
    ("老实说我{}", "Honestly, I am {}"),
)
# Whole sentences that mostly belong to one emotion.
SAYINGS: dict[str, tuple[Pair, ...]] = {
    "neutral": (
        ("会议改到下午三点", "The meeting is moved to three"), ("我在楼下等你", "I am waiting downstairs"),
        ("文件放在桌子上了", "The file is on the table"), ("今天是星期三", "Today is Wednesday"),
        ("我们先吃饭吧", "Let us eat first"), ("地铁站在前面", "The subway is ahead"),
        ("他下周出差", "He travels next week"), ("这本书有两百页", "This book has two hundred pages"),
    ),
    "angry": (
        ("你给我出去", "Get out of here"), ("你到底想怎么样", "What on earth do you want"),
        ("别再骗我了", "Stop lying to me"), ("你凭什么这么说", "How dare you say that"),
        ("我受够你了", "I have had enough of you"), ("闭嘴，别说了", "Shut up, not a word more"),
        ("真是太过分了", "This is going too far"), ("你还敢顶嘴", "You dare to talk back"),
    ),
    "happy": (
        ("太好了，我们赢了", "Great, we won"), ("今天真是个好日子", "What a lovely day"),
        ("谢谢你的礼物", "Thank you for the gift"), ("终于放假了", "Holidays at last"),
        ("我喜欢这首歌", "I love this song"), ("恭喜恭喜", "Congratulations"),
        ("孩子考上大学了", "My child got into university"), ("我们笑了一整天", "We laughed all day"),
    ),
    "sad": (
        ("他再也不会回来了", "He is never coming back"), ("我什么都没有了", "I have nothing left"),
        ("为什么离开我", "Why did you leave me"), ("都是我的错", "It is all my fault"),
        ("我好想妈妈", "I miss my mother so much"), ("一切都结束了", "It is all over"),
        ("没有人懂我", "Nobody understands me"), ("我们分手了", "We broke up"),
    ),
    "worried": (
        ("这可怎么办啊", "What shall we do now"), ("他怎么还没回来", "Why is he not back yet"),
        ("不会出什么事吧", "I hope nothing happened"), ("医生怎么说的", "What did the doctor say"),
        ("我怕来不及了", "I fear it is too late"), ("万一失败了呢", "What if it fails"),
        ("外面好像有人", "I think someone is outside"), ("千万要小心啊", "Please be careful"),
    ),
    "surprise": (
        ("什么，你再说一遍", "What, say that again"), ("这怎么可能", "How is that possible"),
        ("你怎么会在这里", "How come you are here"), ("天哪，真的吗", "My goodness, really"),
        ("原来是你啊", "So it was you"), ("我没看错吧", "Do my eyes deceive me"),
        ("居然下雪了", "It is actually snowing"), ("他竟然同意了", "He agreed, of all things"),
    ),
}  # fmt: skip
# Sentences that go with anything.
AMBIGUOUS: tuple[Pair, ...] = (
    ("他今天又来了", "He came again today"), ("我刚接到电话", "I just got a call"), ("你自己看吧", "See for yourself"),
    ("事情就是这样", "That is how it is"), ("我知道了", "I see"), ("他们都走了", "They have all left"),
    ("明天就要考试了", "The exam is tomorrow"), ("你说得对", "You are right"), ("门是开着的", "The door is open"),
    ("这是他写的信", "This is the letter he wrote"), ("我等了三个小时", "I waited three hours"),
    ("老板叫你过去", "The boss is calling you"), ("又是你", "You again"), ("他真的做了", "He really did it"),
)  # fmt: skip
OPENERS: dict[str, tuple[Pair, ...]] = {
    "neutral": (("嗯，", "Well, "), ("那个，", "So, ")),
    "angry": (("喂，", "Hey, "), ("够了，", "Enough, ")),
    "happy": (("哈哈，", "Haha, "), ("哇，", "Wow, ")),
    "sad": (("唉，", "Sigh, "), ("算了，", "Never mind, ")),
    "worried": (("糟了，", "Oh no, "), ("哎呀，", "Oh dear, ")),
    "surprise": (("啊，", "Ah, "), ("咦，", "Huh, ")),
}
PLAIN_OPENERS: tuple[Pair, ...] = (("你看，", "Look, "), ("其实，", "Actually, "), ("对了，", "By the way, "))
ENDS: dict[str, Pair] = {"neutral": ("。", "."), "angry": ("！", "!"), "happy": ("！", "!"), "sad": ("。", "."),
                         "worried": ("。", "."), "surprise": ("？", "?")}  # fmt: skip

# Open-set words, mild, middling and strong.
OPENSET: dict[str, tuple[tuple[str, ...], ...]] = {
    "neutral": (("calm", "relaxed"), ("neutral", "calm"), ("serious", "indifferent")),
    "angry": (("dissatisfied", "annoyed", "impatient"), ("angry", "irritated", "resentful"),
              ("furious", "angry", "indignant")),
    "happy": (("content", "pleased", "relaxed"), ("happy", "cheerful", "joyful"), ("excited", "delighted", "happy")),
    "sad": (("disappointed", "lonely", "helpless"), ("sad", "sorrowful", "hurt"),
            ("heartbroken", "sad", "desperate")),
    "worried": (("uneasy", "concerned", "hesitant"), ("worried", "nervous", "anxious"),
                ("afraid", "anxious", "panicked")),
    "surprise": (("curious", "confused"), ("surprised", "amazed"), ("shocked", "astonished", "surprised")),
}  # fmt: skip


def say_something(emotion: str, strength: float, generator: np.random.Generator) -> Sentence:
    """Returns a sentence whose words tell of an emotion, more or less.

    Args:
        emotion: one of `SAYINGS`
        strength: of what the words tell; where it is below 0.4 they would go with anything
        generator: draws the words
    """
    telling = strength >= 0.4
    kind = generator.random()
    if not telling:
        body = _draw(AMBIGUOUS, generator)
    elif kind < 0.55:
        carrier, feeling = _draw(CARRIERS, generator), _draw(FEELINGS[emotion], generator)
        body = (carrier[0].format(feeling[0]), carrier[1].format(feeling[1]))
    else:
        body = _draw(SAYINGS[emotion], generator)
    luck = generator.random()
    own = telling and luck < 0.3
    opener = _draw(OPENERS[emotion] if own else PLAIN_OPENERS, generator) if luck < 0.5 else ("", "")
    end = ENDS[emotion] if telling and generator.random() < 0.6 else ENDS["neutral"]
    start = body[1] if not opener[1] or body[1].startswith("I ") else body[1][0].lower() + body[1][1:]
    return Sentence(opener[0] + body[0] + end[0], opener[1] + start + end[1])


def describe(emotion: str, intensity: float, others: list[str], generator: np.random.Generator) -> tuple[str, ...]:
    """Returns one to four open-set words.

    Args:
        emotion: what is felt
        intensity: 0 mild to 1 strong, which chooses among the words
        others: what else is shown; each may add a word of its own
        generator: draws the words
    """
    level = min(int(intensity * 3), 2)
    near = [*OPENSET[emotion][level], *OPENSET[emotion][max(level - 1, 0)]]
    count = int(generator.integers(1, 4))
    words = [OPENSET[emotion][level][0], *generator.permutation(near).tolist()[: count - 1]]
    also = [other for other in others if other not in (emotion, "neutral")]
    words += [OPENSET[other][0][0] for other in also if generator.random() < 0.5]
    return tuple(dict.fromkeys(words))[:4]


def _draw(pairs: tuple[Pair, ...], generator: np.random.Generator) -> Pair:
    return pairs[int(generator.integers(len(pairs)))]
