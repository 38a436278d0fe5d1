from __future__ import annotations

import pickle
from dataclasses import fields

import pytest

from tracer.kinds import Kind, KindInfo

NOT_ALWAYS = {"reported", "mistake", "said"}
"""Parts that are no text, or that not every kind has."""


@pytest.mark.parametrize(
    "field", ["source", *(field.name for field in fields(KindInfo) if field.name not in NOT_ALWAYS)]
)
def test_every_kind_has_each_part_of_its_meaning(field: str) -> None:
    for kind in Kind:
        text = getattr(kind.info, field)
        assert text, kind
        assert text == text.strip(), kind


def test_who_reports_it_are_witnesses() -> None:
    for kind in Kind:
        assert kind.info.reported, kind
        assert set(kind.info.reported) <= {"webhook", "observer", "agent"}, kind


@pytest.mark.parametrize("field", ["meaning", "cause", "following"])
def test_what_is_a_sentence_begins_and_ends_as_one_and_fits_a_cell(field: str) -> None:
    for kind in Kind:
        text = getattr(kind.info, field)
        assert text[0].isupper() or text.startswith("`"), kind
        assert text.endswith("."), kind
        assert "|" not in text, kind
        assert "\n" not in text, kind


def test_no_two_kinds_look_the_same_in_a_list() -> None:
    phrases = [kind.info.phrase for kind in Kind]
    assert len(set(phrases)) == len(phrases)
    assert len({kind.info.meaning for kind in Kind}) == len(phrases)


def test_a_phrase_names_a_participant_where_the_kind_is_of_one_or_of_its_track() -> None:
    of_one = {kind for kind in Kind if "{who}" in kind.info.phrase}
    assert of_one == {kind for kind in Kind if kind.value.startswith(("participant.", "track."))}


def test_a_kind_is_its_value_and_is_found_by_it() -> None:
    for kind in Kind:
        assert Kind(str(kind)) is kind
        assert pickle.loads(pickle.dumps(kind)) is kind  # noqa: S301  our own


def test_ranks_count_the_kinds_in_the_order_they_are_defined() -> None:
    assert [kind.rank for kind in Kind] == list(range(len(Kind)))
