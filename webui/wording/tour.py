"""Words of the tour; a step is named by its page."""

from typing import Final

from webui.wording.block import Block

TOUR: Final[Block] = {
    "tour.name": ("导览", "Tour"),
    "tour.offer": (
        "第一次来？两分钟看完各个页面。",
        "New here? Two minutes show you around the pages.",
    ),
    "tour.start": ("开始导览", "Start the tour"),
    "tour.decline": ("不用了", "No, thanks"),
    "tour.back": ("上一步", "Back"),
    "tour.next": ("下一步", "Next"),
    "tour.done": ("完成", "Done"),
    "tour.end": ("结束导览", "End the tour"),
    "tour.position": ("第 {step} 步，共 {steps} 步", "Step {step} of {steps}"),
    "tour.predict_title": ("识别：先看模型怎么说", "Predict: what the model sees"),
    "tour.predict_words": (
        "输入一段文本，或点一个示例，再点“识别”。实体会标上颜色和概率；“纠正这条”会在编辑器中打开它。",
        (
            "Enter some text or choose an example, then Predict. Entities get a colour and a "
            "probability; “Correct this” opens the text in the editor."
        ),
    ),
    "tour.annotate_title": ("标注：全用键盘", "Annotate: by keyboard alone"),
    "tour.annotate_words": (
        (
            "虚线是模型的建议：A 接受下一个，X 拒绝，Tab 选中它来修改。选中文字后按 1 到 0 打标签，"
            "Enter 保存并到下一条。? 列出全部按键；鼠标和触屏也都可以。"
        ),
        (
            "Dashed lines are the model's suggestions: A accepts the next one, X rejects it, Tab "
            "picks it to change it. Select some text and press 1 to 0 to label it; Enter saves and "
            "goes on. ? lists all keys; mouse and touch do it too."
        ),
    ),
    "tour.data_title": ("数据：进与出", "Data: in and out"),
    "tour.data_words": (
        "在这里粘贴或上传文本，查看每条的状态，打开一条，或把标注导出成常用格式。",
        (
            "Paste or upload texts here, see where each one stands, open one, or export the "
            "annotations in the usual formats."
        ),
    ),
    "tour.review_title": ("复核：比较与检查", "Review: compare and check"),
    "tour.review_words": (
        "模型与人、人与人有何不同，标注里有哪些前后不一：逐条看，一键裁定。",
        (
            "Where model and people differ, or people among themselves, and what the annotations "
            "contradict: one by one, one key decides."
        ),
    ),
    "tour.train_title": ("训练：让模型学会", "Train: teach the model"),
    "tour.train_words": (
        "攒够纠正过的文本后，在这里训练新模型；比较新旧，不重启就能换上，也能换回。",
        (
            "With enough corrected texts, train a new model here; compare it with the old one, "
            "and switch to it, or back, without a restart."
        ),
    ),
    "tour.statistics_title": ("统计：看进度", "Statistics: how far you are"),
    "tour.statistics_words": (
        "进度、标签、速度和对模型的修正，都有图和表。",
        "Progress, labels, speed and corrections of the model, as charts and tables.",
    ),
    "tour.projects_title": ("项目：换成自己的标签", "Projects: labels of your own"),
    "tour.projects_words": (
        (
            "每个项目有自己的文本、标签、颜色、规范和模型；在左上角切换。标签随时可以增加或改名，"
            "标注不会丢。导览可从右上角的 ? 重来。"
        ),
        (
            "Each project has texts, labels, colours, guidelines and a model of its own; switch "
            "at the top left. Add or rename labels at any time, no annotation is lost. The ? at "
            "the top right starts this tour again."
        ),
    ),
}
