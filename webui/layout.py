"""The whole page: header, tabs, theme, and the options of `launch()` that belong to them."""

from pathlib import Path
from typing import Any, Final

import gradio as gr
from starlette.middleware import Middleware

from annotation_store.store import AnnotationStore
from webui import (
    annotate_tab,
    api,
    data_tab,
    predict_tab,
    project_choice,
    projects_tab,
    review_tab,
    statistics_tab,
    train_tab,
)
from webui.background_reader import BackgroundReader
from webui.messages import reports_errors
from webui.model_choice import ModelChoice
from webui.page_language import I18N, PageLanguage, translated
from webui.settings import Settings
from webui.texts import TEXTS
from webui.theme import make_theme
from webui.wording.page import PAGE
from webui.wording.tour import TOUR

_ASSETS: Final = Path(__file__).parent / "page"
_STYLES: Final = (
    "page.css",
    "predict.css",
    "data.css",
    "queue.css",
    "projects.css",
    "review.css",
    "statistics.css",
    "train.css",
    "tour.css",
)


def build(store: AnnotationStore, models: ModelChoice, settings: Settings) -> gr.Blocks:
    """All pages over one store and the models on offer.

    Args:
        store: Where documents and revisions are kept.
        models: They tag texts; shared by all visitors.
        settings: See `webui.settings.Settings`.
    """
    with api.EndpointBlocks(
        title=TEXTS["zh"]["page.title"], analytics_enabled=False, fill_width=True
    ) as blocks:
        # First: private handlers take names too, and the second "predict" becomes "predict_1".
        api.add_endpoints(store, models, settings)
        gr.HTML(
            html_template=_read("title.html"),
            js_on_load=_read("title.js"),
            texts=_page_texts(),
            apply_default_css=False,
            elem_id="header-name",
        )
        gr.HTML(
            html_template=_read("header.html"),
            js_on_load=_read("header.js"),
            texts=_page_texts(),
            models=list(models.names),
            device=models.default.device_name,
            apply_default_css=False,
            elem_id="header-tools",
        )
        choice = project_choice.build(store, settings, blocks)
        current_project = choice.current
        reader = BackgroundReader(store, models)
        gr.HTML(
            html_template=_read("tour.html"),
            js_on_load=_read("tour.js"),
            texts=_tour_texts(),
            apply_default_css=False,
            elem_id="tour",
        )
        with gr.Tabs(elem_id="pages", overflow_behavior="wrap") as tabs:
            with gr.Tab(translated("predict.tab"), id="predict", elem_id="page-predict"):
                predict_page = predict_tab.build(
                    store, models, settings, current_project=current_project, blocks=blocks
                )
            with gr.Tab(translated("annotate.tab"), id="annotate"):
                annotate_page = annotate_tab.build(
                    store, models, reader, current_project=current_project, blocks=blocks
                )
            with gr.Tab(translated("data.tab"), id="data", elem_id="page-data"):
                data_page = data_tab.build(store, settings, current_project=current_project)
            with gr.Tab(translated("review.tab"), id="review", elem_id="page-review"):
                review_page = review_tab.build(store, models, current_project=current_project)
            with gr.Tab(
                translated("train.tab"),
                id="train",
                elem_id="page-train",
                # Gradio 6.31 takes a closed page apart, and its plots then look for their width.
                render_children=True,
            ) as train:
                train_tab.build(
                    store,
                    models,
                    settings.jobs,
                    reader,
                    current_project=current_project,
                    model_views=predict_page.model_views,
                    tab=train,
                    blocks=blocks,
                )
            with gr.Tab(translated("statistics.tab"), id="statistics", elem_id="page-statistics"):
                statistics_tab.build(store, settings, current_project=current_project)
            with gr.Tab(translated("projects.tab"), id="projects", elem_id="page-projects"):
                projects_tab.build(store, models, reader, choice)

        @reports_errors
        def open_in_editor(project: str, document_id: int, request: gr.Request) -> tuple[Any, Any]:
            message = annotate_page.open_document(project, document_id, request)
            return gr.Tabs(selected="annotate"), message

        for chosen, document_id in (
            (predict_page.corrected, predict_page.document_id),
            (data_page.chosen, data_page.document_id),
            *review_page.opened,
        ):
            # One event for both: two answers in one frame of the browser overwrite each other.
            chosen.success(
                open_in_editor,
                inputs=[current_project, document_id],
                outputs=[tabs, annotate_page.editor],
                show_progress="hidden",
                api_visibility="private",
            )
    return blocks


def launch_options() -> dict[str, Any]:
    """The arguments of `gr.Blocks.launch` that belong to the look of the pages."""
    return {
        "theme": make_theme(),
        # Not `css=`: Gradio 6.31 rewrites the selectors of that one and drops nested rules.
        "head": f"<style>{''.join(map(_read, _STYLES))}</style>",
        "i18n": I18N,
        "favicon_path": str(_ASSETS / "favicon.svg"),
        # The link to the API page is the one of page/about.js; page.css hides this footer.
        "footer_links": ["api"],
        # Run history keeps every text that a visitor tags in the browser; nobody asked for that.
        "run_history": False,
        "app_kwargs": {"middleware": [Middleware(PageLanguage)]},
    }


def _read(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _page_texts() -> dict[str, dict[str, str]]:
    return {language: {key: table[key] for key in PAGE} for language, table in TEXTS.items()}


def _tour_texts() -> dict[str, dict[str, str]]:
    def is_needed(key: str) -> bool:
        return key in TOUR or key.endswith(".tab")

    return {
        language: {key: table[key] for key in table if is_needed(key)}
        for language, table in TEXTS.items()
    }
