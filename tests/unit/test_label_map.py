"""Maps between label sets, and which tags they allow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ner_core.label_map import LabelMap, parse_images
from ner_core.labels import CLUENER, MSRA, LabelSet

MSRA_TO_CLUENER = "PER=name,LOC=address|scene|government,ORG=company|organization|government"


def allowed(label_map: LabelMap, source_tag: str) -> set[str]:
    row = label_map.allowed_tags[label_map.source.tag_ids[source_tag]]
    return {tag for tag, is_allowed in zip(label_map.target.tags, row, strict=True) if is_allowed}


def test_a_coarse_tag_allows_the_same_prefix_of_each_label_it_may_stand_for() -> None:
    label_map = LabelMap.parse(MSRA_TO_CLUENER, source=MSRA, target=CLUENER)
    assert label_map.allowed_tags.shape == (MSRA.num_tags, CLUENER.num_tags)
    assert allowed(label_map, "B-PER") == {"B-name"}
    assert allowed(label_map, "I-LOC") == {"I-address", "I-scene", "I-government"}
    assert allowed(label_map, "B-ORG") == {"B-company", "B-organization", "B-government"}


def test_outside_excludes_only_what_the_source_labels() -> None:
    label_map = LabelMap.parse(MSRA_TO_CLUENER, source=MSRA, target=CLUENER)
    unseen = ("book", "game", "movie", "position")
    expected = {"O", *(f"{prefix}-{label}" for label in unseen for prefix in "BI")}
    assert allowed(label_map, "O") == expected


def test_an_entity_that_the_target_set_lacks_counts_as_outside() -> None:
    source, target = LabelSet(("DATE", "PER")), LabelSet(("name", "book"))
    label_map = LabelMap(source, target, {"DATE": ("O",), "PER": ("name",)})
    assert allowed(label_map, "B-DATE") == allowed(label_map, "I-DATE") == allowed(label_map, "O")
    assert allowed(label_map, "O") == {"O", "B-book", "I-book"}


def test_a_map_that_only_renames_and_joins_leaves_no_choice() -> None:
    source, target = LabelSet(("PER", "CITY", "LAND")), LabelSet(("name", "place"))
    images = {"PER": ("name",), "CITY": ("place",), "LAND": ("place",)}
    assert LabelMap(source, target, images).is_exact
    assert not LabelMap(source, LabelSet(("name", "place", "book")), images).is_exact
    assert not LabelMap(source, target, {**images, "LAND": ("place", "name")}).is_exact


@st.composite
def label_maps(draw: st.DrawFn) -> LabelMap:
    source = LabelSet(tuple(f"s{number}" for number in range(draw(st.integers(1, 4)))))
    target = LabelSet(tuple(f"t{number}" for number in range(draw(st.integers(1, 5)))))
    some = st.lists(st.sampled_from(target.labels), min_size=1, unique=True)
    image = some.map(tuple) | st.just(("O",))
    return LabelMap(source, target, {label: draw(image) for label in source.labels})


@given(label_maps())
def test_a_map_reads_back_what_it_prints(label_map: LabelMap) -> None:
    again = LabelMap.parse(str(label_map), source=label_map.source, target=label_map.target)
    assert again == label_map
    assert hash(again) == hash(label_map)


@given(label_maps(), st.data())
def test_every_valid_source_tagging_allows_a_valid_target_tagging(
    label_map: LabelMap, data: st.DataObject
) -> None:
    """Otherwise a sentence would have no path, and its loss no value."""
    source, target = label_map.source, label_map.target
    starts = [tag for tag in range(source.num_tags) if source.is_allowed_start(tag)]
    source_tags = [data.draw(st.sampled_from(starts))]
    for _ in range(data.draw(st.integers(0, 5))):
        follow = [
            t for t in range(source.num_tags) if source.is_allowed_transition(source_tags[-1], t)
        ]
        source_tags.append(data.draw(st.sampled_from(follow)))
    reachable = {
        tag
        for tag in label_map.allowed_tags[source_tags[0]].nonzero()[0].tolist()
        if target.is_allowed_start(tag)
    }
    for source_tag in source_tags[1:]:
        reachable = {
            tag
            for tag in label_map.allowed_tags[source_tag].nonzero()[0].tolist()
            if any(target.is_allowed_transition(before, tag) for before in reachable)
        }
    assert reachable


SETS = "expected a map for each of PER, LOC, ORG to labels of address, book, company, game, "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("PER=name,ORG=company", "scene; got none for LOC"),
        ("PER=name", "scene; got none for LOC, ORG"),
        ("PER=name,LOC=scene,ORG=company,GPE=address", "scene; got one for GPE"),
        ("PER=name,LOC=scene,ORG=firm", "for none of them); got ORG=firm"),
        ("PER=name,LOC=scene,ORG=O|company", "for none of them); got ORG=O|company"),
        ("PER=name|name,LOC=scene,ORG=company", "scene, each once; got PER=name|name"),
    ],
)
def test_a_map_that_does_not_fit_is_refused_with_both_sets(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        LabelMap.parse(text, source=MSRA, target=CLUENER)
    assert str(caught.value).startswith(SETS)
    assert message in str(caught.value)


def test_an_empty_image_is_no_image() -> None:
    with pytest.raises(ValueError, match="got none for PER"):
        LabelMap(MSRA, CLUENER, {"PER": (), "LOC": ("scene",), "ORG": ("company",)})


@pytest.mark.parametrize(
    "text", ["", "PER", "=name", "PER=", "PER=name|", "PER=name,", "PER=a,,LOC=b"]
)
def test_a_map_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected LABEL=A\|B,LABEL=C,\.\.\., got '"):
        parse_images(text)


def test_a_label_that_is_mapped_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"each label once, got 'PER' twice \(in 'PER=a,PER=b'\)"):
        parse_images("PER=a,PER=b")
