"""Words of the header, and of errors that every page can show."""

from typing import Final

from webui.wording.block import Block

PAGE: Final[Block] = {
    "page.title": ("中文实体标注工作台", "Chinese NER Workbench"),
    "page.skip": ("跳到内容", "Skip to the content"),
    "page.tour": ("导览", "Take the tour"),
    "page.switch_language": ("中 / EN：切换到英文界面", "中 / EN: switch to the Chinese interface"),
    "page.switch_theme": ("切换深色与浅色", "Switch between dark and light"),
    "page.internal_error": (
        "内部错误，已记入服务器日志。请重试；若再次出现，请联系管理员。",
        (
            "Internal error, recorded in the server's log. Try again; if it comes back, tell "
            "whoever runs the app."
        ),
    ),
    "page.expected": ("{place}应为：{expected}", "{place}expected {expected}"),
    "page.got": ("；实际是：{got}", ", got {got}"),
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
    "page.project": ("项目", "Project"),
    "page.no_such_project": (
        "没有名为 {name} 的项目，可能已改名。请刷新页面。",
        "There is no project {name}; it may have been renamed. Reload the page.",
    ),
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
