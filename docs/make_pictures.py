"""Take the README's pictures from the running app: `python docs/make_pictures.py`.

Needs Chromium and Playwright (requirements-dev.txt); starts the app on a database of its own, in
which two people have worked on a few texts.
"""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent
# So that the packages are found from wherever the script is started.
sys.path.insert(0, str(FOLDER.parent))

from annotation_store.store import AnnotationStore, NewDocument  # noqa: E402
from ner_core.formats import read_cluener  # noqa: E402
from ner_core.labels import CLUENER  # noqa: E402

TEXT = (
    "浙商银行企业信贷部叶老桂博士则从另一个角度对五道门槛进行了解读。叶老桂认为，对目前国内商业银行"
    "而言，杭州西湖边的那场会谈，才是银监会真正的转折。😀"
)
MORE_TEXTS = (
    "曼联主帅在老特拉福德球场接受了新华社记者的采访。",
    "《魔兽世界》新资料片将于下周在上海首发。",
    "周星驰执导的电影《功夫》今晚重映。",
)
START_TIMEOUT_S = 120
SETTLE_MS = 2500  # charts are drawn by a script of their own


def main() -> int:
    """Start the app, photograph its pages, and end it."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        fill(Path(folder) / "a.db")
        command = [sys.executable, "app.py", "--port", str(port), "--database", f"{folder}/a.db"]
        app = subprocess.Popen(command, cwd=FOLDER.parent)
        try:
            wait_for(port)
            photograph(f"http://127.0.0.1:{port}/")
        finally:
            app.terminate()
            app.wait()
    return 0


def fill(database: Path) -> None:
    """Let two people annotate the sentences of the tests; they differ on every third one."""
    examples = read_cluener(FOLDER.parent / "tests" / "data" / "eight_sentences.json").examples
    with AnnotationStore.open(database) as store:
        store.create_project("default", CLUENER)
        ids = store.add(NewDocument(example.text) for example in examples).added_ids
        for index, (document_id, example) in enumerate(zip(ids, examples, strict=True)):
            store.save(
                document_id,
                base_revision=0,
                spans=(),
                suggestions=example.spans[index % 2 :],
                status="new",
                annotator="cluener-small",
                source="model",
            )
            views = [example.spans, example.spans[index % 3 == 0 :]]
            for revision, (annotator, spans) in enumerate(zip(("林", "王芳"), views, strict=True)):
                store.save(
                    document_id,
                    base_revision=revision + 1,
                    spans=spans,
                    status="accepted",
                    annotator=annotator,
                    duration_s=6.0 + 3 * index,
                )


def wait_for(port: int) -> None:
    """Block until the app listens."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def photograph(url: str) -> None:
    """Each page in a Chinese browser, the editor with a correction under way."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 800})
        # Without the tour's offer, which stands on every page of a first visit.
        context.add_init_script("localStorage.setItem('ner_tour', 'seen')")
        page = context.new_page()
        page.goto(url)
        page.get_by_role("tab", name="数据").click()
        page.get_by_role("textbox", name="文本，每行一条").fill("\n".join(MORE_TEXTS))
        page.get_by_role("button", name="添加", exact=True).click()
        page.get_by_text(MORE_TEXTS[0]).first.wait_for()
        page.get_by_role("tab", name="识别").click()
        page.get_by_role("textbox", name="文本", exact=True).fill(TEXT)
        page.get_by_role("button", name="识别", exact=True).click()
        page.get_by_test_id("tagged-text").get_by_test_id("entity").first.wait_for()
        take(page, "predict")
        page.get_by_role("button", name="纠正这条").click()
        page.get_by_test_id("annotator-text").get_by_test_id("entity").first.wait_for()
        page.get_by_test_id("annotator-text").click(position={"x": 5, "y": 5})
        for key in ("a", "a", "Tab"):
            page.keyboard.press(key)
        take(page, "annotate")
        page.get_by_role("tab", name="数据").click()
        page.get_by_role("row").filter(has_text=TEXT[:12]).wait_for()
        take(page, "data")
        page.get_by_role("tab", name="复核").click()
        page.get_by_role("button", name="比较", exact=True).click()
        page.get_by_text("κ").first.wait_for()
        take(page, "review")
        for tab, name in (("训练", "train"), ("统计", "statistics"), ("项目", "projects")):
            page.get_by_role("tab", name=tab).click()
            if name == "statistics":  # drawn by a script of their own, late on a busy machine
                page.locator("#statistic-progress .vega-embed path").first.wait_for()
            take(page, name)
        browser.close()


def take(page: Page, name: str) -> None:
    """Photograph what a visitor sees without scrolling, once it has settled."""
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
