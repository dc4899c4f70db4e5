"""Which language a visitor reads, and that every word is there in both."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import pytest

from ner_core.labels import CLUENER
from webui.label_style import style_labels
from webui.page_language import PageLanguage, language_of, translated
from webui.texts import PREDICT, TEXTS


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        ({"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}, "zh"),
        ({"accept-language": "zh"}, "zh"),
        ({"accept-language": "ZH-hant-TW"}, "zh"),
        ({"accept-language": "zha"}, "en"),
        ({"accept-language": "en-US,zh;q=0.5"}, "en"),
        ({"accept-language": "zh", "cookie": "a=b; ner_language=en"}, "en"),
        ({"accept-language": "en", "cookie": "ner_language=zh;x=1"}, "zh"),
        ({"accept-language": "zh", "cookie": "ner_language=<script>"}, "zh"),
    ],
)
def test_the_language_is_that_of_the_cookie_then_of_the_browser(headers, language):
    assert language_of(gr.Request(headers=headers)) == language


def test_a_program_without_a_language_is_answered_in_english():
    assert language_of(None) == "en"


def serve(content_type: bytes, *chunks: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """What a browser gets of an answer behind the middleware."""
    sent = []

    async def answer(scope, receive, send):
        length = str(sum(map(len, chunks))).encode()
        headers = [(b"content-type", content_type), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for index, chunk in enumerate(chunks):
            more = index < len(chunks) - 1
            await send({"type": "http.response.body", "body": chunk, "more_body": more})

    async def keep(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET"}
    # In a thread of its own: Playwright leaves an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(PageLanguage(answer)(scope, None, keep))).result()
    return dict(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])


def test_the_language_script_comes_first_in_a_page():
    headers, body = serve(
        b"text/html; charset=utf-8", b"<html><he", b"ad><script>1</script></head>"
    )
    assert body.startswith(b"<html><head><script>//")
    assert body.endswith(b"</script><script>1</script></head>")
    assert headers[b"content-length"] == str(len(body)).encode()


def test_other_answers_are_passed_on_as_they_are():
    headers, body = serve(b"application/json", b'"<head>', b'"')
    assert body == b'"<head>"'
    assert headers[b"content-length"] == b"8"


def test_every_word_is_there_in_both_languages():
    assert TEXTS["zh"].keys() == TEXTS["en"].keys()
    assert all(text.strip() for table in TEXTS.values() for text in table.values())


def test_both_languages_of_a_text_have_the_same_fields():
    for key in TEXTS["zh"]:
        fields = [sorted(re.findall(r"\{(\w+)\}", TEXTS[language][key])) for language in TEXTS]
        assert fields[0] == fields[1], key


def test_a_key_that_does_not_exist_is_refused():
    with pytest.raises(KeyError, match=r"predict\.nothing"):
        translated("predict.nothing")


def test_every_label_of_the_legend_has_two_names():
    for style in style_labels(CLUENER, None):
        assert style.chinese != style.english


def test_the_tab_is_named_as_promised():
    assert PREDICT["predict.tab"] == ("识别", "Predict")


@pytest.mark.parametrize(
    ("language", "unit", "units_per_minute"), [("zh", r"[一-鿿]|\w+", 300), ("en", r"\S+", 200)]
)
def test_the_tour_takes_two_minutes_at_most(language, unit, units_per_minute):
    steps = {
        key: words for key, words in TEXTS[language].items() if re.search("_(title|words)$", key)
    }
    shown = [words for key, words in steps.items() if key.startswith("tour.")]
    num_units = sum(len(re.findall(unit, words)) for words in shown)
    num_clicks = len(shown) // 2 + 1  # one to begin, one for each step
    assert num_units / units_per_minute * 60 + 2 * num_clicks <= 120
    assert len(shown) // 2 == sum(key.endswith(".tab") for key in TEXTS[language])
