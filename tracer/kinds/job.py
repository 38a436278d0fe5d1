"""A job, from its creation to its end, and the process it runs in."""

from __future__ import annotations

from tracer.kinds.info import KindInfo

__all__ = ["JOB"]

JOB = {
    "job.created": KindInfo(
        phrase="job created",
        verb="was created",
        meaning="The server made the job, and looks for a worker.",
        cause="The dispatch, or the participant that the job is for.",
        following="The server offers it to a worker, or it waits until one is available.",
        reported={
            "observer": "the server's own time, where it gives one",
            "webhook": "the server's own time, where it gives one",
        },
    ),
    "job.offered": KindInfo(
        phrase="job offered",
        verb="was offered",
        meaning="The server chose a worker and is about to offer it the job.",
        cause="The server, about 200 ms after the dispatch: it waits for bids.",
        following="The worker receives the offer.",
        reported={
            "observer": "the server's own time",
            "webhook": "the server's own time",
            "agent": "the server's own time",
        },
    ),
    "job.received": KindInfo(
        phrase="job received",
        verb="was received",
        meaning="The worker received the offer.",
        cause="The server's offer.",
        following="The worker's `request_fnc` answers.",
        reported={"agent": ""},
    ),
    "job.accepted": KindInfo(
        phrase="job accepted",
        verb="was accepted",
        meaning="The worker accepted the job.",
        cause="The worker's `request_fnc`.",
        following="The server assigns the job.",
        reported={
            "agent": "",
            "observer": "not after the server's own time, where it gives one",
            "webhook": "not after the server's own time, where it gives one",
        },
    ),
    "job.rejected": KindInfo(
        phrase="job rejected",
        verb="was rejected",
        meaning="The worker refused the job.",
        cause="`request_fnc` rejected it, raised or gave no answer, or the worker is full or draining.",
        following="The server offers the job to another worker, unless the rejection was for good.",
        reported={"agent": ""},
    ),
    "job.timed_out": KindInfo(
        phrase="job timed out",
        verb="timed out",
        meaning="The worker accepted the job, and the server never assigned it.",
        cause="An answer later than the 3 s that the server waits.",
        following="Nothing: the server does not offer the job again.",
        reported={"agent": ""},
    ),
    "job.assigned": KindInfo(
        phrase="job assigned",
        verb="was assigned",
        meaning="The server gave the job to the worker, with a token for the room.",
        cause="The worker's acceptance.",
        following="A process of the worker takes the job.",
        reported={
            "agent": "",
            "observer": "not before the server's own time, where it gives one",
            "webhook": "not before the server's own time, where it gives one",
        },
    ),
    "process.started": KindInfo(
        phrase="process started",
        verb="began to set up its process",
        meaning="A process that the job had to wait for begins its `setup_fnc`.",
        cause="The worker, when no idle process is ready.",
        following="The `setup_fnc` returns.",
        reported={"agent": ""},
    ),
    "process.ready": KindInfo(
        phrase="process ready",
        verb="had its process set up",
        meaning="The `setup_fnc` of a process that the job waits for returned.",
        cause="The `setup_fnc` is done: models are loaded.",
        following="The process gets the job.",
        reported={"agent": ""},
    ),
    "job.process_assigned": KindInfo(
        phrase="process assigned",
        verb="was given a process",
        meaning="A process has the job: at once when one was ready.",
        cause="The worker.",
        following="The entrypoint starts.",
        reported={"agent": ""},
    ),
    "job.entrypoint_started": KindInfo(
        phrase="entrypoint started",
        verb="started its entrypoint",
        meaning="The agent's own function runs.",
        cause="The job's process.",
        following="It connects to the room.",
        reported={"agent": ""},
    ),
    "job.entrypoint_returned": KindInfo(
        phrase="entrypoint returned",
        verb="returned from its entrypoint",
        meaning="The agent's own function returned; the job goes on until it is shut down.",
        cause="The agent's own code.",
        following="The call goes on; the job shuts down when the room closes or the agent asks for it.",
        reported={"agent": ""},
    ),
    "job.shutdown": KindInfo(
        phrase="job shutting down",
        verb="began to shut down",
        meaning="The job began to shut down.",
        cause="The room closed, `ctx.shutdown()`, or the worker drains.",
        following="Shutdown callbacks run, and the agent disconnects.",
        reported={"agent": ""},
    ),
    "process.failed": KindInfo(
        phrase="process failed",
        verb="had its process fail",
        meaning="A process did not come up, or ended unexpectedly while it had a job.",
        cause="`setup_fnc` raised or took too long, a crash, a kill, or too little memory.",
        following="Nothing: the job has no agent, and the server does not offer it again.",
        reported={"agent": ""},
    ),
    "job.ended": KindInfo(
        phrase="job ended",
        verb="ended",
        meaning="The job is over, its clean-up included.",
        cause="The end of the shutdown, or the server when the agent left the room.",
        following="The process exits.",
        reported={
            "agent": "the server's own time",
            "observer": "the server's own time",
            "webhook": "the server's own time",
        },
    ),
}
"""By slug."""
