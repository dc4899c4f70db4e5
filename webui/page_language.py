"""Which language a visitor reads, in the browser and on the server.

Gradio 6.31 chooses the language once, from `navigator.language`, and knows "zh-CN" but neither "zh"
nor "zh-Hans-CN"; switching it later (`changeLocale`) leaves the names of the closed tabs as they
were. So a small script runs before Gradio's own and answers `navigator.language` with the visitor's
choice, kept in a cookie, or with the browser's language; the switch in the header sets the cookie
and loads the page again. The same cookie tells the server in which language to word a message.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Final

import gradio as gr

from webui.texts import TEXTS, Language

# Gradio's name for the Chinese of the interface; the argument of `launch(i18n=...)`.
I18N: Final = gr.I18n(en=TEXTS["en"], **{"zh-CN": TEXTS["zh"]})

LANGUAGE_COOKIE: Final = "ner_language"

_SCRIPT: Final = (Path(__file__).parent / "page" / "language.js").read_text(encoding="utf-8")
_INSERTED: Final = f"<head><script>{_SCRIPT}</script>".encode()

# The types of ASGI, https://asgi.readthedocs.io/en/latest/specs/main.html
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]


def translated(key: str) -> Any:
    """A text without braces by its key; Gradio puts in the words when the page is shown."""
    if key not in TEXTS["en"]:
        raise KeyError(key)
    return I18N(key)


def language_of(request: gr.Request | None) -> Language:
    """The visitor's language: that of the cookie, else of Accept-Language, else English."""
    headers = getattr(request, "headers", None) or {}
    for pair in headers.get("cookie", "").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == LANGUAGE_COOKIE and value in ("zh", "en"):
            return "zh" if value == "zh" else "en"
    first_choice = headers.get("accept-language", "").split(",")[0].strip().lower()
    return "zh" if first_choice.split("-")[0] == "zh" else "en"


class PageLanguage:
    """ASGI middleware: puts the language script at the top of every HTML page."""

    def __init__(self, app: _App) -> None:
        self._app = app

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Handle one connection; everything but HTML passes through untouched."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        held_start: _Message | None = None
        held_body = b""

        async def send_page(message: _Message) -> None:
            nonlocal held_start, held_body
            if message["type"] == "http.response.start" and _is_html(message):
                held_start = message  # its length is known only when the body is complete
                return
            if held_start is None:
                await send(message)
                return
            held_body += message.get("body", b"")
            if message.get("more_body", False):
                return
            body = held_body.replace(b"<head>", _INSERTED, 1)
            headers = [pair for pair in held_start["headers"] if pair[0] != b"content-length"]
            headers.append((b"content-length", str(len(body)).encode()))
            await send({**held_start, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, send_page)


def _is_html(message: _Message) -> bool:
    return any(
        name == b"content-type" and value.startswith(b"text/html")
        for name, value in message["headers"]
    )
