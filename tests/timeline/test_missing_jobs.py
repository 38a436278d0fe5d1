"""Which dispatches lack a job, and which agents have none: the timeline, `why` and the trace agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.moments import ABOUT_AGENT, moment, ms
from tests.why.cases import healthy, registered, timeline, without
from tracer import keys
from tracer.export.spans import spans
from tracer.moment import Kind
from tracer.timeline.missing_jobs import dispatches_without_job, unaccounted_agents
from tracer.timeline.overdue import expected
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Fact, Moment
    from tracer.timeline.timeline import Timeline

NAMED = moment(Kind.DISPATCH_CREATED, "AD_named", ms(1_500), told={keys.AGENT_NAME: "helper"})


def joins(sid: str, at: float, about: dict[str, Fact]) -> Moment:
    return moment(Kind.PARTICIPANT_JOINING, sid, ms(at), told={keys.PARTICIPANT_KIND: "AGENT", **about})


AVATAR = joins("PA_avatar", 2_500, {keys.PARTICIPANT_ATTRIBUTE + "lk.publish_on_behalf": "agent-AJ_1"})
STRANGER = joins("PA_stranger", 2_500, {keys.PARTICIPANT_IDENTITY: "agent-AJ_unknown"})


def lacking(made: Timeline) -> tuple[list[str], list[str], list[str]]:
    """What the timeline, the trace and `why` say of dispatches without a job."""
    overdue = [one.step.subject for one in expected(made) if one.what == "dispatched, no job"]
    errors = [dict(s.attributes)[keys.DISPATCH_ID] for s in spans(made) if s.name == "dispatch" and s.error]
    causes = [found.cause.name for found in explain(made).findings]
    return overdue, [str(sid) for sid in errors], causes


def test_an_avatar_hides_no_dispatch_without_a_job() -> None:
    made = timeline([*healthy(), AVATAR, NAMED], registered(sid="AW_other", name="other"))
    assert unaccounted_agents(made) == []
    assert [dispatch.sid for dispatch, _ in dispatches_without_job(made)] == ["AD_named"]
    assert lacking(made) == (["AD_named"], ["AD_named"], ["no-worker"])


def test_an_agent_whose_job_is_not_known_can_be_of_any_dispatch_made_before_it() -> None:
    made = timeline([*healthy(), STRANGER, NAMED])
    assert [agent.sid for agent in unaccounted_agents(made)] == ["PA_stranger"]
    assert dispatches_without_job(made) == []
    assert lacking(made) == ([], [], [])
    assert not any(span.name == "dispatch" and span.start == ms(1_500) for span in spans(made))
    later = moment(Kind.DISPATCH_CREATED, "AD_named", ms(3_000), told={keys.AGENT_NAME: "helper"})
    made = timeline([*healthy(), STRANGER, later], registered(sid="AW_other", name="other"))
    assert lacking(made) == (["AD_named"], ["AD_named"], ["no-worker"])


def test_both_tries_of_a_job_to_join_are_its_own() -> None:
    identity = {keys.PARTICIPANT_IDENTITY: ABOUT_AGENT[keys.PARTICIPANT_IDENTITY]}
    made = timeline([*healthy(), joins("PA_first_try", 255, identity)])
    assert unaccounted_agents(made) == []


def test_the_unnamed_dispatch_needs_no_job_where_an_agent_was_asked_for_by_name() -> None:
    unnamed = moment(Kind.DISPATCH_CREATED, "AD_unnamed", ms(0.7), told={keys.AGENT_NAME: ""})
    made = timeline([*without(healthy(), "AD_1"), unnamed, NAMED])
    assert lacking(made)[0] == lacking(made)[1] == ["AD_named"]
    span = next(s for s in spans(made) if s.name == "dispatch" and dict(s.attributes)[keys.DISPATCH_ID] == "AD_unnamed")
    assert (span.end, span.error) == (made.room.time(Kind.ROOM_FINISHED), None)
