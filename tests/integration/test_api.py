"""The endpoints for other programs, called with gradio_client over HTTP."""

import ast
import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent

from annotation_store.store import AnnotationStore, NewDocument
from ner_core.formats import cluener_to_spans
from ner_core.labels import CLUENER, MSRA
from ner_core.spans import Span

_ROOT = Path(__file__).parents[2]
TEXT = "😀浙商银行的叶老桂博士"
SECOND_MODEL = 'msra <b>${1}</b> "rules"'


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of the pages over both models of tests/e2e/rules_app.py and three documents."""
    folder = tmp_path_factory.mktemp("api")
    database = folder / "annotations.db"
    with AnnotationStore.open(database) as store:
        store.create_project("default", CLUENER)
        store.add(
            [
                NewDocument("浙商银行", (Span(0, 4, "company"),), status="accepted"),
                NewDocument("𠮷野家在北京", (Span(0, 3, "company"),), status="flagged"),
                NewDocument("尚未标注"),
            ]
        )
        store.create_project("news", MSRA)
        store.add([NewDocument("去长沙", (Span(1, 3, "LOC"),), status="accepted")], project="news")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(_ROOT / "tests" / "e2e" / "rules_app.py")]
    log_path = folder / "app.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--database", str(database), "--port", str(port), "--two-models"],
            cwd=_ROOT,
            env=os.environ | {"PYTHONPATH": str(_ROOT), "OMP_NUM_THREADS": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://127.0.0.1:{port}/"
        _wait_until_it_answers(address, process, log_path)
        yield Client(address, verbose=False, download_files=str(folder))
    finally:
        process.kill()
        process.wait()


def _wait_until_it_answers(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 300
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the app did not start:\n{log.read_text()}", pytrace=False)
            time.sleep(0.2)


def test_predict_answers_with_both_conventions_of_offsets(client: Client) -> None:
    answer = client.predict(text=TEXT, api_name="/predict")
    assert list(answer) == ["text", "label", "spans", "model", "seconds"]
    assert answer["text"] == TEXT
    assert answer["model"] == "rules"
    assert 0 <= answer["seconds"] < 10
    assert answer["spans"] == [
        {"start": 1, "end": 5, "label": "company", "text": "浙商银行", "score": 0.99},
        {"start": 6, "end": 9, "label": "name", "text": "叶老桂", "score": 0.97},
        {"start": 9, "end": 11, "label": "position", "text": "博士", "score": 0.62},
    ]
    assert answer["label"]["company"] == {"浙商银行": [[1, 4]]}
    spans = tuple(Span(s["start"], s["end"], s["label"]) for s in answer["spans"])
    assert cluener_to_spans(TEXT, answer["label"]) == spans


def test_a_model_can_be_named(client: Client) -> None:
    answer = client.predict(text=TEXT, model=SECOND_MODEL, api_name="/predict")
    assert answer["model"] == SECOND_MODEL
    assert answer["label"] == {"ORG": {"浙商银行": [[1, 4]]}, "PER": {"叶老桂博士": [[6, 10]]}}
    (answer,) = client.predict(texts=[TEXT], model=SECOND_MODEL, api_name="/predict_batch")
    assert answer["model"] == SECOND_MODEL
    assert set(answer["label"]) == {"ORG", "PER"}


def test_without_a_model_the_default_one_answers(client: Client) -> None:
    for arguments in ({}, {"model": None}):
        assert client.predict(text=TEXT, api_name="/predict", **arguments)["model"] == "rules"
        (answer,) = client.predict(texts=[TEXT], api_name="/predict_batch", **arguments)
        assert answer["model"] == "rules"


@pytest.mark.parametrize("name", ["", "RULES", "<b>&", 5, ["rules"], {}, True])
def test_a_model_that_is_not_there_is_refused_with_those_that_are(
    client: Client, name: Any
) -> None:
    words = re.escape(f"expected a model of rules, {SECOND_MODEL}, got {name!r}")
    with pytest.raises(AppError, match=words):
        client.predict(text=TEXT, model=name, api_name="/predict")
    with pytest.raises(AppError, match=words):
        client.predict(texts=[TEXT], model=name, api_name="/predict_batch")


def test_the_models_are_listed_with_their_labels_the_default_one_first(client: Client) -> None:
    assert client.predict(api_name="/models") == [
        {"name": "rules", "labels": list(CLUENER.labels), "is_default": True},
        {"name": SECOND_MODEL, "labels": list(MSRA.labels), "is_default": False},
    ]


def call_over_http(client: Client, endpoint: str, *values: Any) -> tuple[str, Any]:
    """The event and its data that answer a call of Gradio's plain HTTP interface."""
    address = f"{client.src}gradio_api/call/{endpoint}"
    body = json.dumps({"data": values}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        event_id = json.load(response)["event_id"]
    with urllib.request.urlopen(f"{address}/{event_id}", timeout=30) as response:
        event, data = response.read().decode().strip().splitlines()[:2]
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_a_call_of_a_text_alone_goes_on_working_over_plain_http(client: Client) -> None:
    """As programs call that were written before /predict took a model."""
    event, (answer,) = call_over_http(client, "predict", TEXT)
    assert (event, answer["model"], len(answer["spans"])) == ("complete", "rules", 3)
    event, ((answer,),) = call_over_http(client, "predict_batch", [TEXT])
    assert (event, answer["model"]) == ("complete", "rules")
    event, (answer,) = call_over_http(client, "predict", TEXT, SECOND_MODEL)
    assert (event, answer["model"]) == ("complete", SECOND_MODEL)


def test_predict_batch_answers_in_the_order_of_the_texts(client: Client) -> None:
    answers = client.predict(texts=["博士", TEXT, "今天风很大"], api_name="/predict_batch")
    assert [answer["text"] for answer in answers] == ["博士", TEXT, "今天风很大"]
    assert [len(answer["spans"]) for answer in answers] == [1, 3, 0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        (" \n\u3000", "empty"),
        ("北京\x00", "NUL"),
        ("长" * 100_001, "100001 characters"),
        (["浙商银行"], "expected a text, got list"),
        ({}, "expected a text, got dict"),
        (5, "expected a text, got int"),
        (None, "expected a text, got NoneType"),
    ],
)
def test_a_text_that_cannot_be_tagged_gets_one_clear_message(
    client: Client, text: Any, words: str
) -> None:
    with pytest.raises(AppError, match=words) as caught:
        client.predict(text=text, api_name="/predict")
    assert "Traceback" not in str(caught.value)


def test_half_of_a_surrogate_pair_is_named_and_not_sent_back(client: Client) -> None:
    # gradio_client cannot send one, other programs can: as an escape in JSON.
    call = f"{client.src}gradio_api/call/predict"
    body = json.dumps({"data": ["北京\ud83d"]}).encode("ascii")
    request = urllib.request.Request(call, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        event_id = json.load(response)["event_id"]
    with urllib.request.urlopen(f"{call}/{event_id}", timeout=30) as response:
        answer = response.read().decode("utf-8")
    assert answer.startswith("event: error")
    assert "U+D83D" in answer


def test_a_text_of_20000_characters_is_tagged_to_its_end(client: Client) -> None:
    text = "长" * 19_997 + "叶老桂"
    (span,) = client.predict(text=text, api_name="/predict")["spans"]
    assert (span["start"], span["end"]) == (19_997, 20_000)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ("浙商银行", "expected a list of at most 10000 texts, got str"),
        (None, "expected a list of at most 10000 texts, got NoneType"),
        ({"text": "x"}, "expected a list of at most 10000 texts, got dict"),
        ([1], r"texts\[0\]: expected a text, got int"),
        ([""], r"texts\[0\]: .*empty"),
        (["浙商银行", None], r"texts\[1\]: expected a text, got NoneType"),
        (["浙商银行", ""], r"texts\[1\]: .*empty"),
    ],
)
def test_predict_batch_refuses_what_is_no_list_of_texts(
    client: Client, texts: Any, words: str
) -> None:
    with pytest.raises(AppError, match=words):
        client.predict(texts=texts, api_name="/predict_batch")


def test_predict_batch_refuses_more_than_two_million_characters(client: Client) -> None:
    texts = ["长" * 100_000] * 20 + ["叶"]
    with pytest.raises(AppError, match="at most 2000000 characters in all, got 2000001"):
        client.predict(texts=texts, api_name="/predict_batch")


def test_export_gives_a_file_of_one_status(client: Client) -> None:
    path = Path(client.predict(format="cluener", status="accepted", api_name="/export"))
    assert path.suffix == ".jsonl"
    (line,) = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "text": "浙商银行",
        "label": {"company": {"浙商银行": [[0, 3]]}},
    }


def test_export_of_all_gives_every_document(client: Client) -> None:
    path = Path(client.predict(format="cluener", status="all", api_name="/export"))
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.parametrize("format", ["conll", "doccano", "label-studio"])
def test_export_knows_the_other_formats(client: Client, format: str) -> None:
    path = Path(client.predict(format=format, status="flagged", api_name="/export"))
    assert "𠮷" in path.read_text(encoding="utf-8")


def test_export_knows_the_other_projects(client: Client) -> None:
    export = {"format": "cluener", "status": "accepted", "api_name": "/export"}
    (line,) = Path(client.predict(**export, project="news")).read_text("utf-8").splitlines()
    assert json.loads(line) == {"text": "去长沙", "label": {"LOC": {"长沙": [[1, 2]]}}}
    with pytest.raises(AppError, match="expected a project of default, news, got 'sports'"):
        client.predict(**export, project="sports")


@pytest.mark.parametrize(
    ("format", "status", "words"),
    [
        (
            "xml",
            "accepted",
            "expected a format of txt, csv, jsonl, cluener, conll, doccano, label-studio,",
        ),
        ("cluener", "../../etc", "expected a status of new, accepted, rejected"),
        ("../cluener", "all", "expected a format"),
        ("<b>&", "all", "got '<b>&'"),  # plain text, no HTML entities
    ],
)
def test_export_refuses_an_unknown_format_or_status(
    client: Client, format: str, status: str, words: str
) -> None:
    with pytest.raises(AppError, match=words):
        client.predict(format=format, status=status, api_name="/export")


def test_only_the_four_endpoints_are_listed(client: Client) -> None:
    listed = client.view_api(return_format="dict", print_info=False)
    assert listed["unnamed_endpoints"] == {}
    parameters = {
        name: [parameter["parameter_name"] for parameter in endpoint["parameters"]]
        for name, endpoint in listed["named_endpoints"].items()
    }
    assert parameters == {
        "/predict": ["text", "model"],
        "/predict_batch": ["texts", "model"],
        "/models": [],
        "/export": ["format", "status", "project"],
    }


def call_tools(client: Client, *calls: tuple[str, dict[str, Any]]) -> list[tuple[bool, str]]:
    """What a language model sees: for each call whether it failed, and the answer's text."""

    async def talk() -> list[tuple[bool, str]]:
        answers = []
        async with (
            streamable_http_client(f"{client.src}gradio_api/mcp/") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            for name, arguments in calls:
                result = await session.call_tool(name, arguments)
                (content,) = result.content
                assert isinstance(content, TextContent)
                answers.append((result.isError, content.text))
        return answers

    return asyncio.run(talk())


def test_the_same_four_endpoints_are_tools_of_language_models(client: Client) -> None:
    with urllib.request.urlopen(f"{client.src}gradio_api/mcp/schema", timeout=10) as response:
        tools = {tool["name"]: tool for tool in json.load(response)}
    assert set(tools) == {"predict", "predict_batch", "list_models", "export"}
    assert "Chinese text" in tools["predict"]["inputSchema"]["properties"]["text"]["description"]

    predicted, listed, exported = call_tools(
        client,
        ("predict", {"text": TEXT}),
        ("list_models", {}),
        ("export", {"format": "cluener", "status": "accepted"}),
    )
    assert ast.literal_eval(predicted[1])["label"]["company"] == {"浙商银行": [[1, 4]]}
    assert ast.literal_eval(listed[1])[1]["name"] == SECOND_MODEL
    with urllib.request.urlopen(exported[1], timeout=10) as response:
        assert json.load(response)["text"] == "浙商银行"


def test_a_tool_tells_what_it_expected(client: Client) -> None:
    answers = call_tools(
        client,
        ("predict", {"text": TEXT, "model": "no such model"}),
        ("export", {"format": "xlsx", "status": "all"}),
    )
    for (is_error, answer), words in zip(
        answers, ("expected a model", "expected a format"), strict=True
    ):
        assert is_error
        assert words in answer


def test_the_database_cannot_be_fetched(client: Client) -> None:
    for name in ("annotations.db", "app.py", "pyproject.toml"):
        address = f"{client.src}gradio_api/file={name}"
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(address, timeout=10)
