"""The span editor in Chromium: what a person does, and what the database then holds."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from annotation_store.store import AnnotationStore, Document, NewDocument
from ner_core.spans import Span

pytestmark = pytest.mark.e2e

BANK = "浙商银行企业信贷部叶老桂博士则从另一个角度解读。叶老桂认为，银监会才是转折。"
# The order of the label set gives the digits.
ADDRESS, BOOK, COMPANY, NAME, SCENE = "1", "2", "3", "7", "0"


@pytest.fixture(scope="module")
def app(start_app):
    return start_app("tests/e2e/rules_app.py")


@pytest.fixture
def store(app) -> Iterator[AnnotationStore]:
    """The app's own database, with nothing left to review from the tests before."""
    with AnnotationStore.open(app.database) as store:
        while (document := store.next(after=None, status="new")) is not None:
            store.save(
                document.id,
                base_revision=document.revision_number,
                spans=(),
                status="ignored",
                annotator="cleaner",
            )
        yield store


class Editor:
    """What a person sees of the editor and can do with it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.get_by_test_id("annotator")
        self.text = page.get_by_test_id("annotator-text")
        self.status = page.get_by_test_id("save-status")
        self.notice = page.get_by_test_id("annotator-notice")
        self.entities = page.get_by_test_id("annotator-text").get_by_test_id("entity")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def spans(self) -> list[tuple[str, str, str]]:
        """(mention, label, source) of every entity, in order."""
        return self.entities.evaluate_all(
            "nodes => nodes.map(n => [n.textContent, n.dataset.label, n.dataset.source])"
        )

    def expect_spans(self, *expected: tuple[str, str, str]) -> None:
        assert [tuple(span) for span in self.spans()] == list(expected)

    def expect_state(self, state: str) -> None:
        expect(self.status).to_have_attribute("data-state", state)

    def expect_document(self, document_id: int) -> None:
        expect(self.root).to_have_attribute("data-document-id", str(document_id))

    def drag(self, start: int, end: int) -> None:
        """Select characters (in UTF-16 units, as the browser counts) with the mouse."""
        x1, y1, x2, y2 = self.text.evaluate(
            """(text, [start, end]) => {
                const edge = (unit, side) => {
                    const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
                    let position = 0;
                    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                        if (unit < position + node.length) {
                            const range = document.createRange();
                            range.setStart(node, unit - position);
                            range.setEnd(node, unit - position + 1);
                            const box = range.getBoundingClientRect();
                            return [side ? box.right - 1 : box.left + 1, box.top + box.height / 2];
                        }
                        position += node.length;
                    }
                };
                return [...edge(start, false), ...edge(end - 1, true)];
            }""",
            [start, end],
        )
        mouse = self.page.mouse
        mouse.move(x1, y1)
        mouse.down()
        mouse.move((x1 + x2) / 2, (y1 + y2) / 2)
        mouse.move(x2, y2)
        mouse.up()

    def move_caret(self, position: int) -> None:
        self.press("Control+Home", *["ArrowRight"] * position)

    def select(self, start: int, length: int) -> None:
        """Select characters with the keyboard alone."""
        self.move_caret(start)
        self.press(*["Shift+ArrowRight"] * length)

    def label_button(self, label: str) -> Locator:
        return self.page.locator(f'[data-testid="label-button"][data-label="{label}"]')


@pytest.fixture
def open_editor(app, open_page) -> Callable[..., Editor]:
    """Open the page 标注 as a visitor of one's own."""

    def open_tab(**options: object) -> Editor:
        return show_editor(open_page(app.url, **options))

    return open_tab


def show_editor(page: Page, *, is_reloaded: bool = False) -> Editor:
    tab = page.get_by_role("tab", name=re.compile("标注|Annotate"))
    if is_reloaded:  # the page comes back to its tab; a click would take the focus to it
        expect(tab).to_have_attribute("aria-selected", "true")
    else:
        tab.click()
    editor = Editor(page)
    expect(editor.root).to_have_attribute("data-state", "ready")
    return editor


def add(store: AnnotationStore, *texts: str) -> list[int]:
    """Add texts to the end of the queue; a number makes each one new to the store."""
    return list(store.add([NewDocument(text) for text in texts]).added_ids)


def numbered(text: str, number: int) -> str:
    return f"{text}（{number}）"


def saved(store: AnnotationStore, document_id: int) -> Document:
    return store.get(document_id)


def test_suggestions_are_shown_with_their_probability_and_become_spans_on_enter(store, open_editor):
    first, second = add(store, numbered(BANK, 1), numbered(BANK, 2))
    editor = open_editor()
    editor.expect_document(first)
    expect(editor.root).to_have_attribute("role", "application")
    expect(editor.root).to_have_attribute("data-revision", "1")
    editor.expect_state("clean")
    bank = editor.entities.first
    expect(bank).to_have_attribute("data-score", "0.99")
    expect(bank).to_have_attribute("data-start", "0")
    expect(bank).to_have_attribute("data-end", "4")

    editor.press("Enter")

    editor.expect_document(second)
    editor.expect_state("saved")
    document = saved(store, first)
    assert document.status == "accepted"
    assert document.suggestions == ()
    assert document.spans == (
        Span(0, 4, "company"),
        Span(9, 12, "name"),
        Span(12, 14, "position"),
        Span(24, 27, "name"),
        Span(30, 33, "government"),
    )
    assert document.revision is not None
    assert document.revision.annotator == "annotator-1"


def test_every_key_of_the_editor_does_what_its_button_says(store, open_editor):
    (document_id,) = add(store, numbered(BANK, 3))
    editor = open_editor()
    suggestions = (
        ("浙商银行", "company", "model"),
        ("叶老桂", "name", "model"),
        ("博士", "position", "model"),
        ("叶老桂", "name", "model"),
        ("银监会", "government", "model"),
    )
    editor.expect_spans(*suggestions)

    editor.press("Tab", "a")
    editor.expect_spans(("浙商银行", "company", "human"), *suggestions[1:])
    editor.press("Tab", "Tab", "x")
    editor.expect_spans(
        ("浙商银行", "company", "human"), suggestions[1], suggestions[3], suggestions[4]
    )
    editor.press("Shift+Tab", SCENE)
    editor.expect_spans(
        ("浙商银行", "company", "human"), ("叶老桂", "scene", "human"), *suggestions[3:]
    )
    editor.press("Delete")
    editor.expect_spans(("浙商银行", "company", "human"), *suggestions[3:])
    editor.press("Control+z", "Control+z", "Control+z", "Control+z")
    editor.expect_spans(*suggestions)
    editor.press("Control+Shift+z", "Control+y")
    editor.expect_spans(
        ("浙商银行", "company", "human"), suggestions[1], suggestions[3], suggestions[4]
    )
    editor.press("Escape", "Control+End", "Shift+Tab", "BracketRight")
    editor.expect_spans(
        ("浙商银行", "company", "human"),
        suggestions[1],
        suggestions[3],
        ("监会", "government", "human"),
    )
    editor.press("BracketLeft", "BracketLeft", "Shift+BracketRight", "Shift+BracketLeft")
    editor.press("Shift+BracketLeft")
    editor.expect_spans(
        ("浙商银行", "company", "human"),
        suggestions[1],
        suggestions[3],
        ("，银监", "government", "human"),
    )
    editor.press("?")
    expect(editor.page.get_by_role("heading", name="全部快捷键")).to_be_visible()
    editor.press("Escape")
    expect(editor.page.get_by_role("heading", name="全部快捷键")).to_be_hidden()

    editor.expect_state("dirty")
    editor.press("b")
    editor.expect_state("saved")
    document = saved(store, document_id)
    assert document.status == "flagged"
    assert document.spans == (Span(0, 4, "company"), Span(29, 32, "government"))
    # Nobody decided on the rest: it stays what it was, with the scores of the model.
    assert [(span.start, span.score) for span in document.suggestions] == [(9, 0.97), (24, 0.97)]


def test_one_step_of_undo_takes_back_a_whole_propagation(store, open_editor):
    add(store, "小明和小红，小明说小明好。（4）")
    editor = open_editor()
    editor.select(0, 2)
    editor.press(NAME)
    editor.expect_spans(("小明", "name", "human"))
    propagate = editor.page.get_by_role("button", name=re.compile("同词全标"))
    expect(propagate).to_contain_text("2 处")

    editor.press("f")
    editor.expect_spans(*[("小明", "name", "human")] * 3)
    editor.press("Control+z")
    editor.expect_spans(("小明", "name", "human"))
    editor.press("Control+Shift+z")
    editor.expect_spans(*[("小明", "name", "human")] * 3)


def test_propagation_names_the_suggestions_it_replaces(store, open_editor):
    add(store, "老桂说，叶老桂来了。（4b）")
    editor = open_editor()
    editor.expect_spans(("叶老桂", "name", "model"))
    editor.select(0, 2)
    editor.press(NAME, "f")
    editor.expect_spans(("老桂", "name", "human"), ("老桂", "name", "human"))
    expect(editor.notice).to_contain_text("替换了 叶老桂")


def test_a_text_can_be_labelled_by_keyboard_alone(store, open_editor):
    (document_id,) = add(store, "王小明昨天在杭州西湖边\n看见了李雷。（5）")
    editor = open_editor()
    editor.select(0, 3)
    expect(editor.notice).to_contain_text("王小明")
    editor.press(NAME)
    # The caret stands behind the entity, so the way to the next one is short.
    editor.press(*["ArrowRight"] * 3, *["Shift+ArrowRight"] * 4, SCENE)
    # Down one line, then select back to its start.
    editor.press("ArrowDown", "Home", *["ArrowRight"] * 3, "Shift+End", "Shift+ArrowLeft", NAME)
    editor.press("Enter")
    editor.expect_state("saved")
    document = saved(store, document_id)
    assert document.spans[:2] == (Span(0, 3, "name"), Span(6, 10, "scene"))
    assert document.text[document.spans[2].start : document.spans[2].end].startswith("李雷")


def test_dragging_over_lines_and_entities_gives_the_offsets_of_the_text(store, open_editor):
    text = "叶老桂说：\n北京😀和上海。\r\n再见（6）"
    (document_id,) = add(store, text)
    editor = open_editor()
    editor.drag(1, text.index("上") + 1)  # the emoji takes two units, so one more than code points
    editor.press(ADDRESS)
    expect(editor.notice).to_contain_text("叶老桂 (姓名)")  # says what it replaced
    end = text.index("上")
    editor.expect_spans((text[1:end], "address", "human"))
    editor.press("Enter")
    editor.expect_state("saved")
    assert saved(store, document_id).spans == (Span(1, end, "address"),)


@pytest.mark.parametrize(
    ("text", "mention"),
    [
        ("😀😀北京市，看𠮷野家。", "𠮷野家"),
        ("一家👩‍👩‍👧‍👦去了e\u0301toile（巴黎）", "巴黎"),
        ("a\tb\r\nc\u3000深圳\n", "深圳"),
        ("각\u1100\u1161\u11a8与👍🏽在🇨🇳上海", "上海"),
    ],
    ids=["outside the BMP", "joiners and accents", "tabs and line ends", "jamo, skin tones, flags"],
)
def test_offsets_are_code_points_whatever_stands_before_the_mention(
    store, open_editor, text, mention
):
    (document_id,) = add(store, text)
    editor = open_editor()
    before = text[: text.index(mention)]
    units = len(before.encode("utf-16-le")) // 2
    editor.drag(units, units + len(mention.encode("utf-16-le")) // 2)
    editor.press(BOOK)
    editor.expect_spans((mention, "book", "human"))
    editor.press("Enter")
    editor.expect_state("saved")
    start = text.index(mention)
    assert saved(store, document_id).spans == (Span(start, start + len(mention), "book"),)
    assert saved(store, document_id).text == text


def test_the_caret_moves_by_what_a_reader_sees_as_one_character(store, open_editor):
    (document_id,) = add(store, "👩‍👩‍👧‍👦e\u0301𠮷在（7）")
    editor = open_editor()
    editor.select(2, 1)
    editor.press(NAME)
    editor.expect_spans(("𠮷", "name", "human"))
    editor.press("Enter")
    editor.expect_state("saved")
    assert saved(store, document_id).spans == (Span(9, 10, "name"),)


def test_a_person_with_a_mouse_only_can_do_everything(store, open_editor):
    (document_id,) = add(store, "叶老桂和浙商银行在杭州（8）")
    editor = open_editor()
    page = editor.page
    editor.drag(9, 11)
    editor.label_button("address").click()
    editor.expect_spans(
        ("叶老桂", "name", "model"), ("浙商银行", "company", "model"), ("杭州", "address", "human")
    )
    editor.entities.nth(0).click()
    page.get_by_role("button", name=re.compile("终点左移")).click()
    page.get_by_role("button", name=re.compile("起点右移")).click()
    editor.expect_spans(
        ("老", "name", "human"), ("浙商银行", "company", "model"), ("杭州", "address", "human")
    )
    page.get_by_role("button", name="拒绝 浙商银行").click()
    editor.entities.nth(0).click()
    editor.label_button("company").click()
    editor.expect_spans(("老", "company", "human"), ("杭州", "address", "human"))
    page.get_by_role("button", name=re.compile("撤销")).click()
    page.get_by_role("button", name=re.compile("^重做")).click()
    page.get_by_role("button", name=re.compile("^删除")).click()
    editor.expect_spans(("杭州", "address", "human"))
    page.get_by_role("button", name=re.compile("保存并下一篇")).click()
    editor.expect_state("saved")
    assert saved(store, document_id).spans == (Span(9, 11, "address"),)


def test_overlapping_entities_are_possible_once_they_are_allowed(store, open_editor):
    (document_id,) = add(store, "在叶老桂博士家（9）")
    editor = open_editor()
    editor.page.get_by_label("允许实体重叠").check()
    editor.root.focus()
    editor.select(1, 5)
    editor.press(BOOK)
    editor.select(3, 2)  # crosses both the name and the position
    editor.press(ADDRESS)
    labels = editor.entities.evaluate_all("nodes => nodes.map(node => node.dataset.label).sort()")
    assert labels == ["address", "book", "name", "position"]
    editor.press("Enter")
    editor.expect_state("saved")
    assert saved(store, document_id).spans == (
        Span(1, 4, "name"),
        Span(1, 6, "book"),
        Span(3, 5, "address"),
        Span(4, 6, "position"),
    )


def test_a_stale_save_is_refused_and_both_versions_are_shown(store, open_editor):
    (document_id,) = add(store, "叶老桂在杭州和上海（10）")
    mine, theirs = open_editor(), open_editor()
    theirs.page.get_by_label("标注人").fill("<img src=x onerror=window.ran=1>")
    theirs.root.focus()
    theirs.select(4, 2)
    theirs.press(ADDRESS, "Enter")
    theirs.expect_state("saved")

    mine.select(7, 2)
    mine.press(ADDRESS, "Enter")

    mine.expect_state("conflict")
    expect(mine.page.get_by_test_id("conflict-mine")).to_contain_text("叶老桂在杭州和上海")
    shown = mine.page.get_by_test_id("conflict-theirs")
    expect(shown).to_contain_text("<img src=x onerror=window.ran=1>")
    their_labels = shown.get_by_test_id("conflict-entity")
    expect(their_labels).to_have_text(["叶老桂", "杭州"])
    assert saved(store, document_id).revision_number == 2
    mine.press("Escape")  # there is no way around the choice
    mine.expect_state("conflict")

    mine.page.get_by_role("button", name="保留我的").click()
    mine.expect_state("saved")
    document = saved(store, document_id)
    assert document.revision_number == 3
    assert document.spans == (Span(0, 3, "name"), Span(7, 9, "address"))
    assert mine.page.evaluate("window.ran") is None

    theirs.press("Delete", "Enter")  # now the other one is behind
    theirs.expect_state("conflict")
    theirs.page.get_by_role("button", name="采用对方的").click()
    theirs.expect_spans(("叶老桂", "name", "human"), ("上海", "address", "human"))
    theirs.expect_state("clean")
    assert saved(store, document_id).revision_number == 3


def test_a_key_typed_ahead_chooses_no_version_of_a_conflict(store, open_editor):
    (document_id,) = add(store, "小红在北京（冲突）")
    first, second = open_editor(), open_editor()
    for editor in (first, second):
        editor.expect_document(document_id)
    first.select(0, 2)
    first.press(NAME, "Enter")
    first.expect_state("saved")
    second.select(3, 2)
    second.press(ADDRESS, "Enter")
    expect(second.page.get_by_test_id("conflict")).to_be_visible()
    second.press("Enter", "Space")
    expect(second.page.get_by_test_id("conflict")).to_be_visible()
    assert saved(store, document_id).spans == (Span(0, 2, "name"),)


def test_markup_and_templates_in_a_text_are_shown_and_never_run(store, open_editor):
    text = (
        '<img src=x onerror="window.ran=1">${window.ran=2}{{window.ran=3}}`${window.ran=4}`（11）'
    )
    add(store, text)
    editor = open_editor()
    expect(editor.text).to_have_text(text)
    editor.select(0, 4)
    editor.press(NAME)
    editor.expect_spans(("<img", "name", "human"))
    expect(editor.page.get_by_test_id("entity-list")).to_contain_text("<img")
    assert editor.page.evaluate("window.ran") is None
    assert editor.text.locator("img").count() == 0


def test_five_quick_enters_make_five_right_revisions(store, open_editor):
    documents = add(store, *(numbered("叶老桂博士到了浙商银行。", n) for n in range(12, 18)))
    editor = open_editor()
    editor.expect_document(documents[0])
    editor.press(*["Enter"] * 5)
    editor.expect_document(documents[5])
    editor.expect_state("saved")
    expect(editor.status).to_contain_text("已保存")
    for document_id in documents[:5]:
        document = saved(store, document_id)
        assert document.revision_number == 2
        assert document.spans == (
            Span(0, 3, "name"),
            Span(3, 5, "position"),
            Span(7, 11, "company"),
        )
    assert saved(store, documents[5]).revision_number == 1


def test_keys_belong_to_an_input_method_while_it_composes(store, open_editor):
    (document_id,) = add(store, "叶老桂在这里（18）")
    editor = open_editor()
    editor.root.evaluate(
        """root => {
            for (const code of ["Enter", "KeyS", "KeyA"]) {
                const options = { code, key: code, bubbles: true, isComposing: true };
                root.dispatchEvent(new KeyboardEvent("keydown", options));
            }
        }"""
    )
    editor.page.wait_for_timeout(500)
    editor.expect_document(document_id)
    editor.expect_spans(("叶老桂", "name", "model"))
    assert saved(store, document_id).revision_number == 1


def test_typing_the_annotators_name_presses_no_key_of_the_editor(store, open_editor):
    (document_id,) = add(store, "叶老桂在那里（19）")
    editor = open_editor()
    name = editor.page.get_by_label("标注人")
    name.fill("")
    name.press_sequentially("sxab 张三7")
    name.press("Enter")
    editor.expect_spans(("叶老桂", "name", "model"))
    editor.root.focus()
    editor.press("s")
    editor.expect_state("saved")
    document = saved(store, document_id)
    assert document.status == "ignored"
    assert document.revision is not None
    assert document.revision.annotator == "sxab 张三7"
    assert document.suggestions == (Span(0, 3, "name"),)


def test_unsaved_work_waits_when_a_person_looks_at_another_document(store, open_editor):
    first, second = add(store, "小明在北京（20）", "小红在上海（21）")
    editor = open_editor()
    editor.select(0, 2)
    editor.press(NAME)
    editor.press("j")
    editor.expect_document(second)
    editor.press("k")
    editor.expect_document(first)
    editor.expect_spans(("小明", "name", "human"))
    editor.expect_state("dirty")
    editor.press("Control+z")
    editor.expect_state("clean")


def test_a_draft_with_labels_of_another_project_is_not_offered(store, open_editor):
    text = "小红在北京（21c）"
    (document_id,) = add(store, text)
    editor = open_editor()
    editor.expect_document(document_id)
    editor.page.evaluate(
        """([id, text]) => localStorage.setItem(`ner_draft/default/${id}/1`, JSON.stringify({
            text, entities: [{ start: 0, end: 2, label: "PER", source: "human" }],
            at: new Date().toISOString(), tab: "closed" }))""",
        [document_id, text],
    )
    editor.page.reload()
    editor = show_editor(editor.page, is_reloaded=True)
    editor.expect_document(document_id)
    expect(editor.page.get_by_test_id("draft-offer")).to_be_hidden()
    expect(editor.text).to_contain_text("小红")


def test_escape_and_tab_leave_the_editor(store, open_editor):
    (document_id,) = add(store, "叶老桂在北京（21d）")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.text.click()
    editor.press("Escape", "Escape", "Tab")
    focused = "document.activeElement.dataset.testid"
    assert editor.page.evaluate(focused) != "annotator"
    editor.text.click()
    editor.press("Escape", "Escape", "Shift+Tab")
    assert not editor.page.evaluate(
        "document.querySelector('[data-testid=annotator]').contains(document.activeElement)"
    )


def test_control_a_selects_the_text_and_nothing_else(store, open_editor):
    (document_id,) = add(store, "长城（21e）")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.press("Control+a", SCENE)
    editor.expect_spans(("长城（21e）", "scene", "human"))


def test_a_ticked_box_looks_ticked(store, open_editor):
    add(store, "长城（21f）")
    editor = open_editor()
    box = editor.page.get_by_role("checkbox", name="允许实体重叠")
    box.check()
    assert box.evaluate("node => getComputedStyle(node).appearance") == "auto"


def test_a_draft_that_cannot_be_read_does_not_keep_the_editor_from_opening(store, open_editor):
    (document_id,) = add(store, "小红在北京（21b）")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.page.evaluate(
        "id => localStorage.setItem(`ner_draft/default/${id}/1`, 'not JSON')", document_id
    )
    editor.page.reload()
    show_editor(editor.page, is_reloaded=True).expect_document(document_id)


def test_a_draft_survives_a_reload_and_is_offered_before_anything_else(store, open_editor):
    _, document_id = add(store, "小红在北京（22）", "小明在南京（22）")
    editor = open_editor()
    editor.press("j")
    editor.expect_document(document_id)
    editor.select(0, 2)
    editor.press(NAME)
    editor.expect_state("dirty")
    editor.page.reload()
    editor = show_editor(editor.page, is_reloaded=True)
    editor.expect_document(document_id)
    expect(editor.page.get_by_test_id("draft-offer")).to_be_visible()
    editor.expect_spans()
    editor.page.wait_for_timeout(1500)  # a key at once would count as typed ahead
    expect(editor.page.get_by_role("button", name=re.compile("恢复"))).to_be_focused()
    editor.page.keyboard.press("Enter")
    expect(editor.entities).to_have_count(1)
    editor.expect_spans(("小明", "name", "human"))
    editor.press("Enter")
    editor.expect_state("saved")
    assert saved(store, document_id).spans == (Span(0, 2, "name"),)
    editor.page.reload()
    editor = show_editor(editor.page, is_reloaded=True)
    expect(editor.page.get_by_test_id("draft-offer")).to_be_hidden()


def test_work_in_one_tab_is_not_offered_as_a_draft_in_another(store, open_editor, app):
    (document_id,) = add(store, "小明在苏州（22）")
    editor = open_editor()
    editor.select(0, 2)
    editor.press(NAME)
    editor.expect_state("dirty")

    other_page = editor.page.context.new_page()
    other_page.goto(app.url)
    other = show_editor(other_page)
    other.expect_document(document_id)
    other.page.wait_for_timeout(500)
    expect(other.page.get_by_test_id("draft-offer")).to_be_hidden()
    other.select(3, 2)
    other.press(ADDRESS, "Enter")
    other.expect_state("saved")

    editor.page.bring_to_front()
    editor.press("Enter")
    editor.expect_state("conflict")
    editor.page.get_by_role("button", name="采用对方的").click()
    editor.expect_spans(("苏州", "address", "human"))

    editor.press("Tab", "Delete")
    editor.page.close()  # left for good, unsaved
    third_page = other.page.context.new_page()
    third_page.goto(app.url)
    third = show_editor(third_page)
    expect(third.page.get_by_test_id("draft-offer")).to_be_visible()
    third.page.get_by_role("button", name="丢弃草稿").click()
    third.expect_spans(("苏州", "address", "human"))
    third.expect_state("clean")


def test_six_thousand_characters_with_four_hundred_entities_are_redrawn_in_50_ms(
    store, open_editor
):
    text = ("浙商银行在这里说好的话多么好。" * 400)[:6000]
    assert len(text) == 6000
    add(store, text)
    editor = open_editor()
    expect(editor.entities).to_have_count(400)
    editor.press("Tab")
    # Relabel, layout included; other programs share the machine, so the best of ten counts.
    times_ms = editor.root.evaluate(
        """root => Array.from({ length: 10 }, (_, index) => {
            const code = `Digit${1 + (index % 2)}`;
            const start = performance.now();
            root.dispatchEvent(new KeyboardEvent("keydown", { code, bubbles: true }));
            root.getBoundingClientRect();
            return performance.now() - start;
        })"""
    )
    assert min(times_ms) < 50, times_ms
    # All 400 entities change at once.
    whole_ms = editor.root.evaluate(
        """root => Array.from({ length: 8 }, (_, index) => {
            const [code, ctrlKey] = index % 2 ? ["KeyZ", true] : ["KeyF", false];
            const start = performance.now();
            root.dispatchEvent(new KeyboardEvent("keydown", { code, ctrlKey, bubbles: true }));
            root.getBoundingClientRect();
            return performance.now() - start;
        })"""
    )
    assert min(whole_ms) < 50, whole_ms


def test_the_page_speaks_english_to_an_english_browser(store, open_editor):
    add(store, "叶老桂在东京（23）")
    editor = open_editor(locale="en-US", viewport={"width": 390, "height": 844})
    expect(editor.page.get_by_role("button", name=re.compile("Save and next"))).to_be_visible()
    expect(editor.label_button("company")).to_contain_text("company")
    width = editor.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390


def test_a_draft_is_kept_when_the_server_dies_and_is_offered_when_it_is_back(
    app, store, open_editor
):
    (document_id,) = add(store, "小明在长沙（24）")
    editor = open_editor()
    editor.select(0, 2)
    app.stop()
    editor.press(NAME, "Enter")
    editor.expect_state("error")
    expect(editor.status).to_contain_text("未保存，草稿已保留")

    app.start()
    editor.page.goto(app.url)
    editor = show_editor(editor.page)
    editor.page.get_by_role("button", name="恢复草稿").click()
    editor.expect_spans(("小明", "name", "human"))
    editor.press("Enter")
    editor.expect_state("saved")
    assert saved(store, document_id).spans == (Span(0, 2, "name"),)
