"""The page Projects in Chromium: projects and labels change, annotations stay."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from annotation_store.projects import Project
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.spans import Span
from tests.e2e.editor import show_editor

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

WAIT_MS = 90_000
TEXT = "浙商银行的叶老桂博士"
COMPANY, NAME = Span(0, 4, "company"), Span(5, 8, "name")


@pytest.fixture(scope="module")
def app(start_app):
    return start_app(str(Path(__file__).with_name("rules_app.py")), "--two-models")


@pytest.fixture(scope="module")
def store(app) -> Iterator[AnnotationStore]:
    """The project "default" with one text, in which people have found a company and a name."""
    with AnnotationStore.open(app.database, lock_timeout_s=60) as store:
        store.add([NewDocument(TEXT)])
        store.save(1, base_revision=0, spans=[COMPANY, NAME], status="accepted", annotator="梅")
        yield store


@pytest.fixture
def page(open_page: Callable[..., Page], app, store: AnnotationStore) -> Page:
    page = open_page(app.url)
    page.set_default_timeout(WAIT_MS)
    page.get_by_role("tab", name="项目").click()
    expect(row(page, "company")).to_be_visible(timeout=WAIT_MS)
    return page


def row(page: Page, label: str) -> Locator:
    return page.locator(f'[data-testid="project-labels"] > li[data-label="{label}"]')


def labels(page: Page) -> list[str]:
    rows = page.get_by_test_id("project-labels").locator("> li")
    return rows.evaluate_all("rows => rows.map((row) => row.dataset.label)")


def project(store: AnnotationStore, name: str = "default") -> Project:
    return next(project for project in store.projects() if project.name == name)


def expect_saved(page: Page) -> None:
    saved = page.locator(".projects-saved")
    expect(saved).to_have_text("已保存", timeout=WAIT_MS)
    expect(saved).to_have_text("", timeout=WAIT_MS)


def test_a_label_gets_another_name_and_its_annotations_follow(
    page: Page, store: AnnotationStore
) -> None:
    name = row(page, "name").get_by_role("textbox", name="标签名 name")
    name.fill("person")
    name.press("Enter")
    expect(row(page, "person")).to_contain_text("曾名 name", timeout=WAIT_MS)
    assert store.get(1).spans == (COMPANY, Span(5, 8, "person"))
    # Their old name belongs to them for ever.
    page.get_by_role("textbox", name="添加标签").fill("name")
    page.get_by_role("button", name="添加", exact=True).click()
    expect(page.get_by_test_id("toast-body").first).to_contain_text("标签 name 已有，或曾是")
    show_editor(page).expect_document(1)
    person = page.locator('[data-testid="entity"][data-label="person"]').first
    expect(person).to_have_text("叶老桂")


def test_a_label_is_added_moved_and_removed(page: Page, store: AnnotationStore) -> None:
    before = labels(page)
    page.get_by_role("textbox", name="添加标签").fill("疾病")
    page.get_by_role("button", name="添加", exact=True).click()
    expect(row(page, "疾病")).to_be_visible(timeout=WAIT_MS)
    row(page, "疾病").get_by_role("button", name="上移 疾病").click()
    expect(page.get_by_test_id("project-labels").locator("> li").nth(-2)).to_have_attribute(
        "data-label", "疾病", timeout=WAIT_MS
    )
    moved = [*before[:-1], "疾病", before[-1]]
    assert labels(page) == list(project(store).labels.labels) == moved
    row(page, "疾病").get_by_role("button", name="删除 疾病").click()
    expect(row(page, "疾病")).to_have_count(0, timeout=WAIT_MS)
    assert list(project(store).labels.labels) == before
    assert len(store.get(1).spans) == 2


def test_a_label_that_is_in_use_is_not_removed(page: Page, store: AnnotationStore) -> None:
    row(page, "company").get_by_role("button", name="删除 company").click()
    toast = page.get_by_test_id("toast-body").first
    expect(toast).to_contain_text("有 1 条文本用到标签 company", timeout=WAIT_MS)
    expect(row(page, "company")).to_be_visible()
    assert "company" in project(store).labels.labels


def test_colour_names_guideline_and_model_are_kept(page: Page, store: AnnotationStore) -> None:
    company = row(page, "company")
    color = company.locator("input[type=color]")
    # A colour dialogue belongs to the system; this is what it does when it is closed.
    color.evaluate(
        "input => { input.value = '#123456'; input.dispatchEvent(new Event('change')); }"
    )
    expect_saved(page)
    company.get_by_role("textbox", name="中文名 company").fill("企业")
    company.get_by_role("textbox", name="中文名 company").press("Tab")
    expect_saved(page)
    company.get_by_role("button", name="company 的说明").click()
    company.get_by_role("textbox", name="company 的说明").fill("含银行与集团")
    company.get_by_role("textbox", name="company 的说明").press("Tab")
    expect_saved(page)
    page.get_by_role("combobox", name="给出建议的模型").select_option("rules")
    expect_saved(page)
    settings = project(store).settings
    own = settings.of("company")
    assert (own.color, own.chinese, own.guideline) == ("#123456", "企业", "含银行与集团")
    assert settings.model == "rules"
    page.reload()
    page.get_by_role("tab", name="标注").click()
    button = page.locator('[data-testid="label-button"][data-label="company"]')
    expect(button).to_contain_text("企业", timeout=WAIT_MS)


def test_a_new_project_has_labels_texts_and_a_model_of_its_own(
    page: Page, store: AnnotationStore
) -> None:
    form = page.locator(".projects-new")
    form.get_by_role("textbox", name="名称").fill("新闻 <b>")
    form.get_by_role("combobox", name="标签").select_option(label="自己写")
    form.get_by_role("textbox", name="标签").fill("PER，LOC 疾病")
    form.get_by_role("button", name="新建").click()
    expect(row(page, "疾病")).to_be_visible(timeout=WAIT_MS)
    assert labels(page) == ["PER", "LOC", "疾病"]
    current = page.locator(".projects-item[aria-current=true]")
    expect(current).to_contain_text("新闻 <b>")
    expect(current).to_contain_text("0 条 · 3 个标签")
    assert project(store, "新闻 <b>").labels.labels == ("PER", "LOC", "疾病")
    # A text of the same words is another document there.
    store.add([NewDocument(TEXT)], project="新闻 <b>")
    page.reload()
    editor = show_editor(page, is_reloaded=False)
    expect(editor.text).to_have_text(re.compile(TEXT), timeout=WAIT_MS)
    found = page.locator('[data-testid="entity"][data-label="PER"]').first
    expect(found).to_have_text("叶老桂博士", timeout=WAIT_MS)  # the model that knows PER
    assert store.get(1).spans[0] == COMPANY
