"""Words of the page Train."""

from typing import Final

from webui.wording.block import Block

TRAIN: Final[Block] = {
    "train.tab": ("训练", "Train"),
    "train.data": ("可用于训练的纠正", "Corrections to learn from"),
    "train.summary": (
        "已接受 {accepted} 条，其中 {new} 条是 {model} 训练之后新增的。",
        "{accepted} texts accepted, {new} of them since {model} was trained.",
    ),
    "train.summary_first": (
        "已接受 {accepted} 条；{model} 还没有学过它们。",
        "{accepted} texts accepted; {model} has learned from none of them.",
    ),
    "train.split_held_out": (
        "{train} 条用于训练；另外 {dev} 条（按文本固定选出的十分之一）从不训练，只用来评测。",
        "{train} to learn from; {dev} more, a tenth chosen by the text itself, are never trained "
        "on and judge the models.",
    ),
    "train.split_file": (
        "{train} 条用于训练；在评测文件的 {dev} 句上评测。",
        "{train} to learn from; judged on the {dev} sentences of the dev file.",
    ),
    "train.few_dev": (
        "评测只有 {dev} 句，分数说明不了多少；有 200 句以上才比较可靠。",
        "With a dev set of {dev}, scores say little; 200 sentences and more are better.",
    ),
    "train.column_label": ("标签", "Label"),
    "train.column_accepted": ("实体", "Entities"),
    "train.column_new": ("新增", "New"),
    "train.column_dev": ("评测", "Dev"),
    "train.dev_file": ("评测文件", "Dev file"),
    "train.original_file": ("原始训练数据", "Original training data"),
    "train.dev_none": ("未提供：用十分之一的已接受文本评测", "None: a tenth of the accepted texts"),
    "train.original_none": (
        "未提供：只用纠正训练，模型可能忘掉一部分原来会的",
        "None: the model learns from corrections only, and may forget some of what it knew",
    ),
    "train.file_sentences": ("{count} 句", "{count} sentences"),
    "train.remove_file": ("移除", "Remove"),
    "train.upload_dev": ("上传评测文件", "Upload a dev file"),
    "train.upload_original": ("上传原始数据", "Upload original data"),
    "train.files_note": (
        "CLUENER JSON 或 BIO（.bio、.conll、.txt），须用本项目的标签。保存在训练文件夹里。",
        "CLUENER JSON or BIO (.bio, .conll, .txt), with this project's labels. Kept in the "
        "training folder.",
    ),
    "train.plan": (
        "从 {model} 继续训练：每轮 {sentences} 句，最多 {epochs} 轮（“更多设置”可改）。",
        "Goes on from {model}: {sentences} sentences an epoch, {epochs} epochs at most, unless "
        "set below.",
    ),
    "train.plan_original": (
        "其中 {original} 句来自原始数据。",
        "{original} of them from the original data.",
    ),
    "train.plan_new_head": (
        "{model} 的标签与项目不同：保留它的编码器，输出层从头学起。",
        "{model} has other labels than the project: its encoder is kept, its head learned anew.",
    ),
    "train.advanced": ("更多设置", "More settings"),
    "train.epochs": ("最多轮数", "Epochs at most"),
    "train.rate": ("学习率倍数", "Learning rate, times the recipe's"),
    "train.mix": ("每条纠正混入的原始句数", "Original sentences for each correction"),
    "train.seed": ("随机种子", "Seed"),
    "train.automatic": ("自动", "automatic"),
    "train.start": ("开始训练", "Start training"),
    "train.too_few": (
        "至少需要 {limit} 条可训练的已接受文本，现在有 {count} 条。请先在“标注”页接受一些。",
        "At least {limit} accepted texts to learn from are needed, there are {count}. Accept some "
        "on the page Annotate first.",
    ),
    "train.no_dev": (
        "已接受的文本里还没有落入评测的十分之一。请再接受一些，或上传评测文件。",
        "None of the accepted texts belongs to the tenth that judges. Accept some more, or upload "
        "a dev file.",
    ),
    "train.no_base": (
        "没有可以继续训练的模型：{model} 不是检查点目录。",
        "There is no model to go on from: {model} is no checkpoint directory.",
    ),
    "train.busy": (
        "已有一个训练在进行，一次只能有一个。",
        "A training is at work already; one at a time.",
    ),
    "train.bad_number": (
        "“{name}”应在 {low} 到 {high} 之间。",
        "“{name}” must be from {low} to {high}.",
    ),
    "train.job": ("训练进程", "Training run"),
    "train.no_job": (
        "还没有训练过。训练时可以关闭此页，随时回来查看。",
        "No training yet. You may close this page while one runs, and come back.",
    ),
    "train.state_running": ("训练中", "Training"),
    "train.state_starting": ("正在启动", "Starting"),
    "train.state_comparing": ("正在比较新旧模型", "Comparing the two models"),
    "train.state_done": ("已完成", "Done"),
    "train.state_cancelled": ("已取消", "Cancelled"),
    "train.state_failed": ("失败", "Failed"),
    "train.state_interrupted": ("中断", "Interrupted"),
    "train.state_curve": ("正在测学习曲线", "Measuring the learning curve"),
    "train.progress": (
        "第 {epoch} 轮，第 {step} / {steps} 步",
        "Epoch {epoch}, step {step} of {steps}",
    ),
    "train.remaining": ("最多还需 {time}", "{time} left at most"),
    "train.best": ("目前最好的评测 F1 {f1}", "best dev F1 so far {f1}"),
    "train.cancel": ("取消", "Cancel"),
    "train.resume": ("继续训练", "Resume"),
    "train.interrupted_note": (
        "应用或机器在训练时停止了。已保存的部分完好，可以继续。",
        "The app or the machine went down while it was training. What was saved is intact.",
    ),
    "train.not_saved_note": (
        "停止时还没有保存过，只能重新开始。",
        "Nothing was saved yet: start again.",
    ),
    "train.killed_note": (
        "训练进程被强行结束，常见原因是内存不足。",
        "The process was killed; lack of memory is the usual reason.",
    ),
    "train.other_project": ("属于项目“{project}”。", "It belongs to project “{project}”."),
    "train.log": ("进程输出", "Output of the process"),
    "train.loss_curve": ("训练损失（每字）", "Training loss per character"),
    "train.f1_curve": ("评测 F1", "Dev F1"),
    "train.step": ("步", "step"),
    "train.epoch": ("轮", "epoch"),
    "train.result": ("新旧模型比较", "The two models compared"),
    "train.verdict_better": (
        "{new} 比 {old} 好 {points} 个百分点，不太可能是偶然（p = {p}）。",
        "{new} is better than {old} by {points} points; chance is unlikely to explain it "
        "(p = {p}).",
    ),
    "train.verdict_worse": (
        "{new} 比 {old} 差 {points} 个百分点，不太可能是偶然（p = {p}）。建议保留旧模型。",
        "{new} is worse than {old} by {points} points; chance is unlikely to explain it "
        "(p = {p}). Better keep the old one.",
    ),
    "train.verdict_not_shown": (
        "看不出 {new} 比 {old} 好：高 {points} 个百分点，偶然就能解释（p = {p}）。",
        "{new} is not shown to be better than {old}: it is {points} points above, which "
        "chance can explain (p = {p}).",
    ),
    "train.verdict_below": (
        "{new} 不比 {old} 好：低 {points} 个百分点，虽然偶然也能解释（p = {p}）。建议保留旧模型。",
        "{new} is not better than {old}: it is {points} points below, though chance can "
        "explain that (p = {p}). Better keep the old one.",
    ),
    "train.interval": (
        "差值的 95% 置信区间：{low} 到 {high} 个百分点，{count} 句（成对自助法）。",
        "95 % confidence interval of the difference: {low} to {high} points, {count} sentences "
        "(paired bootstrap).",
    ),
    "train.selected_on_dev": (
        "最好的一轮也是在这些句子上选的，所以新模型的分数略偏高。",
        "Its best epoch was chosen on these sentences, so the new model looks a little better "
        "than it is.",
    ),
    "train.all_labels": ("全部（微平均）", "all (micro)"),
    "train.column_difference": ("差值（95% 区间）", "Difference (95 % interval)"),
    "train.unmeasured": ("评测句中没有", "none to find"),
    "train.range": ("{low} 到 {high}", "{low} to {high}"),
    "train.use_new": ("换用 {model}", "Use {model}"),
    "train.in_use": ("使用中", "in use"),
    "train.models": ("模型", "Models"),
    "train.models_note": (
        "使用中的模型给本项目预标注，也是“识别”页和 API 的默认模型；重启后仍然有效。",
        "The model in use suggests in this project and is the default of the page Predict and of "
        "the API, also after a restart.",
    ),
    "train.use": ("使用", "Use"),
    "train.given_model": ("随应用提供", "came with the app"),
    "train.trained_model": ("{count} 条纠正，评测 F1 {f1}", "{count} corrections, dev F1 {f1}"),
    "train.no_such_model": (
        "没有模型 {name}，可能已被删除。请刷新页面。",
        "There is no model {name}; somebody may have deleted it. Reload the page.",
    ),
    "train.curve": ("学习曲线", "Learning curve"),
    "train.curve_note": (
        "用一部分纠正各训练一次，看 F1 怎样随纠正的句数变化：曲线还在上升，就值得继续标注。"
        "轮数少，分数比正式训练略低；点与点之间也有偶然的起伏。",
        "Trains once on each of some parts of the corrections, to show how F1 grows with their "
        "number: while it rises, annotating pays. Few epochs, so scores are a little below those "
        "of a real training; some ups and downs are chance.",
    ),
    "train.curve_start": ("测一次学习曲线", "Measure the curve"),
    "train.curve_empty": ("还没有测过。", "Not measured yet."),
    "train.curve_sentences": ("纠正的句数", "corrected sentences"),
    "train.curve_stale": (
        "这条曲线是 {count} 条纠正时测的，现在有 {now} 条。",
        "Measured with {count} corrections; there are {now} now.",
    ),
    "train.curve_base": (
        "从 {model} 开始训练，在 {dev} 句上评测。",
        "Trained from {model}, judged on {dev} sentences.",
    ),
    "train.curve_point": (
        "{count} 句：F1 {f1}（95% 置信区间 {interval}）",
        "{count} sentences: F1 {f1} (95 % interval {interval})",
    ),
}
