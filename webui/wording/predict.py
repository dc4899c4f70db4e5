"""Words of the page Predict."""

from typing import Final

from webui.wording.block import Block

PREDICT: Final[Block] = {
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
