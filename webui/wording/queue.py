"""Words of the queue bar above the editor."""

from typing import Final

from webui.wording.block import Block

QUEUE: Final[Block] = {
    "queue.name": ("队列", "Queue"),
    "queue.order": ("顺序", "Order"),
    "queue.order_path": ("最不确定的在前", "Most uncertain first"),
    "queue.order_token": ("最没把握的字在前", "Least certain character first"),
    "queue.order_random": ("随机", "Random"),
    "queue.order_position": ("按添加顺序", "As they were added"),
    "queue.order_path_hint": (
        "模型对整篇标注的把握（按字平均）越小越靠前",
        "By the probability of the model's whole tagging, per character",
    ),
    "queue.order_token_hint": (
        "模型最没把握的那个字，把握越小越靠前",
        "By the character of which the model is least certain",
    ),
    "queue.status": ("状态", "Status"),
    "queue.status_all": ("全部", "All"),
    "queue.filter": ("筛选", "Filter"),
    "queue.filter_active": ("筛选 · {count}", "Filter · {count}"),
    "queue.label": ("标签", "Label"),
    "queue.any_label": ("任意标签", "Any label"),
    "queue.annotator": ("标注者", "Annotator"),
    "queue.any_annotator": ("任何人", "Anybody"),
    "queue.query": ("文本包含", "Text contains"),
    "queue.differs": ("模型与人工不同", "Model and human differ"),
    "queue.clear": ("清除筛选", "Clear"),
    "queue.count": ("{count} 条", "{count} in the queue"),
    "queue.count_held": (
        "{count} 条，其中 {held} 条有人在标",
        "{count} in the queue, others work on {held}",
    ),
    "queue.left_out": ("；另有 {left} 条等其他人", "; {left} more wait for others"),
    "queue.left_out_hint": (
        "多人独立标注的文本：你已标过，正等其他人标注，或等复核裁定。",
        "Texts that several people label: you have done yours, or a reviewer is to decide.",
    ),
    "queue.reading": (
        "{model} 正在通读：{read} / {total}",
        "{model} is reading: {read} / {total}",
    ),
    "queue.reading_hint": (
        "读完的文本才能按不确定程度排序，未读的排在后面。",
        "Texts are ranked once they have been read; the others come last.",
    ),
    "queue.reading_failed": (
        "{model} 无法通读文本，详见服务器日志。",
        "{model} cannot read the texts; the server's log says why.",
    ),
    "queue.no_model": (
        "没有模型认识本项目的标签，因此不能按不确定程度排序。",
        "No model knows the labels of this project, so nothing can be ranked.",
    ),
}
