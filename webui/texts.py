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
    "page.switch_language": ("中 / EN：切换到英文界面", "中 / EN: switch to the Chinese interface"),
    "page.switch_theme": ("切换深色与浅色", "Switch between dark and light"),
    "page.internal_error": (
        "内部错误，已记入服务器日志。请重试；若再次出现，请联系管理员。",
        (
            "Internal error, recorded in the server's log. Try again; if it comes back, tell "
            "whoever runs the app."
        ),
    ),
    "page.text_empty": (
        "没有可识别的文字：文本为空或只有空白。请先输入一段文本。",
        "There is nothing to read: the text is empty or only blanks. Enter some text first.",
    ),
    "page.text_unstorable": (
        "第 {position} 个字符是 {name}，UTF-8 文件无法保存。请删除它后重试。",
        "Character {position} is {name}, which no UTF-8 file can hold. Delete it and try again.",
    ),
    "page.text_nul": ("空字符（NUL，U+0000）", "NUL (U+0000)"),
    "page.text_surrogate": (
        "半个代理对（{code_point}）",
        "half of a surrogate pair ({code_point})",
    ),
    "page.text_too_long": (
        "文本有 {length} 个字符，一次最多 {limit} 个。请分成几段。",
        "The text has {length} characters; at most {limit} can be read at once. Split it.",
    ),
    "page.file_too_big": (
        "文件有 {size} MB，最多 {limit} MB。请分成几个文件。",
        "The file has {size} MB; at most {limit} MB can be read. Split it.",
    ),
    "page.file_missing": ("没有收到文件，请重新选择。", "No file came. Choose one again."),
    "page.separator": ("、", ", "),
    "page.num_models": ("{count} 个模型", "{count} models"),
    "page.no_such_model": (
        "这里没有模型 {name}，只有 {names}。请刷新页面。",
        "There is no model {name} here, only {names}. Reload the page.",
    ),
    "page.copy": ("复制", "Copy"),
    "page.copied": ("已复制", "Copied"),
    "page.copy_failed": ("请手动复制", "Copy by hand"),
}

PREDICT: Final[_Block] = {
    "predict.tab": ("识别", "Predict"),
    "predict.model": ("模型", "Model"),
    "predict.text": ("文本", "Text"),
    "predict.placeholder": (
        "粘贴一段中文文本，例如一条新闻……",
        "Paste Chinese text, a news item for example …",
    ),
    "predict.run": ("识别", "Predict"),
    "predict.clear": ("清空", "Clear"),
    "predict.examples": ("示例", "Examples"),
    "predict.example_none": ("无实体", "no entity"),
    "predict.example_emoji": ("表情符号", "emoji"),
    "predict.length": ("{count} 字", "{count} characters"),
    "predict.result": ("识别结果", "Result"),
    "predict.result_empty": (
        "结果会显示在这里。这个模型能找出下面这些类型的实体：",
        "The result appears here. This model finds entities of these types:",
    ),
    "predict.none_found": ("没有找到实体。", "No entity found."),
    "predict.none_shown": (
        "没有概率达到阈值的实体，请调低阈值。",
        "No entity reaches the threshold; lower it.",
    ),
    "predict.latency": ("用时 {time}", "took {time}"),
    "predict.threshold": ("最低概率", "Lowest probability"),
    "predict.hidden": ("隐藏了 {count} 个", "{count} hidden"),
    "predict.score_meaning": (
        "百分数是模型给“起止位置与类型都正确”的概率，不是保证；低于 60% 时请人工核对。",
        (
            "The percentage is the model's probability that borders and type are both right. It "
            "is no promise: check below 60 %."
        ),
    ),
    "predict.correct": ("纠正这条", "Correct this"),
    "predict.correct_hint": (
        "存入数据并在编辑器中打开，模型结果作为待确认的建议",
        "Adds the text to the data and opens it in the editor, with these entities as suggestions",
    ),
    "predict.correct_with": ("用 {suggesting} 纠正", "Correct with {suggesting}"),
    "predict.correct_other_labels": (
        "{model} 的标签与本项目的不同：在编辑器中，{suggesting} 按本项目的标签重新给出建议。",
        (
            "The labels of {model} are not this project's: in the editor {suggesting} suggests "
            "anew, with the labels of the project."
        ),
    ),
    "predict.correct_other_model": (
        "在编辑器中，建议来自 {suggesting}，可能与这里不同。",
        "In the editor the suggestions are those of {suggesting} and may differ from these.",
    ),
    "predict.entities": ("实体", "Entities"),
    "predict.entities_empty": ("还没有结果", "No result yet"),
    "predict.column_mention": ("实体", "Mention"),
    "predict.column_label": ("类型", "Type"),
    "predict.column_start": ("起", "Start"),
    "predict.column_end": ("止", "End"),
    "predict.column_score": ("概率", "Prob."),
    "predict.offsets": (
        "起止按字符（Unicode 码位）计，从 0 起，不含“止”。",
        "Start and end count characters (Unicode code points) from 0; the end is not included.",
    ),
    "predict.json": ("CLUENER JSON", "CLUENER JSON"),
    "predict.json_note": ("此格式的位置含末字。", "In this format the last position is included."),
    "predict.batch": ("批量识别", "Many texts"),
    "predict.batch_note": (
        (
            "上传 .txt（每行一条）、.jsonl、.json 或 .csv（text 列），UTF-8 或 GB18030；"
            "结果为 CLUENER JSON，每行一条。"
        ),
        (
            "Upload .txt (one text a line), .jsonl, .json or .csv (column text) in UTF-8 or "
            "GB18030; the result is CLUENER JSON, one text a line."
        ),
    ),
    "predict.batch_model": ("用 {model} 识别", "read by {model}"),
    "predict.batch_upload": ("选择文件", "Choose a file"),
    "predict.batch_cancel": ("取消", "Cancel"),
    "predict.batch_download": ("下载结果", "Download the result"),
    "predict.batch_running": ("{done} / {total} 条", "{done} of {total} texts"),
    "predict.batch_done": (
        "{total} 条已识别，找到 {spans} 个实体，用时 {time}（{model}）。",
        "{total} texts read, {spans} entities found in {time} ({model}).",
    ),
    "predict.batch_cancelled": ("已取消，没有写出文件。", "Cancelled; no file was written."),
    "predict.batch_errors": (
        "{count} 行没有读入，结果中没有它们：",
        "{count} lines were not read and are not in the result:",
    ),
    "predict.batch_more": ("……另有 {count} 行", "… and {count} more"),
    "predict.batch_empty": ("文件里没有可识别的文本。", "The file holds no text to read."),
    "predict.api": ("用程序调用", "From a program"),
    "predict.api_note": (
        "另有 /predict_batch、/models 与 /export；全部接口见",
        "There are /predict_batch, /models and /export too; all of them:",
    ),
    "predict.api_link": ("接口文档", "API page"),
    "predict.privacy": ("保存什么", "What is stored"),
    "predict.privacy_no": (
        "识别和批量识别不保存文本：只在内存中处理，不写数据库，不进日志，也不发往别处。",
        (
            "Predicting stores no text: it is read in memory only, and goes neither to the "
            "database nor to a log nor anywhere else."
        ),
    ),
    "predict.privacy_file": (
        "批量结果文件在服务器的临时文件夹中，程序结束时删除。",
        "The result file of a batch stays in the server's temporary folder until the app ends.",
    ),
    "predict.privacy_yes": (
        "“纠正这条”、“标注”和“数据”页会把文本与修订存入本机数据库。",
        (
            "“Correct this” and the pages Annotate and Data keep texts and revisions in this "
            "app's database."
        ),
    ),
}

ANNOTATE: Final[_Block] = {
    "annotate.tab": ("标注", "Annotate"),
    "annotate.editor": (
        "实体标注编辑器，按问号看快捷键",
        "Entity editor, press question mark for its keys",
    ),
    "annotate.separator": ("、", ", "),
    "annotate.empty_title": ("还没有文本", "No texts yet"),
    "annotate.empty_hint": (
        "请到“数据”页粘贴或上传文本，再回到这里标注。",
        "Paste or upload texts on the Data page, then come back here.",
    ),
    "annotate.position": ("第 {position} / {total} 篇", "{position} / {total}"),
    "annotate.status_new": ("未审", "new"),
    "annotate.status_accepted": ("已接受", "accepted"),
    "annotate.status_rejected": ("已拒绝", "rejected"),
    "annotate.status_ignored": ("已跳过", "skipped"),
    "annotate.status_flagged": ("存疑", "flagged"),
    "annotate.save_clean": ("无改动 · 修订 {revision}", "No changes · revision {revision}"),
    "annotate.save_dirty": ("有未保存的改动", "Unsaved changes"),
    "annotate.save_saving": ("正在保存…", "Saving…"),
    "annotate.save_saved": ("已保存 · 修订 {revision}", "Saved · revision {revision}"),
    "annotate.save_saved_other": ("第 {position} 篇已保存", "Text {position} saved"),
    "annotate.save_conflict": ("有冲突，请选择版本", "Conflict: choose a version"),
    "annotate.save_error": ("未保存，草稿已保留", "Not saved, your draft is kept"),
    "annotate.no_answer": ("服务器没有回应", "The server does not answer"),
    "annotate.retry": ("重试", "Try again"),
    "annotate.refused": ("服务器拒绝了请求：{reason}", "The server refused: {reason}"),
    "annotate.draft_offer": (
        "找到一份未保存的草稿（{time}）。",
        "There is a draft that was not saved ({time}).",
    ),
    "annotate.draft_restore": ("恢复草稿", "Restore the draft"),
    "annotate.draft_discard": ("丢弃草稿", "Discard the draft"),
    "annotate.draft_first": ("请先恢复或丢弃草稿。", "Restore or discard the draft first."),
    "annotate.draft_impossible": (
        "浏览器无法保留草稿，请尽快保存。",
        "This browser cannot keep a draft: save soon.",
    ),
    "annotate.palette": ("标签", "Labels"),
    "annotate.save": ("保存并下一篇", "Save and next"),
    "annotate.skip": ("跳过", "Skip"),
    "annotate.flag": ("存疑", "Flag"),
    "annotate.undo": ("撤销", "Undo"),
    "annotate.redo": ("重做（Ctrl Shift Z）", "Redo (Ctrl Shift Z)"),
    "annotate.propagate": ("同词全标", "Label all"),
    "annotate.propagate_count": ("同词全标（{total} 处）", "Label all ({total} more)"),
    "annotate.next": ("下一篇（J）", "Next text (J)"),
    "annotate.previous": ("上一篇（K）", "Previous text (K)"),
    "annotate.help": ("全部快捷键", "All keys"),
    "annotate.close": ("关闭", "Close"),
    "annotate.current": ("当前实体", "Active entity"),
    "annotate.current_hint": (
        "选中文字后按数字键标注；点实体或按 Tab 选中它。",
        "Select text and press a digit, or pick an entity: click it or press Tab.",
    ),
    "annotate.start": ("起点", "Start"),
    "annotate.start_left": ("起点左移一字（[）", "Start one character left ([)"),
    "annotate.start_right": ("起点右移一字（]）", "Start one character right (])"),
    "annotate.end": ("终点", "End"),
    "annotate.end_left": ("终点左移一字（Shift [）", "End one character left (Shift [)"),
    "annotate.end_right": ("终点右移一字（Shift ]）", "End one character right (Shift ])"),
    "annotate.accept": ("接受", "Accept"),
    "annotate.reject": ("拒绝", "Reject"),
    "annotate.remove": ("删除", "Remove"),
    "annotate.entities": ("实体 {total}", "Entities {total}"),
    "annotate.undecided": ("待确认 {total}", "{total} to confirm"),
    "annotate.no_entities": ("没有实体。", "No entities."),
    "annotate.human": ("人工", "human"),
    "annotate.revisions": ("修订", "Revisions"),
    "annotate.no_revisions": ("还没有修订。", "No revisions yet."),
    "annotate.by_model": ("模型预标", "model"),
    "annotate.by_import": ("导入", "import"),
    "annotate.num_changes": ("改 {total} 处", "changes: {total}"),
    "annotate.just_now": ("刚刚", "just now"),
    "annotate.annotator": ("标注人", "Annotator"),
    "annotate.allow_overlap": ("允许实体重叠", "Allow entities to overlap"),
    "annotate.conflict": ("两个版本", "Two versions"),
    "annotate.conflict_title": (
        "第 {position} 篇已被别人修改",
        "Somebody else changed text {position}",
    ),
    "annotate.conflict_hint": (
        "你的版本没有保存，请选择保留哪一个。",
        "Your version was not saved. Choose which one to keep.",
    ),
    "annotate.conflict_mine": ("我的版本（未保存）", "My version (not saved)"),
    "annotate.conflict_theirs": ("对方的版本 · {revision}", "Their version · {revision}"),
    "annotate.keep_mine": ("保留我的", "Keep mine"),
    "annotate.take_theirs": ("采用对方的", "Take theirs"),
    "annotate.labelled": ("已标注：{entities}", "Labelled: {entities}"),
    "annotate.replaced": ("已标注，替换了 {entities}", "Labelled; it replaces {entities}"),
    "annotate.removed": ("已删除：{entities}", "Removed: {entities}"),
    "annotate.accepted": ("已接受：{entities}", "Accepted: {entities}"),
    "annotate.rejected": ("已拒绝：{entities}", "Rejected: {entities}"),
    "annotate.moved": ("已移动：{entities}", "Moved: {entities}"),
    "annotate.is_active": ("当前实体：{entities}", "Active: {entities}"),
    "annotate.selected": ("已选“{mention}”，按数字键标注", "Selected “{mention}”: press a digit"),
    "annotate.propagated": ("又标注了 {added} 处", "Labelled {added} more"),
    "annotate.propagated_some": (
        "又标注了 {added} 处；{kept} 处已有人工实体，未改",
        "Labelled {added} more; {kept} left alone, a person labelled them otherwise",
    ),
    "annotate.propagated_over": (
        "又标注了 {added} 处，替换了 {entities}",
        "Labelled {added} more; replaced {entities}",
    ),
    "annotate.select_first": ("请先选中文字或实体。", "Select text or an entity first."),
    "annotate.activate_first": ("请先点选实体，或按 Tab。", "Click an entity or press Tab first."),
    "annotate.not_a_suggestion": (
        "这个实体是人工标注，无需确认；按 Delete 删除。",
        "A person labelled this entity already; Delete removes it.",
    ),
    "annotate.border_edge": ("边界不能再移动了。", "The border can go no further."),
    "annotate.border_blocked": (
        "边界碰到 {entities}；可打开“允许实体重叠”。",
        "The border meets {entities}; you may allow entities to overlap.",
    ),
    "annotate.nothing_to_undo": ("没有可撤销的操作。", "Nothing to undo."),
    "annotate.nothing_to_redo": ("没有可重做的操作。", "Nothing to redo."),
    "annotate.is_last": ("已是最后一篇。", "This is the last text."),
    "annotate.is_first": ("已是第一篇。", "This is the first text."),
    "annotate.tab_leaves": ("再按 Tab 离开编辑器。", "Tab now leaves the editor."),
    "annotate.help_label": ("用第 1 至 10 个标签标注", "label with labels 1 to 10"),
    "annotate.help_label_more": ("用第 11 至 20 个标签标注", "label with labels 11 to 20"),
    "annotate.help_caret": (
        "移动光标（Ctrl 按词，Home/End 到行首行尾）",
        "move the caret (Ctrl by words, Home/End to the line's ends)",
    ),
    "annotate.help_select": ("选择文字", "select text"),
    "annotate.help_tab": ("下一个、上一个实体", "next, previous entity"),
    "annotate.help_start": ("起点左移、右移一个字符", "move the start by one character"),
    "annotate.help_end": ("终点左移、右移一个字符", "move the end by one character"),
    "annotate.help_decide": ("接受、拒绝模型的建议", "accept, reject the model's suggestion"),
    "annotate.help_propagate": ("全文相同的字串都标上", "label the same string everywhere"),
    "annotate.help_remove": ("删除实体", "remove the entity"),
    "annotate.help_undo": ("撤销、重做", "undo, redo"),
    "annotate.help_save": ("接受全部建议，保存，到下一篇", "accept all, save, go to the next text"),
    "annotate.help_skip": ("跳过、标为存疑，到下一篇", "skip, flag, and go to the next text"),
    "annotate.help_move": ("下一篇、上一篇，不保存", "next, previous text, without saving"),
    "annotate.help_escape": (
        "取消选择；再按一次后 Tab 离开编辑器",
        "drop the selection; once more, and Tab leaves the editor",
    ),
}

DATA: Final[_Block] = {
    "data.tab": ("数据", "Data"),
    "data.add": ("添加文本", "Add texts"),
    "data.paste": ("文本，每行一条", "Texts, one a line"),
    "data.paste_placeholder": ("每行一条文本……", "One text a line …"),
    "data.add_run": ("添加", "Add"),
    "data.upload": ("上传文件", "Upload a file"),
    "data.upload_note": (
        (
            ".txt（每行一条）、.jsonl、.json（CLUENER，可带标注）或 .csv（text 列），"
            "UTF-8 或 GB18030。"
        ),
        (
            ".txt (one text a line), .jsonl, .json (CLUENER, with or without labels) or .csv "
            "(column text), UTF-8 or GB18030."
        ),
    ),
    "data.keep_good": (
        "有错误的行时，仍添加其余各行",
        "Add the good lines even when others have errors",
    ),
    "data.nothing_given": ("请先输入文本，每行一条。", "Enter some texts first, one a line."),
    "data.added": ("已添加 {added} 条。", "{added} added."),
    "data.duplicates": (
        "{count} 条与已有文本相同，未重复添加。",
        "{count} are there already and were not added again.",
    ),
    "data.nothing_added": (
        "有 {count} 行读不懂，所以一条也没有添加。请改正后重试，或勾选“仍添加其余各行”：",
        (
            "{count} lines could not be read, so nothing was added. Mend them, or choose to add "
            "the good lines:"
        ),
    ),
    "data.file_unreadable": (
        "其中没有可读取的文本，所以一条也没有添加：",
        "There was nothing in it to read, so nothing was added:",
    ),
    "data.some_added": (
        "{count} 行读不懂，没有添加：",
        "{count} lines could not be read and were not added:",
    ),
    "data.more_errors": ("……另有 {count} 行", "… and {count} more"),
    "data.list": ("文本", "Texts"),
    "data.search": ("搜索文本", "Search the texts"),
    "data.query_too_long": (
        "搜索内容有 {length} 个字符，最多 {limit} 个。",
        "The search has {length} characters; at most {limit} can be searched for.",
    ),
    "data.status_all": ("全部", "All"),
    "data.column_position": ("序号", "No."),
    "data.column_text": ("文本", "Text"),
    "data.column_entities": ("实体", "Entities"),
    "data.column_revision": ("修订", "Revision"),
    "data.column_status": ("状态", "Status"),
    "data.suggested": ("{count} 待确认", "{count} to confirm"),
    "data.empty": (
        "还没有文本。请粘贴或上传，或者在“识别”页点“纠正这条”。",
        "No texts yet. Paste or upload some here, or choose “Correct this” on the page Predict.",
    ),
    "data.no_match": ("没有符合条件的文本。", "No text matches."),
    "data.page": ("第 {first}–{last} 条，共 {total} 条", "{first}–{last} of {total}"),
    "data.previous_page": ("上一页", "Previous page"),
    "data.next_page": ("下一页", "Next page"),
    "data.open": ("在编辑器中打开第 {position} 条", "Open text {position} in the editor"),
    "data.export": ("导出", "Export"),
    "data.export_format": ("格式", "Format"),
    "data.export_status": ("状态", "Status"),
    "data.export_run": ("下载", "Download"),
    "data.export_done": ("已导出 {count} 条。", "{count} texts exported."),
    "data.export_dropped": (
        "此格式不能表示重叠，略去了 {count} 个实体。",
        "This format cannot express overlaps: {count} entities were left out.",
    ),
}

_ALL: Final[_Block] = PAGE | PREDICT | ANNOTATE | DATA

TEXTS: Final[dict[Language, dict[str, str]]] = {
    "zh": {key: chinese for key, (chinese, _) in _ALL.items()},
    "en": {key: english for key, (_, english) in _ALL.items()},
}
