"""Words of the page Statistics."""

from typing import Final

from webui.wording.block import Block

STATISTICS: Final[Block] = {
    "statistics.tab": ("统计", "Statistics"),
    "statistics.download": ("下载 CSV", "Download CSV"),
    "statistics.download_named": ("下载“{title}”的 CSV", "Download “{title}” as CSV"),
    "statistics.table": ("数据表", "Table"),
    "statistics.chart": (
        "图：{title}；数据见下方的表",
        "Chart: {title}; the table below says the same",
    ),
    "statistics.no_name": ("（未署名）", "(no name)"),
    # The figures at the top
    "statistics.done": ("已审", "Annotated"),
    "statistics.done_of": ("共 {total} 条，{percent}", "of {total} texts, {percent}"),
    "statistics.confirmed": ("已接受的实体", "Accepted entities"),
    "statistics.confirmed_in": ("在 {count} 条文本中", "in {count} texts"),
    "statistics.speed": ("每小时条数", "Texts per hour"),
    "statistics.speed_of": (
        "{minutes} 分钟的工作，不计停顿",
        "in {minutes} min of work, without pauses",
    ),
    "statistics.speed_none": ("还没有可计时的工作", "no work that could be timed yet"),
    "statistics.untouched": ("建议无需修改", "Suggestions left as they were"),
    "statistics.untouched_of": ("{count} 条中的 {untouched} 条", "in {untouched} of {count} texts"),
    "statistics.untouched_none": ("还没有可比较的文本", "no text to compare yet"),
    # Cards
    "statistics.status_title": ("状态", "Status"),
    "statistics.status_note": ("每种状态的文本数。", "Texts of each status."),
    "statistics.status_empty": (
        "这个项目还没有文本。请先在“数据”页添加。",
        "This project has no texts yet. Add some on the page Data.",
    ),
    "statistics.progress_title": ("进度", "Progress"),
    "statistics.progress_note": (
        "累计的已审文本数，按第一次离开“未审”状态的那天。",
        "Annotated texts, added up: by the day they first got a status other than new.",
    ),
    "statistics.progress_empty": ("还没有审过的文本。", "No text is annotated yet."),
    "statistics.labels_title": ("标签分布", "Labels"),
    "statistics.labels_note": (
        "已接受文本中的实体数，只计最新修订。",
        "Entities in accepted texts; only the newest revision counts.",
    ),
    "statistics.labels_empty": (
        "已接受的文本中还没有实体。",
        "There are no entities in accepted texts yet.",
    ),
    "statistics.work_title": ("标注者", "Annotators"),
    "statistics.work_note": (
        "最新修订出自各人的文本，以及各人独立标注的文本。速度不计超过 {minutes} 分钟的停顿。",
        "Texts whose newest revision is theirs, or that they labelled independently. Pauses of over"
        " {minutes} minutes do not count.",
    ),
    "statistics.work_empty": ("还没有人保存过标注。", "Nobody has saved an annotation yet."),
    "statistics.pace_title": ("每小时条数", "Texts per hour"),
    "statistics.pace_note": (
        "按天、按标注者；只有一天时不画折线。",
        "By day and annotator; the line begins with the second day.",
    ),
    "statistics.pace_empty": (
        "还没有可计时的工作：需要同一人接连保存两次。",
        "No work could be timed yet: that takes two saves of one person in a row.",
    ),
    "statistics.lengths_title": ("文本长度", "Text length"),
    "statistics.lengths_note": (
        "以字符计；中位数 {median}，最长 {longest}。",
        "In characters; the median is {median}, the longest {longest}.",
    ),
    "statistics.lengths_empty": ("还没有文本。", "No texts yet."),
    "statistics.corrections_title": ("对建议的修正", "Corrections of suggestions"),
    "statistics.corrections_note": (
        "模型或导入的建议与人接受的结果相比；改边界或标签算删除加新增。",
        (
            "What was suggested against what people accepted; a new border or label counts as "
            "removed and added."
        ),
    ),
    "statistics.corrections_empty": (
        "还没有带建议、并由人接受的文本。",
        "No text that came with suggestions has been accepted by a person yet.",
    ),
    # Columns and series
    "statistics.status": ("状态", "Status"),
    "statistics.texts": ("文本数", "Texts"),
    "statistics.share": ("占比", "Share"),
    "statistics.day": ("日期", "Day"),
    "statistics.week": ("周（起始日）", "Week of"),
    "statistics.month": ("月（起始日）", "Month of"),
    "statistics.new_done": ("新增", "Newly annotated"),
    "statistics.total_done": ("累计", "Annotated in all"),
    "statistics.label": ("标签", "Label"),
    "statistics.entities": ("实体数", "Entities"),
    "statistics.annotator": ("标注者", "Annotator"),
    "statistics.changes": ("改动的实体", "Entities changed"),
    "statistics.saves": ("保存次数", "Saves"),
    "statistics.minutes": ("分钟", "Minutes"),
    "statistics.per_hour": ("每小时条数", "Texts per hour"),
    "statistics.timed_texts": ("计时文本", "Timed texts"),
    "statistics.characters": ("字符数", "Characters"),
    "statistics.kept": ("保留", "Kept"),
    "statistics.added": ("新增", "Added"),
    "statistics.removed": ("删除", "Removed"),
    "statistics.corrected_texts": ("修正过的文本", "Texts corrected"),
    "statistics.kind": ("结果", "Outcome"),
    "statistics.all_labels": ("全部", "All"),
    "statistics.more_than": ("{length} 以上", "over {length}"),
}
