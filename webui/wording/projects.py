"""Words of the page Projects."""

from typing import Final

from webui.wording.block import Block

PROJECTS: Final[Block] = {
    "projects.tab": ("项目", "Projects"),
    "projects.list": ("项目", "Projects"),
    "projects.current": ("当前", "current"),
    "projects.summary": ("{documents} 条 · {labels} 个标签", "{documents} texts · {labels} labels"),
    "projects.switch": ("切换到项目 {name}", "Work on project {name}"),
    "projects.new": ("新建项目", "New project"),
    "projects.new_name": ("名称", "Name"),
    "projects.new_labels": ("标签，用逗号或空格隔开", "Labels, separated by commas or blanks"),
    "projects.new_labels_of": ("取自模型", "Those of"),
    "projects.new_labels_own": ("自己写", "My own"),
    "projects.create": ("新建", "Create"),
    "projects.name": ("项目名称", "Project name"),
    "projects.save": ("保存", "Save"),
    "projects.model": ("给出建议的模型", "Model that suggests"),
    "projects.model_best": (
        "自动：标签最相符的（{model}）",
        "Automatic: the one that fits ({model})",
    ),
    "projects.model_none": ("自动（没有合适的模型）", "Automatic (none fits)"),
    "projects.model_gone": ("{model}（现在没有）", "{model} (not on offer now)"),
    "projects.guideline": ("总则", "Guideline for all labels"),
    "projects.guideline_hint": (
        "对所有标签都适用的说明；标注时显示在编辑器旁。",
        "What holds for all labels; it stands beside the editor.",
    ),
    "projects.independence": ("多人独立标注", "Independent annotation"),
    "projects.independence_hint": (
        "同一条由几个人各自标注，裁定之前互相看不到，这样量出的一致性才可信。几份结果相同就自动定稿，"
        "不同的到“复核”页裁定；在此之前这一条算未审，不导出也不用来训练。每个人要用自己的名字登录或填写姓名。",
        (
            "Several people label the same text and do not see each other's work, so that their "
            "agreement means something. Where all say the same, the text is settled; where they "
            "differ, the page Review decides. Until then it counts as new: it is not exported as "
            "accepted and trains no model. Everybody needs a name of their own."
        ),
    ),
    "projects.annotators": ("每条的标注人数", "Annotators per text"),
    "projects.annotators_one": ("1 人", "1"),
    "projects.annotators_some": ("{count} 人各自标注", "{count}, independently"),
    "projects.percent": ("占文本的百分比", "Percent of the texts"),
    "projects.percent_invalid": (
        "百分比是 1 到 100 的整数。",
        "The percentage is a whole number from 1 to 100.",
    ),
    "projects.independence_counts": (
        "选中 {chosen} 条；{waiting} 条还等其他人标注，{undecided} 条等复核裁定。",
        "{chosen} texts chosen; {waiting} wait for other annotators, {undecided} for a decision.",
    ),
    "projects.labels": ("标签", "Labels"),
    "projects.labels_hint": (
        "顺序就是数字键的顺序。改名不影响已有标注：历史与导出都用新名；用过的旧名不能再给别的标签。",
        (
            "Their order is that of the digit keys. A rename loses no annotation: history and "
            "exports have the new name, and the old one never goes to another label."
        ),
    ),
    "projects.key": ("快捷键", "Key"),
    "projects.color": ("颜色", "Colour"),
    "projects.label": ("标签名", "Label"),
    "projects.chinese": ("中文名", "Chinese name"),
    "projects.english": ("英文名", "English name"),
    "projects.uses": ("条数", "Texts"),
    "projects.former": ("曾名 {names}", "formerly {names}"),
    "projects.up": ("上移 {label}", "Move {label} up"),
    "projects.down": ("下移 {label}", "Move {label} down"),
    "projects.remove": ("删除 {label}", "Remove {label}"),
    "projects.label_guideline": ("{label} 的说明", "Guideline of {label}"),
    "projects.guideline_open": ("说明", "Guideline"),
    "projects.in_use": (
        "有 {count} 条文本用到标签 {label}，不能删除。请先改掉这些标注，或给标签改名。",
        (
            "{count} texts have entities of {label}, so it cannot be removed. Change those first, "
            "or rename the label."
        ),
    ),
    "projects.add": ("添加标签", "Add a label"),
    "projects.add_run": ("添加", "Add"),
    "projects.unusual_color": (
        "深色或浅色背景上对比度不足 3:1，可能看不清。",
        "Less than 3:1 contrast on a light or dark page: it may be hard to see.",
    ),
    "projects.saved": ("已保存", "Saved"),
    "projects.label_taken": (
        "标签 {name} 已有，或曾是另一个标签的名称。请换一个。",
        "{name} is a label already, or was the name of another one. Choose another name.",
    ),
    "projects.label_invalid": (
        "标签名为 1 至 200 个字符，不能有空格。",
        "A label has 1 to 200 characters and no blanks.",
    ),
    "projects.name_taken": ("已有名为 {name} 的项目。", "There is a project {name} already."),
    "projects.name_invalid": (
        "项目名称为 1 至 200 个字符，不能全是空格。",
        "A project's name has 1 to 200 characters, not only blanks.",
    ),
    "projects.last_label": ("至少要有一个标签。", "There must be at least one label."),
}
