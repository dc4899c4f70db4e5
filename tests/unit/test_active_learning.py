"""The replay of annotation: what is read, that it goes on after a stop, and what was saved."""

import math
from pathlib import Path

import pytest

from benchmarks.active_learning import Curve, main, measure_savings
from benchmarks.annotation_replay import Replay, ReplaySettings, Strategy
from ner_core.formats import write_cluener
from ner_core.labels import CLUENER
from ner_core.spans import Example

SETTINGS = ReplaySettings(budgets=(15, 30, 45), context_hidden_size=4, first_epochs=2, epochs=1)


def make_replay(examples, encoder: Path, strategy: Strategy, seed: int = 1) -> Replay:
    return Replay(examples, examples, CLUENER, str(encoder), SETTINGS, strategy, seed)


# What a strategy saves


def test_characters_for_a_score_lie_on_the_line_between_two_rounds() -> None:
    curve = Curve((100.0, 400.0, 1600.0), (0.2, 0.4, 0.6))
    assert curve.characters_for(0.4) == pytest.approx(400)
    assert curve.characters_for(0.3) == pytest.approx(math.sqrt(100 * 400))  # over the logarithm
    assert curve.characters_for(0.1) is None
    assert curve.characters_for(0.7) is None


def test_a_curve_that_dips_reaches_a_score_where_it_first_does() -> None:
    curve = Curve((100.0, 200.0, 400.0, 800.0), (0.2, 0.5, 0.4, 0.6))
    assert curve.characters_for(0.5) == pytest.approx(200)


def test_half_the_reading_for_the_same_score_saves_half() -> None:
    random = Curve((100.0, 200.0, 400.0), (0.2, 0.3, 0.4))
    quick = Curve((100.0, 200.0, 400.0), (0.2, 0.4, 0.5))
    slow = Curve((100.0, 200.0, 400.0), (0.2, 0.25, 0.3))
    first, last = measure_savings([quick, quick], [random, random])
    assert first.saving == pytest.approx(1 - math.sqrt(2) / 2)
    assert (last.f1, last.saving) == (0.4, pytest.approx(0.5))
    assert last.by_seed == (pytest.approx(0.5), pytest.approx(0.5))
    first, last = measure_savings([slow], [random])
    assert first.saving == pytest.approx(-1)
    assert (last.characters, last.saving, last.by_seed) == (None, None, (None,))


def test_a_random_order_saves_nothing_against_itself() -> None:
    curve = Curve((100.0, 200.0), (0.2, 0.3))
    (saving,) = measure_savings([curve], [curve])
    assert saving.saving == pytest.approx(0)


# What is read


@pytest.mark.parametrize("strategy", ["path", "token", "random"])
def test_each_sentence_is_read_once_until_the_budget_is_reached(
    strategy: Strategy, eight_sentences: tuple[Example, ...], tiny_encoder: Path, tmp_path: Path
) -> None:
    rounds = make_replay(eight_sentences, tiny_encoder, strategy).run(tmp_path)
    read = [number for it in rounds for number in it.chosen]
    assert len(read) == len(set(read)) == rounds[-1].num_sentences
    for it, budget in zip(rounds, SETTINGS.budgets, strict=True):
        last = eight_sentences[it.chosen[-1]]
        assert budget <= it.num_characters < budget + len(last.text)


def test_all_strategies_of_a_seed_begin_with_the_same_sentences(
    eight_sentences: tuple[Example, ...], tiny_encoder: Path, tmp_path: Path
) -> None:
    strategies: tuple[Strategy, ...] = ("path", "token", "random")
    firsts = {
        make_replay(eight_sentences, tiny_encoder, strategy).run(tmp_path)[0]
        for strategy in strategies
    }
    assert len(firsts) == 1
    other = make_replay(eight_sentences, tiny_encoder, "random", seed=2).run(tmp_path)[0]
    assert other not in firsts


def test_an_interrupted_replay_goes_on_as_if_nothing_had_been(
    eight_sentences: tuple[Example, ...], tiny_encoder: Path, tmp_path: Path
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    expected = make_replay(eight_sentences, tiny_encoder, "path").run(whole)
    short = ReplaySettings(budgets=(15, 30), context_hidden_size=4, first_epochs=2, epochs=1)
    begun = Replay(eight_sentences, eight_sentences, CLUENER, str(tiny_encoder), short, "path", 1)
    begun.run(cut)
    with (cut / "path-1.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"num_char')  # a line that was being written
    assert make_replay(eight_sentences, tiny_encoder, "path").run(cut) == expected
    assert make_replay(eight_sentences, Path("nowhere"), "path").run(cut) == expected


def test_budgets_that_do_not_rise_or_are_too_large_are_refused(
    eight_sentences: tuple[Example, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_cluener(tmp_path / "train.json", eight_sentences)
    data = str(tmp_path / "train.json")
    command = ["--train", data, "--dev", data, "--encoder", "x", "--output", str(tmp_path / "o")]
    for budgets, message in (
        (["40", "40"], "expected two or more rising --budgets"),
        (["40", "40000"], "expected --budgets of at most the"),
    ):
        assert main([*command, "--budgets", *budgets]) == 2
        assert message in capsys.readouterr().err
