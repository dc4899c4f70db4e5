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
