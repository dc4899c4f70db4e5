"""Words of the page Data."""

from typing import Final

from webui.wording.block import Block

DATA: Final[Block] = {
    "data.tab": ("数据", "Data"),
    "data.add": ("添加文本", "Add texts"),
    "data.paste": ("文本，每行一条", "Texts, one a line"),
    "data.paste_placeholder": ("每行一条文本……", "One text a line …"),
    "data.add_run": ("添加", "Add"),
    "data.upload": ("上传文件", "Upload a file"),
    "data.upload_note": (
        (
            "文本、CSV、JSONL、CLUENER、CoNLL、doccano、Label Studio、Hugging Face（zip），"
            "编码为 UTF-8、UTF-16 或 GB18030；最大 500 MB。"
        ),
        (
            "Text, CSV, JSONL, CLUENER, CoNLL, doccano, Label Studio, Hugging Face (zip), in "
            "UTF-8, UTF-16 or GB18030; up to 500 MB."
        ),
    ),
    "data.nothing_given": ("请先输入文本，每行一条。", "Enter some texts first, one a line."),
    "data.added": ("已添加 {added} 条。", "{added} added."),
    "data.duplicates": (
        "{count} 条与已有文本相同，未重复添加。",
        "{count} are there already and were not added again.",
    ),
    "data.nothing_added": (
        "有 {count} 行无法添加，所以一条也没有添加。请改正后重试：",
        "{count} lines cannot be added, so nothing was added. Mend them and try again:",
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
    "data.format_txt": ("纯文本", "Plain text"),
    "data.format_csv": ("CSV 表格", "CSV"),
    "data.format_jsonl": ("JSON 行", "JSON lines"),
    "data.format_cluener": ("CLUENER JSON", "CLUENER JSON"),
    "data.format_conll": ("CoNLL / BIO", "CoNLL / BIO"),
    "data.format_doccano": ("doccano JSONL", "doccano JSONL"),
    "data.format_label-studio": ("Label Studio JSON", "Label Studio JSON"),
    "data.format_hugging-face": ("Hugging Face 数据集", "Hugging Face dataset"),
    "data.export_status": ("状态", "Status"),
    "data.export_run": ("下载", "Download"),
    "data.export_done": ("已导出 {count} 条。", "{count} texts exported."),
    "data.export_lost": (
        "{format} 无法保存，已略去：{losses}。",
        "{format} has no place for some of it. Left out: {losses}.",
    ),
    "data.lost_left_out": ("{count} 条文本", "{count} texts"),
    "data.lost_spans": ("{count} 个实体", "{count} entities"),
    "data.lost_suggestions": ("{count} 个待确认的建议", "{count} suggestions"),
    "data.lost_ids": ("{count} 个编号", "{count} ids"),
    "data.lost_statuses": ("{count} 个状态", "{count} statuses"),
    "data.lost_annotators": ("{count} 个标注者姓名", "{count} names of annotators"),
    "data.export_note_txt": (
        "每行一条，只有文本；含换行的文本略去。",
        "One text a line and nothing else; texts with line breaks are left out.",
    ),
    "data.export_note_csv": (
        "可用 Excel 打开；状态、标注者、建议一并写入。",
        "Opens in Excel; with status, annotator and suggestions.",
    ),
    "data.export_note_jsonl": (
        "本工具的格式，位置左闭右开；状态、标注者、建议一并写入。",
        (
            "This tool's own, offsets half-open as in the editor; with status, annotator and "
            "suggestions."
        ),
    ),
    "data.export_note_cluener": (
        (
            "每行一个对象，结束位置含尾字（比编辑器中显示的小 1）；标注者、建议一并写入，"
            "不是“已接受”的还写状态。"
        ),
        (
            "One object a line, ends inclusive (one less than the editor shows); with annotator "
            "and suggestions, and the status where it is not accepted."
        ),
    ),
    "data.export_note_conll": (
        "每行一个字和标签；重叠取最长，未判定的文本略去。",
        "A character and its tag a line; the longest of overlaps, only texts that are decided on.",
    ),
    "data.export_note_doccano": (
        "可导入 doccano；状态、标注者、建议一并写入。",
        "For doccano; with status, annotator and suggestions.",
    ),
    "data.export_note_label-studio": (
        "可导入 Label Studio，建议作为预测；状态、标注者一并写入。",
        "For Label Studio, suggestions as predictions; with status and annotator.",
    ),
    "data.export_note_hugging-face": (
        "zip 文件夹，load_dataset 可读，含 tokens 与 ner_tags；状态、标注者、建议一并写入。",
        (
            "A zipped folder for load_dataset, with tokens and ner_tags, status, annotator and "
            "suggestions."
        ),
    ),
    "data.import_format": ("格式", "Format"),
    "data.import_column": ("文本在哪一列", "Column of the texts"),
    "data.import_column_number": ("第 {number} 列（无表头）", "Column {number} (no header)"),
    "data.import_labels": ("其中的标注", "Labels in it"),
    "data.import_predicted": ("机器或其他工具的预测，待确认", "Predictions, to be confirmed"),
    "data.import_checked": ("人工核对过", "Checked by a person"),
    "data.import_offsets": ("位置的单位", "Unit of offsets"),
    "data.import_offsets_code-points": ("字符（Unicode 码点）", "Characters (code points)"),
    "data.import_offsets_utf-16": ("UTF-16（表情算两个）", "UTF-16 (an emoji is two)"),
    "data.import_offsets_one-per-line-end": ("字符，\\r\\n 算一个", "Characters, \\r\\n is one"),
    "data.import_preview": ("开头几条", "How it begins"),
    "data.import_errors": ("出错的行", "Lines with errors"),
    "data.import_progress": ("导入进度", "Progress of the import"),
    "data.import_start": ("导入", "Import"),
    "data.import_cancel": ("取消", "Cancel"),
    "data.import_discard": ("放弃此文件", "Discard the file"),
    "data.import_close": ("关闭", "Close"),
    "data.import_report": ("下载错误报告", "Download the error report"),
    "data.import_keep": ("只导入 {count} 条正确的", "Import the {count} good ones"),
    "data.import_step_reading": ("正在读取和检查：{percent}%", "Reading and checking: {percent}%"),
    "data.import_step_storing": (
        "正在保存：{done} / {total} 条",
        "Storing: {done} of {total}",
    ),
    "data.import_step_entering": (
        "已全部写入，正在加入项目：{done} / {total}（不能再取消）",
        "All is written and enters the project: {done} / {total} (too late to cancel)",
    ),
    "data.import_done": ("已导入 {count} 条，用时 {time} 秒。", "{count} imported in {time} s."),
    "data.import_duplicates": (
        "{count} 条与已有文本相同，未重复添加。",
        "{count} are there already and were not added again.",
    ),
    "data.import_preannotated": (
        "{count} 条是预标注，需人工确认。",
        "{count} are pre-annotated and wait for a person.",
    ),
    "data.import_left_out": ("{count} 行有错误，未导入。", "{count} lines with errors left out."),
    "data.import_repaired_tags": (
        "{count} 个无前接的 I- 标签按 B- 读取。",
        "{count} I- tags that continued nothing were read as B- tags.",
    ),
    "data.import_moved_spans": (
        "{count} 个实体的位置按其文字校正。",
        "{count} entities were moved to where their text stands.",
    ),
    "data.import_disagreements": (
        "{count} 条有多人的不同标注，已标为“存疑”。",
        "{count} were labelled differently by several people and are flagged.",
    ),
    "data.import_cancelled": ("已取消，没有导入任何内容。", "Cancelled; nothing was imported."),
    "data.import_nothing_readable": (
        "这样读不出文本，请换一种格式或列：",
        "Nothing can be read this way; choose another format or column:",
    ),
    "data.import_line_errors": (
        "有 {count} 行出错，尚未导入任何内容；其余 {good} 条正确。",
        "{count} lines have errors; nothing has been imported yet. {good} are good.",
    ),
    "data.import_all_wrong": (
        "没有一行可以导入，共 {count} 处错误。",
        "Nothing in it can be imported: {count} errors.",
    ),
    "data.import_internal_error": (
        "内部错误，已记入服务器日志；没有导入任何内容。",
        "Internal error, recorded in the server's log; nothing was imported.",
    ),
}
