"""Where two or more versions of a text differ, and what can be chosen there."""

from hypothesis import given
from hypothesis import strategies as st

from ner_core.error_analysis import Outcome, pair_spans
from ner_core.spans import Span
from webui.differences import Difference, Other, find_differences

COMPANY, GOVERNMENT = Span(0, 4, "company"), Span(0, 4, "government")
NAME, LONG_NAME, SHORT_NAME = Span(4, 7, "name"), Span(4, 8, "name"), Span(5, 7, "name")
CITY = Span(8, 10, "address")


def differences(left, right, **others):
    return find_differences(pair_spans(left, right), others)


def test_of_two_versions_they_are_the_pairs_that_are_not_alike():
    found = differences([COMPANY, NAME], [GOVERNMENT, NAME, CITY])
    assert found == (Difference(COMPANY, GOVERNMENT), Difference(None, CITY))
    assert [it.outcome for it in found] == [Outcome.WRONG_LABEL, Outcome.SPURIOUS]


def test_another_version_is_one_more_choice_where_it_says_something_else():
    assert differences([NAME], [LONG_NAME], Cem=[SHORT_NAME]) == (
        Difference(NAME, LONG_NAME, (Other(("Cem",), SHORT_NAME),)),
    )
    assert differences([NAME], [LONG_NAME], Cem=[LONG_NAME]) == (Difference(NAME, LONG_NAME),)
    # To leave it out is a choice, too, unless one side does.
    assert differences([NAME], [LONG_NAME], Cem=[]) == (
        Difference(NAME, LONG_NAME, (Other(("Cem",), None),)),
    )
    assert differences([NAME], [], Cem=[]) == (Difference(NAME, None),)


def test_where_only_another_version_differs_is_a_difference():
    found = differences([COMPANY, NAME], [COMPANY, NAME], Cem=[NAME, CITY], Dan=[NAME, CITY])
    assert found == (
        Difference(COMPANY, COMPANY, (Other(("Cem", "Dan"), None),)),
        Difference(None, None, (Other(("Cem", "Dan"), CITY),)),
    )
    assert [it.outcome for it in found] == [None, None]


def test_what_two_others_say_in_one_place_is_one_difference():
    assert differences([], [], Cem=[NAME], Dan=[LONG_NAME]) == (
        Difference(None, None, (Other(("Cem",), NAME), Other(("Dan",), LONG_NAME))),
    )


def test_a_span_of_another_goes_where_somebody_has_the_very_same():
    found = differences([COMPANY], [GOVERNMENT, Span(2, 6, "name")], Cem=[Span(2, 6, "name")])
    assert found == (
        Difference(COMPANY, GOVERNMENT, (Other(("Cem",), None),)),
        Difference(None, Span(2, 6, "name")),
    )


SPANS = st.lists(
    st.builds(
        lambda start, length, label: Span(start, start + length, label),
        st.integers(0, 6),
        st.integers(1, 3),
        st.sampled_from(["name", "place"]),
    ),
    max_size=4,
    unique=True,
)


@given(SPANS, SPANS, st.dictionaries(st.sampled_from(["Cem", "Dan", "Eva"]), SPANS))
def test_each_version_can_be_chosen_whole(left, right, others):
    pairs = pair_spans(left, right)
    agreed = {pair.gold for pair in pairs if pair.outcome is Outcome.RIGHT}
    found = find_differences(pairs, others)
    agreed -= {it.left for it in found if it.left == it.right}
    assert sum(it.outcome is not None for it in found) == sum(
        pair.outcome is not Outcome.RIGHT for pair in pairs
    )
    for name, spans in {"left": left, "right": right, **others}.items():
        free = set(spans) - agreed
        assert agreed <= set(spans)
        for difference in found:
            said = next((it.span for it in difference.others if name in it.names), "")
            if said == "":  # what one of the sides says: each span stands in one place only
                sides = (difference.left, difference.right)
                own = {"left": sides[:1], "right": sides[1:]}.get(name, sides)
                said = next((span for span in own if span in free), None)
                assert said in own
            free.discard(said)
        assert free == set()
