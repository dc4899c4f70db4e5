"""Every word of the error page, Chinese and English side by side; label names stay as they are."""

from typing import Final, Literal

PageLanguage = Literal["en", "zh"]

# key -> (Chinese, English); a word in braces is filled in where the text is shown.
_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "title": ("{checkpoint} 错在哪里", "What {checkpoint} gets wrong"),
    "scope": (
        "{data}：{num_examples:,} 条文本，标准答案 {num_gold:,} 个实体，"
        "模型给出 {num_predicted:,} 个",
        "{data}: {num_examples:,} texts with {num_gold:,} gold entities; the model predicted "
        "{num_predicted:,}",
    ),
    "strict": (
        "严格计分，单位为百分数：起止与类型都对才算对，部分重合不计分。",
        "Strict scores in percent: an entity counts only if both borders and the label are right.",
    ),
    "micro_f1": ("微平均 F1", "Micro F1"),
    "interval": ("95 % 区间 {low} – {high}", "95 % interval {low} – {high}"),
    "interval_note": (
        "对文本做 {num_resamples:,} 次自助重采样（百分位法）："
        "换一批同类文本，得分会在此范围内波动。它不反映换随机种子重新训练的影响。",
        "Percentile bootstrap with {num_resamples:,} resamples of the texts: how far the score "
        "would move on other texts of this kind. It does not tell what another training seed "
        "would do.",
    ),
    "precision": ("精确率", "Precision"),
    "recall": ("召回率", "Recall"),
    "macro_f1": ("宏平均 F1", "Macro F1"),
    "official_macro_f1": ("CLUENER 官方宏平均 F1", "Official CLUENER macro F1"),
    "by_label": ("各类型得分", "Scores by label"),
    "label": ("类型", "Label"),
    "f1": ("F1", "F1"),
    "support": ("数量", "Gold"),
    "all_labels": ("全部（微平均）", "All (micro)"),
    "seen_heading": ("见过与没见过的实体", "Seen and unseen mentions"),
    "seen_note": (
        "训练数据中标注过同样文字、同样类型的实体即为“见过”。每个实体自身决定归属，两行相加就是总分。",
        "A mention is seen if the training data holds the same string with the same label. Each "
        "entity decides for itself, so the two rows add up to the whole.",
    ),
    "seen": ("见过", "Seen"),
    "unseen": ("没见过", "Unseen"),
    "errors_heading": ("错误的种类", "Kinds of errors"),
    "error": ("错误", "Error"),
    "number": ("个数", "Number"),
    "share": ("占比", "Share"),
    "repaired": ("改正后 F1", "F1 without"),
    "errors_note": (
        "标准答案与模型结果一一配对，每个实体恰好归入一类。"
        "“改正后 F1”指只改正这一类错误时的微平均 F1。",
        "Gold and predicted entities are paired one to one, so each is in exactly one class. “F1 "
        "without” is the micro F1 if this class of errors alone were repaired.",
    ),
    "right": ("正确", "right"),
    "wrong_label": ("类型错", "wrong label"),
    "wrong_borders": ("边界错", "wrong borders"),
    "wrong_label_and_borders": ("类型和边界都错", "wrong label and borders"),
    "missed": ("漏标", "missed"),
    "spurious": ("多标", "spurious"),
    "confusion_heading": ("类型混淆", "Confusion of labels"),
    "confusion_note": (
        "行是标准答案的类型，列是模型给出的类型，只计边界一致的实体；其余的计入最后的行和列。",
        "Rows are gold labels, columns predicted labels, where the borders agree. The last columns "
        "and rows hold all other entities.",
    ),
    "gold_and_predicted": ("标准 ＼ 模型", "gold ＼ model"),
    "other_borders": ("边界不同", "other borders"),
    "worst_heading": ("错得最多的文本（{count} 条）", "The worst texts ({count})"),
    "worst_none": ("没有任何错误。", "There is no error at all."),
    "worst_note": (
        "按错误个数从多到少排列（配成一对的两个实体算一个错误）；个数相同时，模型给错误实体的概率之和"
        "越大越靠前；再相同则按文件中的顺序。",
        "Most errors first (two entities that form a pair are one error). Of equally many, those "
        "come first whose wrong entities have the higher sum of probabilities: the model was "
        "surer. Then the order of the file decides.",
    ),
    "key": ("图例", "How to read it"),
    "key_gold": ("实线、在文字上方：标准答案", "solid, above the text: gold"),
    "key_predicted": ("虚线、在文字下方：模型", "dashed, below the text: the model"),
    "key_right": ("细灰线：两者一致", "thin and grey: both agree"),
    "key_number": ("编号对应下方列表", "numbers lead to the list below each text"),
    "place": ("第 {number} 条", "text {number}"),
    "place_with_id": ("第 {number} 条，id {id}", "text {number}, id {id}"),
    "num_errors": ("{count} 个错误", "{count} errors"),
    "one_error": ("1 个错误", "1 error"),
    "gold": ("标准", "gold"),
    "predicted": ("模型", "model"),
    "nothing": ("无", "nothing"),
    "characters": ("字符 {start}–{end}，共 {length}", "characters {start}–{end} of {length}"),
    "hidden_errors": (
        "这条文本没有显示的错误：{count} 个。",
        "Errors of this text that are not shown: {count}.",
    ),
    "footer": (
        "由 python -m ner_core.evaluate 生成。概率是模型对“起止与类型都正确”的估计，未经校准。",
        "Made by python -m ner_core.evaluate. Probabilities are the model's own, for borders and "
        "label together, and not calibrated.",
    ),
}

PAGE_TEXTS: Final[dict[PageLanguage, dict[str, str]]] = {
    "zh": {key: chinese for key, (chinese, _) in _TEXTS.items()},
    "en": {key: english for key, (_, english) in _TEXTS.items()},
}
