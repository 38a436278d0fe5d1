from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import AGENT, JOB, ROOM, VOICE, WORKER, call, moment, ms
from tests.why.cases import healthy
from tracer import keys
from tracer.cli.logs import formatter
from tracer.latency.summary import summarize
from tracer.moment import Kind, Moment, facts
from tracer.service import announcer as module
from tracer.service.announcer import NO_AGENT, NO_WEBHOOK, Announcer
from tracer.timeline.fold import fold
from tracer.why.explain import explain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracer.timeline.timeline import Timeline
    from tracer.why.explanation import Explanation


WELL = healthy()
"""A call in which nothing is amiss."""


@pytest.fixture
def announcer(caplog: pytest.LogCaptureFixture) -> Announcer:
    caplog.set_level(logging.INFO, "tracer")
    return Announcer(since=10)


def ended(announcer: Announcer, moments: Sequence[Moment] = (), newest: int = 11, room: str = ROOM) -> None:
    told = [replace(m, room=room, subject=m.subject.replace(ROOM, room)) for m in moments or WELL]
    timeline = fold(room, told)
    announcer.ended(timeline, summarize(timeline), newest)


def registered(name: str = "helper") -> Moment:
    known = {keys.AGENT_NAME: name, keys.WORKER_HOST: "pod-1"}
    return moment(Kind.WORKER_REGISTERED, WORKER, ms(0), witness="agent", room="", told=known)


def test_the_first_of_each_is_said_once(announcer: Announcer, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        announcer.arrived(())
        announcer.arrived([registered()])
        announcer.arrived([m for m in call() if m.witness == "webhook"])
    assert caplog.messages == [
        f"first agent reports: worker {WORKER}, agent 'helper', on pod-1",
        "first webhook arrived, and its signature is right",
        f"first room: demo ({ROOM}), reported by a webhook",
    ]


def test_the_doctors_room_is_not_the_first(announcer: Announcer, caplog: pytest.LogCaptureFixture) -> None:
    named = {keys.ROOM_NAME: "tracer-doctor-1"}
    announcer.arrived([moment(Kind.ROOM_CREATED, "RM_1", ms(0), room="RM_1", told=named)])
    announcer.arrived([moment(Kind.ROOM_FINISHED, "RM_1", ms(9), room="RM_1")])
    announcer.arrived(call()[:1])
    assert [text for text in caplog.messages if text.startswith("first room")] == [
        f"first room: demo ({ROOM}), reported by a webhook"
    ]


def test_how_a_room_went_is_what_why_says(announcer: Announcer, caplog: pytest.LogCaptureFixture) -> None:
    ended(announcer)
    ended(announcer)  # summed up again, as a room of its name came after it: nothing new
    [text] = [text for text in caplog.messages if text.startswith("room ")]
    assert text == f"room demo ({ROOM}) over after 6.5 s: All went well."

    ended(announcer, [m for m in WELL if m.subject not in (JOB, AGENT, VOICE)], room="RM_2")
    assert caplog.messages[-1].endswith("More: tracer why RM_2")
    assert "room demo (RM_2) over after 6.5 s: No " in caplog.messages[-1]


def test_a_room_of_which_nothing_was_learnt_since_the_start_is_no_news(
    announcer: Announcer, caplog: pytest.LogCaptureFixture
) -> None:
    ended(announcer, newest=10)
    assert caplog.messages == []


def test_what_the_first_room_lacks_is_said_once(announcer: Announcer, caplog: pytest.LogCaptureFixture) -> None:
    ended(announcer)
    ended(announcer, room="RM_2")
    assert [text for text in caplog.messages if not text.startswith("room ")] == [NO_WEBHOOK, NO_AGENT]


def test_of_many_rooms_a_few_are_named_and_explained(
    announcer: Announcer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    explained: list[object] = []

    def counted(timeline: Timeline) -> Explanation:
        explained.append(timeline)
        return explain(timeline)

    monkeypatch.setattr(module, "explain", counted)
    announcer.arrived([m for m in call() if m.witness == "webhook"])
    announcer.arrived([registered()])
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for number in range(60):
        ended(announcer, room=f"RM_{number}")
    assert len(explained) == module.LINES
    assert len(caplog.messages) == 3 + module.LINES
    now += module.PERIOD
    announcer.passed()
    assert caplog.messages[-1] == (
        f"{60 - module.LINES} more rooms over: no cause was found in them; `tracer rooms` lists them"
    )


def test_with_redaction_no_name_is_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tracer")
    Announcer(since=0, redact=True).arrived([m for m in call() if m.witness == "webhook"])
    assert caplog.messages[-1] == f"first room: {ROOM}, reported by a webhook"


EVIL = "demo\x1b[2J\r\nINFO all is well \u202e"


def written(form: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines as they are written."""
    for record in caplog.records:
        record.exc_text = None  # where a formatter keeps it for the next one
    return [line for record in caplog.records for line in formatter(form).format(record).split("\n")]


def test_no_name_acts_on_a_terminal_or_begins_a_line(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("tracer").warning("room %s over", EVIL)
    try:
        raise ValueError(EVIL)
    except ValueError:
        logging.getLogger("tracer").exception("failed")
    lines = written("text", caplog)
    assert not set("\x1b\r\u202e") & set("".join(lines))
    assert lines[0].endswith("over")
    assert not [line for line in lines if line.startswith("INFO")]


def test_json_lines_have_what_a_program_asks_for(announcer: Announcer, caplog: pytest.LogCaptureFixture) -> None:
    known = {keys.ROOM_NAME: EVIL}
    ended(announcer, [replace(m, facts=facts(known)) if keys.ROOM_NAME in dict(m.facts) else m for m in WELL])
    over, *hints = [json.loads(line) for line in written("json", caplog)]
    assert (over["event"], over["level"]) == ("room_over", "info")
    assert (over["room"], over["well"], over["cause"]) == ({"sid": ROOM, "name": EVIL}, True, None)
    assert over["seconds"] == pytest.approx(6.5, abs=0.1)
    assert [line["event"] for line in hints] == ["no_webhook", "no_agent"]
