"""The predictor: any number of texts, any length, exact offsets, one answer."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ner_core.checkpoint import load_checkpoint
from ner_core.labels import CLUENER
from ner_core.models import TaggerOutput
from ner_core.prediction import Prediction, Predictor, _batches_by_length
from ner_core.preprocessing import assign_to_windows

SENTENCE = "浙商银行企业信贷部叶老桂博士则从另一个角度对五道门槛进行了解读。"


@pytest.fixture(scope="module")
def predictor(shared_tiny_checkpoint: Path) -> Predictor:
    return Predictor.load(shared_tiny_checkpoint, device="cpu")


def test_a_predictor_says_what_it_is(predictor: Predictor) -> None:
    assert predictor.name == "tiny"
    assert predictor.architecture == "bert-bilstm-crf"
    assert predictor.labels == CLUENER
    assert predictor.device_name == "CPU"


def test_no_text_and_empty_texts_have_no_spans(predictor: Predictor) -> None:
    assert predictor.predict([]) == []
    assert predictor.predict(["", SENTENCE, ""])[::2] == [Prediction("", ()), Prediction("", ())]


def test_every_span_lies_in_its_text_and_has_a_probability(predictor: Predictor) -> None:
    for prediction in predictor.predict([SENTENCE, SENTENCE[:5], "😀𠮷é\u200d\n\t\u3000"]):
        for span in prediction.spans:
            assert 0 <= span.start < span.end <= len(prediction.text)
            assert span.score is not None
            assert 0 <= span.score <= 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(alphabet=SENTENCE + "。😀\n ", max_size=90), max_size=5))
def test_a_text_is_tagged_alike_alone_and_among_others(
    predictor: Predictor, texts: list[str]
) -> None:
    together = predictor.predict(texts, batch_size=3)
    assert [prediction.text for prediction in together] == texts
    for text, prediction in zip(texts, together, strict=True):
        (alone,) = predictor.predict([text])
        assert alone.spans == prediction.spans
        for one, other in zip(alone.spans, prediction.spans, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-4)


def test_20_000_characters_have_entities_up_to_the_last_sentence(predictor: Predictor) -> None:
    text = (SENTENCE * 700)[:20_000]
    (prediction,) = predictor.predict([text])
    assert prediction.spans[-1].start > 20_000 - 2 * len(SENTENCE)


def test_20_000_characters_without_a_sentence_end_are_not_cut_off(predictor: Predictor) -> None:
    text = (SENTENCE.replace("。", "，") * 700)[:20_000]
    (prediction,) = predictor.predict([text])
    assert prediction.spans[-1].start > 20_000 - 2 * len(SENTENCE)
    starts = [span.start for span in prediction.spans]
    assert starts == sorted(starts)


def test_every_character_of_a_long_sentence_has_a_quarter_of_a_window_around_it(
    predictor: Predictor,
) -> None:
    text = SENTENCE.replace("。", "，") * 7
    (segment,) = predictor._split([text])
    assert len(segment.windows) > 2
    for window, owned in zip(segment.windows, assign_to_windows(segment.windows), strict=True):
        quarter = window.num_characters // 4
        assert owned.start == 0 or owned.start - window.start >= quarter
        assert owned.end == len(text) or window.end - owned.end >= quarter


def test_a_long_text_does_not_pad_short_ones_to_its_length() -> None:
    assert list(_batches_by_length([30, 9600, 30, 31], 32)) == [[1], [3, 0, 2]]
    assert list(_batches_by_length([30, 20, 31], 2)) == [[2, 0], [1]]
    assert list(_batches_by_length([100_000], 32)) == [[0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [("a\x00b", r"NUL \(U\+0000\) at character 1"), ("ab\ud83d", r"U\+D83D\) at character 2")],
)
def test_text_that_utf8_cannot_hold_is_refused(
    predictor: Predictor, text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        predictor.predict([SENTENCE, text])


def test_a_batch_size_below_one_is_refused(predictor: Predictor) -> None:
    with pytest.raises(ValueError, match="expected a positive batch size, got 0"):
        predictor.predict([SENTENCE], batch_size=0)


def test_an_unknown_device_is_refused(shared_tiny_checkpoint: Path) -> None:
    with pytest.raises(ValueError, match="expected a device of auto, cpu, cuda, got 'tpu'"):
        Predictor.load(shared_tiny_checkpoint, device="tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="the message is for machines without CUDA")
def test_cuda_without_a_card_is_refused(shared_tiny_checkpoint: Path) -> None:
    with pytest.raises(ValueError, match="expected a CUDA device, found none"):
        Predictor.load(shared_tiny_checkpoint, device="cuda")


def test_threads_get_the_answers_to_their_own_texts(predictor: Predictor) -> None:
    texts = [SENTENCE[i:] for i in range(12)]
    expected = predictor.predict(texts)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda text: predictor.predict([text])[0], texts))
    assert [answer.spans for answer in answers] == [answer.spans for answer in expected]


def test_spans_under_an_offset_are_those_of_a_tagger_with_another_bias(
    shared_tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Short ones, a segment of several windows, a text of several segments, in several rounds.
    texts = ["", SENTENCE, SENTENCE.replace("。", "，") * 4, SENTENCE * 6, SENTENCE[7:]]
    monkeypatch.setattr("ner_core.prediction._TEXTS_PER_ROUND", 2)
    checkpoint = load_checkpoint(shared_tiny_checkpoint)
    predictor = Predictor(checkpoint, torch.device("cpu"))
    offsets = (-0.5, 0.0, 0.25)
    found = list(predictor.find_spans(texts, offsets, batch_size=3))
    bias = checkpoint.tagger.classifier.bias.detach()
    own_score = float(bias[0])
    for number, offset in enumerate(offsets):
        bias[0] = own_score + offset
        anew = [
            [(span.start, span.end, span.label) for span in one.spans]
            for one in predictor.predict(texts)
        ]
        assert anew == [
            [(span.start, span.end, span.label) for span in by_offset[number]]
            for by_offset in found
        ]
        assert all(span.score is None for by_offset in found for span in by_offset[number])
    assert len({sum(len(by_offset[number]) for by_offset in found) for number in range(3)}) == 3


def test_the_encoder_reads_a_text_once_for_all_offsets_and_no_text_before_its_round(
    shared_tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ner_core.prediction._TEXTS_PER_ROUND", 2)
    checkpoint = load_checkpoint(shared_tiny_checkpoint)
    num_read = 0

    def count(_module: torch.nn.Module, _arguments: object, output: TaggerOutput) -> None:
        nonlocal num_read
        num_read += len(output.emissions)

    checkpoint.tagger.register_forward_hook(count)
    predictor = Predictor(checkpoint, torch.device("cpu"))
    found = predictor.find_spans([SENTENCE] * 5, (-1.0, 0.0, 1.0))
    next(found)
    assert num_read == 2
    assert len(list(found)) == 4
    assert num_read == 5
