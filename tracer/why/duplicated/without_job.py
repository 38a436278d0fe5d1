"""An agent that no dispatch asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.why.call.limits import LONG_ENOUGH, NO_JOB_AFTER
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["AgentWithoutJob"]

SIMULATED = "job-"
"""How livekit-agents 1.8.9 begins the id of the job that its command ``connect`` makes up; the server's are AJ_…"""


class AgentWithoutJob(Cause):
    """Whoever has a token of kind agent joins as one: a worker's ``connect --room``, or a program with such a token.

    Known from an agent of which no dispatch has a job, beside one that was dispatched, where both have an audio track:
    an avatar speaks for another agent, and one without a track is a listener. Certain where it reported itself that its
    job was made up by ``connect``.
    """

    name = "agent-without-job"
    symptom = Symptom.DUPLICATED
    about = "another agent joined without a dispatch, beside the one that was dispatched"
    advice = (
        "Look for an agent that was started with livekit-agents' command `connect`, which joins whether or not one is"
        " dispatched, and for a program that joins with a token of kind agent."
    )
    said = (
        agents("cli/cli.py"),
        Page.TOKENS,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        dispatched = [agent for agent in call.agents.of_jobs.values() if self._speaks(call, agent)]
        for agent in call.agents.unaccounted:
            joining = agent.at(Kind.PARTICIPANT_JOINING)
            if not joining or not self._speaks(call, agent) or agent.sid in call.agents.of_earlier_room:
                continue
            made_up = _made_up(call, agent)
            if made_up is None and not self._no_job_is_missing(call, agent):
                continue
            since, until = joining.time, min(call.left_at(agent), call.end)
            for own in dispatched:
                together = min(call.left_at(own), until) - max(own.steps[0].time, since)
                if together > LONG_ENOUGH:
                    yield self.found(
                        f"Two agents are in the room: {name_of(own)} was dispatched, and no dispatch has a job for"
                        f" {name_of(agent)}{', which was started with connect --room' if made_up else ''}.",
                        joining,
                        own.at(Kind.PARTICIPANT_JOINING),
                        made_up,
                        certain=made_up is not None,
                    )
                    break

    @staticmethod
    def _speaks(call: Call, agent: Participant) -> bool:
        return agent.identity is not None and agent.sid in call.callers.published

    @staticmethod
    def _no_job_is_missing(call: Call, agent: Participant) -> bool:
        """Whether the server has no job for it: every dispatch has its agent, and the job would be listed by now."""
        steps = [step for job in call.timeline.jobs for step in job.steps]
        listed = any(step.kind is Kind.JOB_OFFERED and "observer" in step.witnesses for step in steps)
        served = all(call.dispatches.brought_agent(dispatch) for dispatch in call.timeline.dispatches)
        return listed and served and min(call.left_at(agent), call.end) - agent.steps[0].time > NO_JOB_AFTER


def _made_up(call: Call, agent: Participant) -> Step | None:
    """When the agent connected by its own report, in a job that no server made."""
    own = (s for s in call.timeline.steps if s.kind is Kind.AGENT_CONNECTED and s.subject.startswith(SIMULATED))
    return next((step for step in own if step.facts.get(keys.PARTICIPANT_ID) == agent.sid), None)
