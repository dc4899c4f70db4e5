"""Every word of the interface by language: `TEXTS["zh"]` and `TEXTS["en"]` hold the same keys.

The words themselves stand in `webui.wording`, a module for each page, both languages side by side,
so that no page can miss a word in one of them.
"""

from typing import Final, Literal

from webui.wording.annotate import ANNOTATE
from webui.wording.block import Block
from webui.wording.data import DATA
from webui.wording.page import PAGE
from webui.wording.predict import PREDICT
from webui.wording.projects import PROJECTS
from webui.wording.queue import QUEUE
from webui.wording.review import REVIEW
from webui.wording.statistics import STATISTICS
from webui.wording.tour import TOUR
from webui.wording.train import TRAIN

Language = Literal["zh", "en"]

_ALL: Final[Block] = (
    PAGE | PREDICT | ANNOTATE | DATA | PROJECTS | QUEUE | REVIEW | STATISTICS | TOUR | TRAIN
)

TEXTS: Final[dict[Language, dict[str, str]]] = {
    "zh": {key: chinese for key, (chinese, _) in _ALL.items()},
    "en": {key: english for key, (_, english) in _ALL.items()},
}
