"""The example texts of the first page."""

from dataclasses import dataclass
from typing import Final

from ner_core.labels import LabelSet


@dataclass(frozen=True, slots=True)
class PageExample:
    """One example of the first page.

    Attributes:
        label: The label it is chosen for; None when it is about something else.
        text: The text, written for this project.
        name_key: Key of its name in `webui.texts`; "" when it is named by its label.
    """

    label: str | None
    text: str
    name_key: str = ""


_BY_LABEL: Final = (
    PageExample("address", "从成都市武侯区人民南路四段出发，骑车二十分钟就能到锦江边。"),
    PageExample("book", "她把《百年孤独》和《活着》一起放进了行李箱。"),
    PageExample("company", "浙商银行与华为技术有限公司昨日在杭州签署合作协议。"),
    PageExample("game", "周末他和室友通宵打《英雄联盟》，又输给了玩《魔兽争霸》长大的表哥。"),
    PageExample("government", "教育部和国家发改委联合下发通知，要求各省教育厅月底前上报。"),
    PageExample("movie", "《流浪地球》上映首日，票房就超过了《战狼2》。"),
    PageExample("name", "张艺谋与李安同台领奖，主持人撒贝宁妙语连珠。"),
    PageExample("organization", "北京国安客场战平上海申花，皇家马德里则三球大胜。"),
    PageExample("position", "公司董事长兼总经理表示，新任首席财务官下周到岗。"),
    PageExample("scene", "国庆长假，故宫、颐和园和八达岭长城都挤满了游客。"),
    PageExample("PER", "张艺谋与李安同台领奖，主持人撒贝宁妙语连珠。"),
    PageExample("LOC", "从成都出发，经西安到兰州，列车全程要走九个小时。"),
    PageExample("ORG", "联合国教科文组织与北京大学共同举办了论坛。"),
)
_FOR_ALL: Final = (
    PageExample(None, "今天的风很大，走在路上眼睛都睁不开。", "predict.example_none"),
    PageExample(
        None, "终于见到刘德华本人了😭🎉，𠮷野家门口排队两小时也值👨‍👩‍👧！", "predict.example_emoji"
    ),
)


def examples_for(labels: LabelSet) -> tuple[PageExample, ...]:
    """One example for each label of the set that has one, then those that suit every set."""
    by_label = {example.label: example for example in _BY_LABEL}
    return (
        *(by_label[label] for label in labels.labels if label in by_label),
        *_FOR_ALL,
    )
