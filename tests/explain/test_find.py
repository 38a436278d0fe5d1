from __future__ import annotations

from collections import Counter

import pytest

from tracer.check import RULES
from tracer.explain import Group, explain, gap, nearest, words
from tracer.kinds import Kind
from tracer.latency.owner import Owner
from tracer.timeline.provenance import EndReason, Mode
from tracer.why import CAUSES


def test_everything_has_its_word() -> None:
    there = Counter((entry.group, entry.word) for entry in words())
    assert set(there.values()) == {1}
    every: dict[Group, list[str]] = {
        Group.MOMENT: [*Kind],
        Group.CAUSE: [cause.name for cause in CAUSES],
        Group.RULE: [rule.name for rule in RULES],
        Group.OWNER: [*Owner],
        Group.MODE: [*Mode],
    }
    for group, named in every.items():
        assert {word for of, word in there if of is group} == set(named)
    assert {(Group.REASON, str(reason)) for reason in EndReason} <= there.keys()


def test_every_word_is_found_by_itself_and_leads_to_words_that_are_there() -> None:
    for entry in words():
        assert explain(entry.word, entry.group) == entry
        assert [word for word in entry.related if explain(word) is None] == [], entry.word


@pytest.mark.parametrize(
    ("asked", "group", "word"),
    [
        ("job.offered", Group.MOMENT, "job.offered"),
        ("JOB_OFFERED", Group.MOMENT, "job.offered"),
        ("  job   offered ", Group.MOMENT, "job.offered"),
        ("joining", Group.STATE, "JOINING"),
        ("rooms", Group.THING, "room"),
        ("livekit server", Group.OWNER, "livekit_server"),
        ("departure timeout", Group.REASON, "departure_timeout"),
        ("No worker", Group.CAUSE, "no-worker"),
        ("process failed", Group.MOMENT, "process.failed"),
        ("process-failed", Group.CAUSE, "process-failed"),
        ("rule 3", Group.RULE, "job-start"),
        ("3", Group.RULE, "job-start"),
        ("#3", Group.RULE, "job-start"),
        ("Dispatches", Group.THING, "dispatch"),
        ("identities", Group.THING, "identity"),
        ("✗", Group.SIGN, "✓ ✗ ?"),
        ("->", Group.SIGN, "→"),
        ("▋", Group.SIGN, "█"),
        ("±52 ms", Group.COLUMN, "accuracy"),
        ("-1.1 s", Group.COLUMN, "accuracy"),
        ("?!", Group.COLUMN, "accuracy"),
        ("+240 ms", Group.COLUMN, "since"),
        ("~1.2 s", Group.SIGN, "~"),
        ("RM_q4MG6HgEXo38", Group.THING, "room"),
        ("AJ_CTYYnVy7qD3o", Group.THING, "job"),
        ("identity-1c02ab9e", Group.THING, "pseudonym"),
        ("agent 1", Group.THING, "agent"),
        ("PASSES", Group.ANSWER, "holds"),
        ("No agent joined", Group.ANSWER, "missing"),
        ("clock skew", Group.ANSWER, "clock skew"),
        ("MICROPHONE", Group.THING, "track source"),
        ("src", Group.COLUMN, "source"),
        ("job.offered → received", Group.GAP, "job.offered → job.received"),
        ("job offered -> job received", Group.GAP, "job.offered → job.received"),
        ("room created -> agent connected", Group.GAP, "room.created → agent.connected"),
    ],
)
def test_a_word_is_found_however_it_is_written(asked: str, group: Group, word: str) -> None:
    found = explain(asked)
    assert found is not None
    assert (found.group, found.word) == (group, word)


def test_a_word_of_two_groups_is_told_apart() -> None:
    for group in (Group.THING, Group.MODE):
        found = explain("room", group)
        assert found is not None
        assert found.group is group


@pytest.mark.parametrize(
    "asked", ["", "   ", "a -> b", "job.offered ->", "job.offered -> x -> y", "\x1b[31m", "x" * 10_000]
)
def test_what_is_no_word_is_not_explained(asked: str) -> None:
    assert explain(asked) is None


@pytest.mark.parametrize(
    ("asked", "offered"), [("jb.ofered", "job.offered"), ("no-wrker", "no-worker"), ("activ", "ACTIVE")]
)
def test_the_nearest_is_offered_first(asked: str, offered: str) -> None:
    assert nearest(asked)[0] == offered
    assert len(nearest("job")) == 3


@pytest.mark.parametrize("asked", ["", "qqqqqqqq", "\x1b[31m" * 1000])
def test_nothing_is_offered_for_what_is_like_nothing(asked: str) -> None:
    assert nearest(asked) == ()


def test_a_gap_names_who_spends_it_and_what_can_be_done() -> None:
    found = gap(Kind.JOB_RECEIVED, Kind.JOB_ACCEPTED)
    assert found.caused_by == "Your code."
    assert "request_fnc" in found.advice
    assert gap(Kind.JOB_OFFERED, Kind.JOB_ACCEPTED, Owner.UNKNOWN).caused_by == "Unknown."
    assert gap(Kind.ROOM_FINISHED, Kind.ROOM_CREATED).caused_by == "Unknown."


def test_the_hover_text_has_the_meaning_first_and_no_empty_line() -> None:
    for entry in words():
        lines = entry.hover.split("\n")
        assert lines[0] == entry.meaning
        assert all(lines), entry.word
        assert "known from" not in entry.hover.casefold().split("\n")[-1][:12]
