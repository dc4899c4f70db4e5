"""Fifty sentences to correct, written for this project, with what a model got wrong in them.

Ten sentence frames are filled with names, so that a mention stands at the beginning, in the middle
and at the end. Each fifth sentence is right as it is; the others have one mistake each.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, cycle, islice
from typing import Final, Literal

from ner_core.spans import Span

Mistake = Literal["none", "missed", "label", "border", "invented"]
MISTAKES: Final[tuple[Mistake, ...]] = ("none", "missed", "label", "border", "invented")

_FRAMES: Final = (
    "{company}{position}{name}昨天在{address}接受了采访，没有谈到明年的打算。",
    "去年秋天，{name}陪父母游览了{scene}，一路上都在读{book}。",
    "据{government}通报，{address}的大雨已经造成多处道路中断。",
    "{organization}客场获胜以后，{position}{name}说球员们需要休息几天。",
    "玩过{game}的人多半也看过{movie}，两部作品讲的却不是同一个故事。",
    "新书{book}的作者{name}曾经是{company}的{position}，如今住在{address}。",
    "{government}与{organization}商定，下月起在{scene}举办为期三天的讲座。",
    "影片{movie}在{address}首映，{name}饰演一位退休的{position}。",
    "这家店开在{scene}旁边，老板{name}以前在{company}上班。",
    "今年{game}的决赛由{company}承办，{position}们提前一周到了{address}。",
)
_NAMES: Final = {
    "address": ("苏州市吴中区", "滨江路", "成都", "青石镇", "海淀区学院路"),
    "book": ("《围城》", "《本草图谱》", "《数学之旅》", "《边城》", "《菜根谭》"),
    "company": ("华景科技公司", "浙江南方银行", "晨光网", "远洋运输集团", "万和食品"),
    "game": ("《星海征途》", "魔幻大陆2", "《三国志》", "飞车传奇", "《古墓探秘》"),
    "government": ("气象局", "市教育局", "国家文物局", "海关总署", "交通运输部"),
    "movie": ("《归途》", "《城南旧事》", "《白夜行船》", "《大河向东》", "《雪人》"),
    "name": ("林若溪", "欧阳志远", "老赵", "陈嘉树", "玛丽亚"),
    "organization": ("青年足球队", "作家协会", "蓝鲸乐团", "登山社", "红十字会"),
    "position": ("总经理", "记者", "主教练", "教授", "秘书长"),
    "scene": ("西湖", "莫高窟", "玉泉公园", "黄山", "钟楼"),
}
# Of each pair a model takes one for the other.
_CONFUSED: Final = {
    "address": "scene",
    "scene": "address",
    "book": "movie",
    "movie": "book",
    "game": "movie",
    "company": "organization",
    "organization": "company",
    "government": "organization",
    "name": "position",
    "position": "name",
}
_INVENTED: Final = re.compile("昨天|多处|球员|人多半|新书|下月|影片|老板|决赛|父母")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text, what is in it, and what a model made of it.

    Attributes:
        text: The sentence.
        gold_spans: What is to be labelled.
        suggestions: The model's spans, with probabilities; one mistake at most.
        mistake: Which one.
        wrong: The gold span that the model got wrong, for "invented" the model's span; else None.
    """

    text: str
    gold_spans: tuple[Span, ...]
    suggestions: tuple[Span, ...]
    mistake: Mistake
    wrong: Span | None


def make_sentences(num_sentences: int) -> list[Sentence]:
    """The first so many sentences; the same ones each time."""
    names = {label: cycle(mentions) for label, mentions in _NAMES.items()}
    return list(islice(_fill_frames(names), num_sentences))


def _fill_frames(names: dict[str, "cycle[str]"]) -> Iterator[Sentence]:
    for index in count():
        frame = _FRAMES[(index // len(MISTAKES) + index) % len(_FRAMES)]
        text = ""
        spans: list[Span] = []
        for part in re.split(r"(\{\w+\})", frame):
            if not part.startswith("{"):
                text += part
                continue
            label = part.strip("{}")
            mention = next(names[label])
            spans.append(Span(len(text), len(text) + len(mention), label))
            text += mention
        # A number makes each text new to the store.
        yield _make_mistake(f"{text}（{index + 1}）", spans, index)


def _make_mistake(text: str, spans: list[Span], index: int) -> Sentence:
    mistake = MISTAKES[index % len(MISTAKES)]
    place = index // len(MISTAKES) % len(spans)
    wrong: Span | None = spans[place]
    suggested = [replace(span, score=0.9) for span in spans]
    if mistake == "none":
        wrong = None
    elif mistake == "missed":
        del suggested[place]
    elif mistake == "label":
        suggested[place] = replace(suggested[place], label=_CONFUSED[spans[place].label])
    elif mistake == "border":
        suggested[place] = replace(suggested[place], end=suggested[place].end - 1)
    else:
        match = _INVENTED.search(text)
        assert match is not None, text
        wrong = Span(match.start(), match.end(), "position", 0.4)
        suggested = sorted([*suggested, wrong])
    return Sentence(text, tuple(spans), tuple(suggested), mistake, wrong)
