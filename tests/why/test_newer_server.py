"""What a server of the next generation reports besides changes no answer, and is evidence where it says why."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.moments import DISPATCH, JOB, moment, ms
from tests.why.cases import lonely, registered
from tracer import keys
from tracer.check import Outcome, check
from tracer.moment import Kind, Moment, facts
from tracer.service.replay import replay
from tracer.store import Arrival, open_writer
from tracer.store.load import timeline_in
from tracer.timeline.fold import fold
from tracer.timeline.overdue import expected
from tracer.units import NS_PER_MS
from tracer.view.wording import say
from tracer.why import explain
from tracer.witness.jobs import ASSIGNED_WITHIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.timeline import Timeline

CALLS = Path(__file__).parent.parent / "calls"


def newer(moments: list[Moment]) -> Iterator[Moment]:
    """What that server would have reported of the jobs among these: that they were created, accepted and assigned."""
    answers = {(m.kind, m.subject): m.time for m in moments if m.witness == "agent"}
    for m in moments:
        known = dict(m.facts)
        given = known.get(keys.PARTICIPANT_IDENTITY) or (Kind.JOB_ASSIGNED, m.subject) in answers
        if m.kind is not Kind.JOB_OFFERED or m.witness != "observer" or not given:
            continue
        accepted = answers.get((Kind.JOB_ACCEPTED, m.subject), m.time + 2 * NS_PER_MS) + NS_PER_MS // 5
        worker = str(known.get(keys.WORKER_ID, ""))
        about = facts({keys.JOB_ID: m.subject, keys.DISPATCH_ID: known.get(keys.DISPATCH_ID), keys.WORKER_ID: worker})
        for kind, earliest, latest, at, occurrence in (
            (Kind.JOB_CREATED, m.time, m.time, m.time, ""),
            (Kind.JOB_ACCEPTED, m.time, accepted, accepted, worker),
            (Kind.JOB_ASSIGNED, accepted, accepted + ASSIGNED_WITHIN, accepted, ""),
        ):
            yield Moment(m.room, kind, m.subject, earliest, latest, at, "server", "observer", occurrence, about)


def answers(timeline: Timeline) -> tuple[object, ...]:
    """What the commands come to."""
    explained = explain(timeline)
    violated = [one.rule.number for one in check(timeline).judgements if one.answer is Outcome.VIOLATED]
    named = [(finding.cause.name, finding.certain) for finding in explained.findings]
    contradicted = [step.key for step in timeline.steps if step.contradicted]
    missing = [one.what for one in expected(timeline)]
    return explained.well, explained.summary, named, violated, contradicted, missing


@pytest.mark.parametrize("instrumented", [True, False], ids=["instrumented", "plain"])
@pytest.mark.parametrize(
    "name", ["case_away_bare", "case_reload_plain", "ok_fixed_identity_plain", "s11_all_reject", "s20_dev_load_one"]
)
def test_the_servers_times_change_no_answer(name: str, instrumented: bool, tmp_path: Path) -> None:
    with closing(open_writer(f"{tmp_path}/r.db")) as store:
        replay([CALLS / f"{name}.jsonl.gz"], store)
        recorded = {row.sid: store.moments(row.sid) for row in store.rooms(99)}
        end = max(m.latest for moments in recorded.values() for m in moments)

    def told(*, by_newer: bool) -> list[tuple[object, ...]]:
        with closing(open_writer(f"{tmp_path}/{by_newer}.db")) as store:
            for moments in recorded.values():
                every = [*moments, *(newer(moments) if by_newer else ())]
                store.add([Arrival(tuple(m for m in every if instrumented or m.witness != "agent"))])
            return [answers(timeline_in(store, sid, now=end)) for sid in recorded]

    assert any(True for moments in recorded.values() for _ in newer(moments))
    assert told(by_newer=True) == told(by_newer=False)


def test_a_job_that_waits_for_a_worker_is_evidence_and_no_job_of_somebodys() -> None:
    told = {
        keys.JOB_ID: JOB,
        keys.DISPATCH_ID: DISPATCH,
        keys.AGENT_NAME: "billing",
        keys.JOB_STATUS: "JS_PENDING",
        keys.JOB_REASON: "JSR_NO_CAPACITY",
    }
    recorded = [*lonely("billing"), moment(Kind.JOB_CREATED, JOB, ms(0.9), told=told)]
    timeline = fold(recorded[0].room, recorded, workers=registered(name="helper"), now=ms(60_000))
    (finding,) = explain(timeline).findings
    assert finding.cause.name == "no-worker"
    assert "for agent 'billing' has a job that no worker was offered; registered are 'helper'" in finding.sentence
    waiting = [step for step in finding.evidence if step.kind is Kind.JOB_CREATED]
    assert [say(timeline, step) for step in waiting] == [("job created", "no agent was available to accept it")]
    assert [one.what for one in expected(timeline)] == ["created, and offered to no worker"]
