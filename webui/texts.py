"""Every word of the interface, Chinese and English, side by side.

A block belongs to one page; each key names the page first ("annotate.save"). `TEXTS["zh"]` and
`TEXTS["en"]` hold the same keys, so that no page can miss a word in one language.
"""

from typing import Final, Literal

Language = Literal["zh", "en"]

# key -> (Chinese, English); a word in braces is filled in where the text is shown.
_Block = dict[str, tuple[str, str]]

PAGE: Final[_Block] = {
    "page.title": ("中文实体标注工作台", "Chinese NER Workbench"),
    "page.switch_language": ("切换到英文界面", "Switch to the Chinese interface"),
    "page.switch_theme": ("切换深色或浅色", "Switch between dark and light"),
}

PREDICT: Final[_Block] = {
    "predict.tab": ("识别", "Predict"),
}

ANNOTATE: Final[_Block] = {
    "annotate.tab": ("标注", "Annotate"),
}

DATA: Final[_Block] = {
    "data.tab": ("数据", "Data"),
}

_ALL: Final[_Block] = PAGE | PREDICT | ANNOTATE | DATA

TEXTS: Final[dict[Language, dict[str, str]]] = {
    "zh": {key: chinese for key, (chinese, _) in _ALL.items()},
    "en": {key: english for key, (_, english) in _ALL.items()},
}
