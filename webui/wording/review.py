"""Words of the page Review."""

from typing import Final

from webui.wording.block import Block

REVIEW: Final[Block] = {
    "review.tab": ("复核", "Review"),
    "review.compare_tab": ("比较", "Compare"),
    "review.lint_tab": ("检查", "Lint"),
    "review.left": ("左：谁的标注", "Left: whose version"),
    "review.right": ("右：谁的标注", "Right: whose version"),
    "review.side_confirmed": ("当前定稿", "What counts now"),
    "review.side_human": ("{name}", "{name}"),
    "review.side_unnamed": ("未署名", "No name given"),
    "review.side_import": ("导入 {name}", "Imported {name}"),
    "review.side_model": ("模型 {name}", "Model {name}"),
    "review.side_count": ("{side}（{count} 条）", "{side} ({count} texts)"),
    "review.group_confirmed": ("定稿", "Settled"),
    "review.group_people": ("标注者", "Annotators"),
    "review.group_models": ("模型", "Models"),
    "review.compare": ("比较", "Compare"),
    "review.stop": ("停止", "Stop"),
    "review.reading": (
        "模型正在阅读：{done} / {total} 条",
        "The model is reading: {done} of {total} texts",
    ),
    "review.waiting": ("正在比较……", "Comparing …"),
    "review.stopped": (
        "已停止。再按“比较”会从停下的地方继续。",
        "Stopped. “Compare” goes on from there.",
    ),
    "review.same_sides": (
        "请选择不同的两方，其中最多一个是模型。",
        "Choose two different sides, at most one of them a model.",
    ),
    "review.no_documents": (
        "还没有文本。请先在“数据”页添加文本，再到“标注”页标注。",
        "No texts yet. Add some on the page Data, then label them on the page Annotate.",
    ),
    "review.nothing_labelled": (
        "还没有人标注过。请先在“标注”页确认几条，再回来和模型比较。",
        "Nobody has labelled anything yet. Accept some texts on the page Annotate, then come back.",
    ),
    "review.one_annotator": (
        "目前只有一位标注者，可以和模型比较。要比较两位标注者，请第二位用自己的名字在“标注”页打开并保存同样的文本。",
        (
            "There is one annotator so far, to be compared with a model. To compare two, the "
            "second one opens and saves the same texts on the page Annotate under their own name."
        ),
    ),
    "review.many_annotators": (
        "只比较两方都标过的文本，取每人自己的最新版本。后标的人看得到前一版，一致性会偏高；要量得准，请在“项目”页设多人独立标注。",
        (
            "Compared are the texts that both have labelled, each in their own newest version. "
            "Agreement comes out too high where the second had the first one's version before "
            "them: the page Projects can have texts labelled independently."
        ),
    ),
    "review.independent": (
        "这 {count} 条都是独立标注：双方互相看不到对方的结果。",
        "All {count} texts were labelled independently: neither saw the other's version.",
    ),
    "review.some_independent": (
        (
            "{total} 条中有 {count} 条是独立标注，F1 与 κ 只按这 {count} 条计算。"
            "其余的，后标者看得到前一版，只列差异。"
        ),
        (
            "{count} of {total} texts were labelled independently; F1 and κ are those of the "
            "{count}. In the others the second saw the first one's version: only their "
            "differences are shown."
        ),
    ),
    "review.undecided": ("独立标注不一致，等待裁定：", "Labelled independently, to decide:"),
    "review.undecided_pair": ("{left} ↔ {right}：{count} 条", "{left} ↔ {right}: {count}"),
    "review.settled": ("已定稿", "Settled"),
    "review.no_common": (
        "没有双方都标过的文本。请换一方，或让第二位标注者标注同样的文本。",
        (
            "There is no text that both have labelled. Choose another side, or have the second "
            "annotator label the same texts."
        ),
    ),
    "review.differences": ("差异", "Differences"),
    "review.num_open": (
        "{open} 条待裁定，共 {different} 条不同",
        "{open} to decide of {different} that differ",
    ),
    "review.all_same": (
        "双方完全一致，没有要裁定的。",
        "Both sides are the same everywhere: there is nothing to decide.",
    ),
    "review.all_decided": (
        "全部裁定完了。可把“状态”改为“已裁定”查看结果。",
        "Everything is decided. Set the state to “Decided” to see the results.",
    ),
    "review.no_match": ("没有符合条件的差异。", "No difference matches."),
    "review.kind": ("差异种类", "Kind of difference"),
    "review.kind_all": ("全部", "All"),
    "review.kind_label": ("标签不同", "Label"),
    "review.kind_border": ("边界不同", "Borders"),
    "review.kind_both": ("标签与边界", "Label and borders"),
    "review.kind_left_only": ("仅左有", "Left only"),
    "review.kind_right_only": ("仅右有", "Right only"),
    "review.kind_other": ("另一人不同", "Another differs"),
    "review.label": ("标签", "Label"),
    "review.label_all": ("所有标签", "All labels"),
    "review.state": ("状态", "State"),
    "review.state_open": ("待裁定", "To decide"),
    "review.state_reviewed": ("已裁定", "Decided"),
    "review.state_all": ("全部", "All"),
    "review.order": ("顺序", "Order"),
    "review.order_position": ("按原顺序", "As in the data"),
    "review.order_certainty": ("模型最有把握的在前", "Where the model is surest first"),
    "review.confused": ("{left} ↔ {right}", "{left} ↔ {right}"),
    "review.clear_filter": ("取消此筛选", "Remove this filter"),
    "review.document": ("第 {position} 条", "Text {position}"),
    "review.nothing": ("不标", "nothing"),
    "review.take": ("采用{side}：{span}", "Take {side}: {span}"),
    "review.take_all_left": ("整条采用左", "All from the left"),
    "review.take_all_right": ("整条采用右", "All from the right"),
    "review.open": ("在编辑器中打开", "Open in the editor"),
    "review.decided": ("已裁定，修订 {revision}", "Decided, revision {revision}"),
    "review.decided_by": ("{name} 已裁定", "Decided by {name}"),
    "review.nobody": ("未署名者", "somebody"),
    "review.undo": ("撤销", "Undo"),
    "review.saving": ("正在保存……", "Saving …"),
    "review.undone": ("已撤销，恢复为之前的版本。", "Undone: the version before counts again."),
    "review.stale": (
        "刚才有人保存了这一条，你的裁定没有写入。这是现在的样子，请重新裁定。",
        (
            "Somebody has just saved this text; your decision was not stored. This is how it "
            "stands now: decide again."
        ),
    ),
    "review.gone": (
        "刚才有人保存了这一条，双方现在没有差异了。",
        "Somebody has just saved this text; there is no difference any more.",
    ),
    "review.newer": (
        "{name} 之后又存过一版；裁定会取代它（旧版仍在历史里）。",
        "{name} has saved another version since; a decision replaces it (the history keeps it).",
    ),
    "review.note": ("{name} 的备注：{text}", "Note by {name}: {text}"),
    "review.late": (
        "服务器没有回应，没有保存。请再试一次。",
        "No answer from the server: not saved. Try again.",
    ),
    "review.page": ("第 {first}–{last} 条，共 {total} 条", "{first}–{last} of {total}"),
    "review.previous_page": ("上一页", "Previous page"),
    "review.next_page": ("下一页", "Next page"),
    "review.keys_take": ("采用左 / 右", "take left / right"),
    "review.keys_others": ("采用其他人的", "take somebody else’s"),
    "review.keys_whole": ("整条采用左 / 右", "whole text left / right"),
    "review.keys_move": ("上一处 / 下一处", "previous / next"),
    "review.keys_undo": ("撤销", "undo"),
    "review.keys_open": ("打开编辑器", "open the editor"),
    "review.list_label": (
        "差异列表：1 采用左，2 采用右，J 和 K 移动，U 撤销，E 打开编辑器",
        (
            "Differences: 1 takes the left, 2 the right, J and K move, U takes back, E opens the "
            "editor"
        ),
    ),
    "review.your_name": ("你的名字", "Your name"),
    "review.agreement": ("一致性", "Agreement"),
    "review.f1": ("实体 F1", "Span F1"),
    "review.kappa": ("Cohen κ", "Cohen’s κ"),
    "review.same_texts": ("完全相同", "Same texts"),
    "review.all_labels": ("全部", "All"),
    "review.column_label": ("标签", "Label"),
    "review.column_left": ("左", "Left"),
    "review.column_right": ("右", "Right"),
    "review.undefined": (
        "双方都没用过这个标签，κ 无定义",
        "Neither side uses this label: κ has no value",
    ),
    "review.figures_note": (
        "F1：起止与标签全同才算一致。κ：按字符计，扣除偶然一致；1 为完全一致，0 为碰巧水平。",
        (
            "F1: start, end and label must be the same. κ: by characters, less the agreement by "
            "chance; 1 is perfect, 0 is no better than chance."
        ),
    ),
    "review.confusion": ("标签混淆", "Confusion of labels"),
    "review.confusion_note": (
        "边界相同的实体，左方（行）与右方（列）各标成什么。点一格查看。",
        (
            "Entities with the same borders: what the left (row) and the right (column) call "
            "them. Choose a cell to see them."
        ),
    ),
    "review.matrix_cell": (
        "左 {left}，右 {right}：{count}",
        "left {left}, right {right}: {count}",
    ),
    "review.only": ("仅一方", "Only one"),
    "lint.title": ("检查已标注的文本", "Check what has been labelled"),
    "lint.note": (
        "找出标注里常藏着的问题。只是可疑，不会自动改动；检查对象是已确认的 {count} 条文本。",
        (
            "Finds what labelled data often hide. These are suspicions, nothing is changed by "
            "itself; {count} accepted texts will be checked."
        ),
    ),
    "lint.run": ("开始检查", "Check"),
    "lint.again": ("重新检查", "Check again"),
    "lint.model": ("也问模型", "Ask a model too"),
    "lint.model_none": ("不问模型", "No model"),
    "lint.nothing_accepted": (
        "还没有已确认的文本。请先在“标注”页确认几条，或在“数据”页导入带标注的文件。",
        (
            "There are no accepted texts yet. Accept some on the page Annotate, or import a "
            "labelled file on the page Data."
        ),
    ),
    "lint.not_checked": ("按“开始检查”查看可疑之处。", "Press “Check” to see what is suspicious."),
    "lint.clean": ("没有发现可疑之处。", "Nothing suspicious was found."),
    "lint.none_of_kind": ("这一类没有了。", "None of this kind."),
    "lint.checking": ("正在检查……", "Checking …"),
    "lint.checked": (
        "检查了 {documents} 条，{findings} 处可疑",
        "{documents} texts checked, {findings} suspicious places",
    ),
    "lint.with_model": (
        "检查了 {documents} 条（并问了 {model}），{findings} 处可疑",
        "{documents} texts checked ({model} was asked), {findings} suspicious places",
    ),
    "lint.gone": ("服务器重启过，请重新检查。", "The server was started again: check again."),
    "lint.kind": ("问题种类", "Kind"),
    "lint.all": ("全部", "All"),
    "lint.dismissed": ("已忽略", "Dismissed"),
    "lint.blank-at-border": ("边界有空白", "Blank at a border"),
    "lint.punctuation-at-border": ("边界有标点", "Punctuation at a border"),
    "lint.half-pair": ("半个书名号或括号", "Half of a pair"),
    "lint.unlabelled-repeat": ("同句漏标", "Not labelled again"),
    "lint.unlabelled-elsewhere": ("别处标了，这里没标", "Labelled elsewhere"),
    "lint.two-labels": ("同一字符串两种标签", "Two labels"),
    "lint.contradicted": ("模型反对", "Model disagrees"),
    "lint.why_unlabelled": (
        "“{mention}”标了 {other} 次，没标 {like} 次",
        "“{mention}”: labelled {other} ×, not labelled {like} ×",
    ),
    "lint.why_two_labels": (
        "“{mention}”标为{theirs} {other} 次，标为{ours} {like} 次",
        "“{mention}”: {theirs} {other} ×, {ours} {like} ×",
    ),
    "lint.why_contradicted": ("模型有 {percent} 的把握", "The model is {percent} sure"),
    "lint.to_nothing": ("不是实体？", "no entity?"),
    "lint.fix": ("改为 {span}", "Make it {span}"),
    "lint.add": ("补标 {span}", "Label {span}"),
    "lint.fixed": ("已修正 {count} 处。", "{count} mended."),
    "lint.dismiss": ("没有问题", "It is right"),
    "lint.restore": ("恢复", "Bring back"),
    "lint.fix_safe": ("去掉全部 {count} 处边界空白", "Take off blanks at borders: {count}"),
    "lint.open": ("在编辑器中打开第 {position} 条", "Open text {position} in the editor"),
    "lint.keys": (
        "J / K 移动 · F 修正 · X 没有问题 · E 打开",
        "J / K move · F mend · X it is right · E open",
    ),
    "lint.list_label": (
        "可疑之处：J 和 K 移动，F 修正，X 标为没有问题，E 打开编辑器",
        "Findings: J and K move, F mends, X calls it right, E opens the editor",
    ),
}
