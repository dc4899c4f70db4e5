"""What each label is for, until a project says it in its own words.

Short and in our own wording, after the rules by which CLUENER was annotated
(https://github.com/CLUEbenchmark/CLUENER2020) and those of MSRA's corpus (SIGHAN Bakeoff 2006).
"""

from collections.abc import Mapping
from typing import Final

from webui.wording.block import Block

_GENERAL: Final = "general"

_DEFAULT: Final[Block] = {
    _GENERAL: (
        "同一个词出现几次就标几次。一段文字确实属于两类时，打开“允许实体重叠”，标两个标签。",
        "Label a name each time it occurs. Where a piece of text truly is of two kinds,"
        " allow entities to overlap and give it both labels.",
    ),
    "address": (
        "省、市、区县、街道、门牌、村镇的名称，单独出现也算。相连的几级是一个实体，写到哪级就标到哪级。"
        "例：浦东新区张杨路。",
        "Names of provinces, cities, districts, streets, houses and villages, also on their own."
        " Levels written together are one entity, down to the finest.",
    ),
    "book": (
        "能当书买到的东西：小说、教材、杂志、图册，纸质和电子都算。书名号标不标进去，全项目要一致。",
        "What is sold as a book: novels, textbooks, magazines, atlases, on paper or not."
        " Include the marks 《》 always or never.",
    ),
    "company": (
        "公司、集团、商业银行、媒体和网站，简称也算。例：招行、新华网。中央银行属于政府。",
        "Companies, groups, commercial banks, media and websites, short names too."
        " A central bank is government.",
    ),
    "game": (
        "游戏的名称，连同系列名和代数。与小说、影视同名时，看句子里说的是哪一个。",
        "Names of games with their series and number. Where a novel or film has the same name,"
        " the sentence decides.",
    ),
    "government": (
        "中央和地方的行政机关，以及军队。机关名前面的地名一起标。例：海关总署、尼日利亚海军。",
        "Central and local authorities, and armed forces."
        " A place name in front belongs to the authority's name.",
    ),
    "movie": (
        "在影院放映的作品：故事片、动画片、纪录片。与书同名时看上下文。",
        "What is shown in cinemas: feature, animated and documentary films."
        " Where a book has the same name, the context decides.",
    ),
    "name": (
        "人的名字：真人和虚构人物的姓名、外号、人人皆知的别称。称呼和职务不标进去。例：叶老桂、及时雨。",
        "Names of people, real or invented, with nicknames and well-known bynames."
        " Titles and positions are left out.",
    ),
    "organization": (
        "公司和政府以外的团体：球队、乐队、协会、社团、帮派。例：曼联、丐帮。",
        "Groups that are neither company nor government: teams, bands, associations, gangs.",
    ),
    "position": (
        "职务和职业，古今都算，不带姓名和单位。例：总经理、巡抚、记者。",
        "Posts and professions, of today and of old, without the person and the employer.",
    ),
    "scene": (
        "供人游览的地方：公园、名胜、山川。只当行政区或位置来说时，标地址。例：长城、黄河。",
        "Places that people visit: parks, sights, mountains and rivers."
        " Where only the location is meant, it is an address.",
    ),
    "PER": (
        "人名，不带称呼和职务。",
        "Names of people, without titles and positions.",
    ),
    "LOC": (
        "地名：国家、省市、山川、道路、景点。机构名里的地名不单独标。",
        "Names of places: countries, cities, mountains and rivers, roads, sights."
        " Not inside the name of an organization.",
    ),
    "ORG": (
        "机构名：公司、政府机关、学校、团体，标全称。",
        "Names of companies, authorities, schools and groups, in full.",
    ),
}


def default_guideline(label: str | None) -> Mapping[str, str]:
    """What a label is for, by language; of no label (None): what holds for all.

    Empty texts for a label that nobody has described here.
    """
    chinese, english = _DEFAULT.get(_GENERAL if label is None else label, ("", ""))
    return {"zh": chinese, "en": english}
