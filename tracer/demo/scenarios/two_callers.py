"""Two callers in one room, with an agent for each participant and one for each publisher."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tracer import keys
from tracer.demo.answers import at
from tracer.demo.play import ALONE, DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind
from tracer.view.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.demo.play import Play
    from tracer.timeline.timeline import Timeline

__all__ = ["TwoCallers"]

AGENT = Path(__file__).parents[1] / "agents" / "per_caller.py"


class TwoCallers(Scenario):
    """Jobs of the types JT_PARTICIPANT and JT_PUBLISHER, and a caller who comes back."""

    name = "two-callers"
    question = "When does each caller get an agent of their own, and what happens when one rejoins?"
    workers = (
        DemoWorker(file=AGENT, environment={"JOB_TYPE": "JT_PARTICIPANT"}),
        DemoWorker(file=AGENT, environment={"JOB_TYPE": "JT_PUBLISHER"}),
    )

    async def play(self, play: Play) -> None:
        ada = play.caller("ada")
        await play.happened(Kind.JOB_OFFERED, 2)
        for offered in (4, 6):
            bob = play.caller("bob")
            await play.happened(Kind.JOB_OFFERED, offered)
            await play.hangs_up(bob, ALONE)
        await play.hangs_up(ada)

    def answer(self, timeline: Timeline) -> Iterator[str]:
        for participant in timeline.participants:
            if participant.is_agent:
                continue
            jobs = [job for job in timeline.jobs if job.text(keys.JOB_PARTICIPANT_ID) == participant.sid]
            offers = [
                f"{plain(job.text(keys.JOB_TYPE) or 'a job')} at {at(timeline, job.at(Kind.JOB_OFFERED))}"
                for job in jobs
            ]
            name = plain(participant.identity or participant.sid)
            joined = at(timeline, participant.at(Kind.PARTICIPANT_JOINING))
            yield f"{name} ({plain(participant.sid)}) joined at {joined}: {', '.join(offers) or 'no job recorded'}."
        yield (
            "A participant job is created at each join, a publisher job at the first media track, both from the room's"
            " one automatic dispatch. Whoever rejoins is a new participant with a new SID, and gets new jobs."
        )
