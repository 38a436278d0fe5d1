"""A job, from its creation to its end, and the process it runs in."""

from __future__ import annotations

from tracer.kinds.info import KindInfo
from tracer.livekit_sources import Page, agents, protocol, server

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
        mistake="livekit-server 1.13.11 and older do not report it: that it is missing means nothing.",
        said=(protocol("protobufs/livekit_agent.proto"),),
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
        mistake="`job.state.started_at` is this time: it is set before the worker is asked, not when the agent starts.",
        said=(
            server("pkg/agent/worker.go"),
            server("pkg/service/agentservice.go"),
        ),
    ),
    "job.received": KindInfo(
        phrase="job received",
        verb="was received",
        meaning="The worker received the offer.",
        cause="The server's offer.",
        following="The worker's `request_fnc` answers.",
        reported={"agent": ""},
        mistake=(
            "A worker whose process stands still receives it late; the server waits 3 s, and then asks nobody else."
        ),
        said=(
            agents("worker.py"),
            Page.LIFECYCLE,
        ),
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
        mistake=(
            "It is an answer and no more: slow work belongs in the entrypoint. After 3 s the server has dropped the"
            " job."
        ),
        said=(
            agents("worker.py"),
            Page.OPTIONS,
        ),
    ),
    "job.rejected": KindInfo(
        phrase="job rejected",
        verb="was rejected",
        meaning="The worker refused the job.",
        cause="`request_fnc` rejected it, raised or gave no answer; `load_fnc` raised; or it is full or draining.",
        following="The server offers the job to another worker, unless the rejection was for good.",
        reported={"agent": ""},
        mistake=(
            "`reject()` is for good, and the API then lists the job as JS_SUCCESS; after `reject(terminate=False)`"
            " another worker is asked."
        ),
        said=(
            agents("worker.py"),
            server("pkg/agent/worker.go"),
            Page.OPTIONS,
        ),
    ),
    "job.timed_out": KindInfo(
        phrase="job timed out",
        verb="timed out",
        meaning="The worker accepted the job, and the server never assigned it.",
        cause="An answer later than the 3 s that the server waits.",
        following="Nothing: the server does not offer the job again.",
        reported={"agent": ""},
        mistake="The server reports nothing of it: the dispatch has `jobs: []`, and only the worker's log has a line.",
        said=(
            agents("worker.py"),
            server("pkg/agent/worker.go"),
        ),
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
        mistake="`ListDispatch` lists the job up to 5 s after this.",
        said=(
            server("pkg/agent/worker.go"),
            agents("worker.py"),
        ),
    ),
    "process.started": KindInfo(
        phrase="process started",
        verb="began to set up its process",
        meaning="A process that the job had to wait for begins its `setup_fnc`.",
        cause="The worker, when no idle process is ready.",
        following="The `setup_fnc` returns.",
        reported={"agent": ""},
        mistake="In dev mode no process is kept ready (`num_idle_processes` is 0): every job waits for one.",
        said=(
            agents("ipc/proc_pool.py"),
            agents("ipc/supervised_proc.py"),
        ),
    ),
    "process.ready": KindInfo(
        phrase="process ready",
        verb="had its process set up",
        meaning="The `setup_fnc` of a process that the job waits for returned.",
        cause="The `setup_fnc` is done: models are loaded.",
        following="The process gets the job.",
        reported={"agent": ""},
        mistake="What the entrypoint loads in place of `setup_fnc` is loaded again in every call.",
        said=(
            agents("ipc/supervised_proc.py"),
            Page.OPTIONS,
        ),
    ),
    "job.process_assigned": KindInfo(
        phrase="process assigned",
        verb="was given a process",
        meaning="A process has the job: at once when one was ready.",
        cause="The worker.",
        following="The entrypoint starts.",
        reported={"agent": ""},
        mistake=(
            "When more calls come at once than processes are ready (`num_idle_processes`), the others wait for a new"
            " process."
        ),
        said=(agents("ipc/proc_pool.py"),),
    ),
    "job.entrypoint_started": KindInfo(
        phrase="entrypoint started",
        verb="started its entrypoint",
        meaning="The agent's own function runs.",
        cause="The job's process.",
        following="It connects to the room.",
        reported={"agent": ""},
        mistake="The agent is not in the room yet: first it has to connect.",
        said=(
            agents("ipc/job_proc_lazy_main.py"),
            Page.JOB,
        ),
    ),
    "job.entrypoint_returned": KindInfo(
        phrase="entrypoint returned",
        verb="returned from its entrypoint",
        meaning="The agent's own function returned; the job goes on until it is shut down.",
        cause="The agent's own code.",
        following="The call goes on; the job shuts down when the room closes or the agent asks for it.",
        reported={"agent": ""},
        mistake="It is not the end of the job, and the agent stays in the room.",
        said=(
            agents("ipc/job_proc_lazy_main.py"),
            Page.JOB,
        ),
    ),
    "job.shutdown": KindInfo(
        phrase="job shutting down",
        verb="began to shut down",
        meaning="The job began to shut down.",
        cause="The room closed, `ctx.shutdown()`, or the worker drains.",
        following="Shutdown callbacks run, and the agent disconnects.",
        reported={"agent": ""},
        mistake=(
            "A shutdown that takes longer than `shutdown_process_timeout` (10 s) is cut off: the process is killed."
        ),
        said=(
            agents("ipc/job_proc_lazy_main.py"),
            Page.JOB,
        ),
    ),
    "process.failed": KindInfo(
        phrase="process failed",
        verb="had its process fail",
        meaning="A process did not come up, or ended unexpectedly while it had a job.",
        cause="`setup_fnc` raised or took too long, a crash, a kill, or too little memory.",
        following="Nothing: the job has no agent, and the server does not offer it again.",
        reported={"agent": ""},
        mistake="Where the process never came up, the server goes on listing the job as JS_RUNNING.",
        said=(
            agents("ipc/supervised_proc.py"),
            agents("ipc/proc_pool.py"),
        ),
    ),
    "job.spans_reported": KindInfo(
        phrase="spans reported",
        verb="had spans reported",
        meaning=(
            "Spans of the job came: which, which parents they must have, and what numbers the process gave them."
            " It is no row of a timeline."
        ),
        cause="A request of the agent's, which brought them.",
        following=(
            "Their ends, and spans beneath them: where a parent, an end or a number is missing, spans were lost."
        ),
        reported={"agent": "from when the first of a request's spans began until the last did; of their numbers, sent"},
        said=(agents("telemetry/traces.py"),),
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
        mistake="JS_SUCCESS does not mean that anybody was served: a rejected job ends so too.",
        said=(
            server("pkg/agent/worker.go"),
            Page.JOB,
        ),
    ),
}
"""By slug."""
