"""The card of the page Train that says what there is to learn from, takes files, and starts."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from webui.label_style import style_labels
from webui.page_language import translated
from webui.texts import Language
from webui.train_view import make_train_view
from webui.training_draft import LIMITS, Draft, find_lack


@dataclass(frozen=True, slots=True)
class DataCard:
    """The components of the card.

    Attributes:
        view: Shows the value of `describe_data`; its event "remove" carries the kind of a file.
        dev_file: Takes sentences to judge on.
        original_file: Takes original data.
        numbers: The advanced fields, in the order of `LIMITS`.
        start: Starts a training.
        lack: Says why it cannot be started: shows the value of `describe_start`.
    """

    view: gr.HTML
    dev_file: gr.UploadButton
    original_file: gr.UploadButton
    numbers: tuple[gr.Textbox, ...]
    start: gr.Button
    lack: gr.HTML

    @property
    def start_parts(self) -> list[Any]:
        """What `describe_start` has updates of, in its order."""
        return [self.start, self.lack]


def describe_data(draft: Draft) -> dict[str, Any]:
    """How much there is to learn from, and the training that would be started."""
    data, plan = draft.data, draft.plan
    styles = style_labels(draft.project.labels, draft.project.settings)
    return {
        "model": draft.predictor.name,
        "is_first": draft.read_at is None,
        "num_accepted": data.num_accepted,
        "num_new": data.num_new,
        "num_train": len(data.train),
        "num_dev": len(data.dev),
        "num_original": len(data.original),
        "is_dev_held_out": data.is_dev_held_out,
        "labels": [
            {
                "label": count.label,
                "zh": style.chinese,
                "en": style.english,
                "color": style.color,
                "accepted": count.accepted,
                "new": count.new,
                "dev": count.dev,
            }
            for count, style in zip(data.labels, styles, strict=True)
        ],
        "plan": plan
        and {
            "sentences": plan.num_sentences,
            "original": plan.num_original,
            "epochs": plan.epochs,
            "keeps_head": plan.keeps_head,
        },
    }


def describe_start(draft: Draft, language: Language) -> list[Any]:
    """Updates of the button and of what stands beside it: no start without something to learn."""
    lack = find_lack(draft, language)
    return [gr.Button(interactive=lack is None), {"lack": lack}]


def make_data_card() -> DataCard:
    """Build the card inside the current Gradio context."""
    with gr.Column(elem_classes="card"):
        view = make_train_view("data")
        with gr.Row(elem_classes="train-files"):
            dev_file, original_file = (
                gr.UploadButton(
                    translated(f"train.upload_{kind}"),
                    file_types=[".json", ".jsonl", ".bio", ".conll", ".txt"],
                    size="sm",
                    min_width=0,
                    elem_id=f"train-upload-{kind}",
                )
                for kind in ("dev", "original")
            )
        gr.Markdown(translated("train.files_note"), elem_classes="quiet small")
        with gr.Accordion(translated("train.advanced"), open=False), gr.Row():
            numbers = tuple(
                # Not gr.Number: Gradio 6.31 writes 0 into an empty one.
                gr.Textbox(
                    label=translated(f"train.{name}"),
                    placeholder=translated("train.automatic"),
                    max_lines=1,
                    min_width=120,
                    elem_id=f"train-{name}",
                )
                for name in LIMITS
            )
        start = gr.Button(translated("train.start"), variant="primary", elem_id="train-start")
        lack = make_train_view("lack")
    return DataCard(view, dev_file, original_file, numbers, start, lack)
