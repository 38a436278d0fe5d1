from __future__ import annotations

import asyncio
import logging
import signal
import time
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from livekit.agents import AssignmentTimeoutError
from livekit.agents.utils.aio import ChanClosed
from livekit.protocol import agent, models

from tests.instrumentation.worker import AVAILABLE, FULL, OFFERED, Heard, Pool, Server, accepts
from tests.moments import DISPATCH, JOB, ROOM, WORKER
from tracer import keys
from tracer.instrumentation import worker_process
from tracer.instrumentation.moment_spans import LONGEST_MESSAGE
from tracer.moment import Kind


def about(worker: bool = True, **told: Any) -> dict[str, Any]:
    """Attributes that every span has, and these."""
    known = {keys.AGENT_NAME: "helper"} | ({keys.WORKER_ID: WORKER} if worker else {})
    return known | told


def test_a_request_is_told_as_received_and_as_the_server_dated_it(heard: Heard) -> None:
    before = time.time_ns()
    heard.asked()
    after = time.time_ns()
    received, offered = heard.spans
    assert (received.name, offered.name) == (Kind.JOB_RECEIVED, Kind.JOB_OFFERED)
    told = dict(received.attributes or {})
    assert told == about() | {
        keys.SUBJECT: JOB,
        keys.ROOM_SID: ROOM,
        keys.OCCURRENCE: WORKER,
        keys.EARLIEST: str(received.start_time),
        keys.LATEST: told[keys.LATEST],
        keys.WORKER_HOST: told[keys.WORKER_HOST],
        keys.JOB_ID: JOB,
        keys.DISPATCH_ID: DISPATCH,
        keys.JOB_TYPE: "JT_ROOM",
        keys.ROOM_NAME: "demo",
    }
    assert received.start_time
    assert before <= received.start_time <= int(str(told[keys.LATEST])) <= after
    assert offered.start_time == OFFERED
    assert (offered.attributes or {})[keys.CLOCK] == "server"
    assert keys.OCCURRENCE not in (offered.attributes or {})


def test_an_offer_without_a_date_is_not_told(heard: Heard) -> None:
    heard.asked(started_at=0)
    assert heard.kinds == [Kind.JOB_RECEIVED]


def test_messages_go_their_way_unchanged(heard: Heard) -> None:
    heard.asked()
    heard.answers(available=True)
    heard.stands(FULL)
    assert len(heard.server.got) == 1
    assert [message.WhichOneof("message") for message in heard.server.sent] == ["availability", "update_worker"]


def test_an_acceptance_is_told_from_when_it_was_decided(heard: Heard) -> None:
    heard.asked()
    asyncio.run(heard.request(accept=lambda: heard.answers(available=True)))
    accepted = heard.spans[-1]
    told = dict(accepted.attributes or {})
    assert accepted.name == Kind.JOB_ACCEPTED
    assert (told[keys.SUBJECT], told[keys.ROOM_SID], told[keys.OCCURRENCE]) == (JOB, ROOM, WORKER)
    assert told[keys.PARTICIPANT_IDENTITY] == "agent-" + JOB
    assert accepted.start_time
    assert int(str(told[keys.EARLIEST])) == accepted.start_time <= int(str(told[keys.LATEST]))


async def _rejects(_: Any) -> None:
    return None


async def _raises(_: Any) -> None:
    raise KeyError("tenant" * 200)


@pytest.mark.parametrize(
    ("request_fnc", "answer", "error"),
    [(None, "full", None), (_rejects, "unanswered", None), (_raises, "raised", "KeyError")],
)
def test_a_refusal_is_told_with_its_reason(server: Server, request_fnc: Any, answer: str, error: str | None) -> None:
    server._request_fnc = request_fnc
    heard = Heard(server)
    asyncio.run(heard.listen())
    heard.asked()
    if request_fnc:
        try:
            asyncio.run(heard.request())
        except KeyError:
            assert error == "KeyError"
    heard.answers(available=False)
    assert heard.kinds[-1] == Kind.JOB_REJECTED
    told = heard.last
    assert (told[keys.JOB_ANSWER], told[keys.JOB_TERMINATED]) == (answer, True)
    assert told.get(keys.ERROR_TYPE) == error
    assert len(str(told.get(keys.ERROR_MESSAGE, ""))) <= LONGEST_MESSAGE
    assert told.get(keys.WORKER_LOAD) == (0.25 if answer == "full" else None)


@pytest.mark.parametrize("draining", [False, True])
def test_a_request_fnc_that_is_cancelled_is_told_at_once_for_nothing_else_will_be(
    server: Server, draining: bool
) -> None:
    async def cancelled(_: Any) -> None:
        raise asyncio.CancelledError

    server._request_fnc = cancelled
    heard = Heard(server)
    asyncio.run(heard.listen())
    heard.asked()
    server.draining = draining  # then it is the worker that cancels
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(heard.request())
    assert (heard.kinds[-1] == Kind.JOB_REJECTED) is not draining
    if not draining:
        assert (heard.last[keys.JOB_ANSWER], heard.last[keys.ERROR_TYPE]) == ("raised", "CancelledError")


@pytest.mark.parametrize(
    ("error", "asked", "rejected"),
    [
        (RuntimeError("no such metric"), False, True),
        (RuntimeError("of request_fnc"), True, False),
        (ChanClosed(), False, False),  # the worker is closing
        (None, False, False),
    ],
)
def test_a_load_fnc_that_raises_is_told_at_once_for_no_answer_will_be(
    heard: Heard, error: Exception | None, *, asked: bool, rejected: bool
) -> None:
    heard.asked()
    if asked:
        asyncio.run(heard.request())
    heard.server.load_raises = error
    request = agent.AvailabilityRequest(job=agent.Job(id=JOB))
    with pytest.raises(type(error)) if error else nullcontext():
        asyncio.run(heard.server._answer_availability(request, received_at=1.0))
    assert heard.server.answering == [(JOB, 1.0)]
    assert (heard.kinds[-1] == Kind.JOB_REJECTED) is rejected
    if rejected:
        told = heard.last
        assert (told[keys.JOB_ANSWER], told[keys.ERROR_TYPE]) == ("load_raised", "RuntimeError")
        assert (told[keys.OCCURRENCE], told[keys.ROOM_SID]) == (WORKER, ROOM)


def test_what_load_fnc_took_is_told_with_the_answer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    heard, now = Heard(server), [1_000_000_000]
    monkeypatch.setattr("tracer.instrumentation.worker_process.time.time_ns", lambda: now[0])
    asyncio.run(heard.listen())
    took = []
    for full in (False, True):
        heard.asked()
        now[0] += 2_500_000_000
        if full:
            heard.answers(available=False)
        else:
            asyncio.run(heard.request(accept=lambda: heard.answers(available=True)))
        took.append(heard.last[keys.LOAD_TOOK])
    assert took == [2.5, 2.5]


def test_a_refusal_by_request_fnc_itself(server: Server) -> None:
    told: list[Heard] = []

    async def rejects(_: Any) -> None:
        told[0].answers(available=False, terminate=False)

    server._request_fnc = rejects
    told.append(Heard(server))
    asyncio.run(told[0].listen())
    told[0].asked()
    asyncio.run(told[0].request())
    assert (told[0].last[keys.JOB_ANSWER], told[0].last[keys.JOB_TERMINATED]) == ("rejected", False)


def test_a_refusal_while_draining(heard: Heard) -> None:
    heard.server.draining = True
    heard.asked()
    heard.answers(available=False)
    assert heard.last[keys.JOB_ANSWER] == "draining"


@pytest.mark.parametrize(
    ("error", "kind", "occurrence"),
    [
        (AssignmentTimeoutError(), Kind.JOB_TIMED_OUT, WORKER),
        (RuntimeError("no process became available"), Kind.PROCESS_FAILED, None),
    ],
)
def test_a_job_that_did_not_start_is_told_and_the_error_goes_on(
    heard: Heard, error: Exception, kind: Kind, occurrence: str | None
) -> None:
    def fails() -> None:
        raise error

    heard.asked()
    with pytest.raises(type(error)):
        asyncio.run(heard.request(accept=fails))
    assert heard.kinds[-1] == kind
    assert heard.last.get(keys.OCCURRENCE) == occurrence
    assert heard.last[keys.ERROR_TYPE] == type(error).__name__
    assert (heard.last[keys.SUBJECT], heard.last[keys.ROOM_SID]) == (JOB, ROOM)


def test_how_a_worker_stands_is_told_when_it_changes(heard: Heard) -> None:
    for status in (AVAILABLE, AVAILABLE, FULL, FULL, AVAILABLE):
        heard.stands(status)
    assert heard.kinds == [Kind.WORKER_LOAD, Kind.WORKER_FULL, Kind.WORKER_AVAILABLE]
    assert (heard.last[keys.SUBJECT], heard.last[keys.WORKER_LOAD], heard.last[keys.WORKER_JOBS]) == (WORKER, 0.25, 3)
    assert keys.ROOM_SID not in heard.last
    occurrences = [(span.attributes or {})[keys.OCCURRENCE] for span in heard.spans[1:]]
    assert len(set(occurrences)) == 2


def test_draining_is_told_once_and_is_not_full(heard: Heard) -> None:
    heard.server.draining = True
    heard.stands(FULL)
    heard.stands(FULL)
    heard.process.closed()
    assert heard.kinds == [Kind.WORKER_DRAINING, Kind.WORKER_CLOSED]


def test_a_worker_without_an_id_tells_nothing_of_itself(heard: Heard) -> None:
    heard.server.id = "unregistered"
    heard.stands(FULL)
    heard.process.closed()
    assert heard.kinds == []


def closed(job: str = "", exitcode: int | None = -9, killed: bool = False, error: Exception | None = None) -> Any:
    """A process of the pool that has ended."""
    loop = asyncio.new_event_loop()
    began = loop.create_future()
    loop.close()
    if error:
        began.set_exception(error)
    else:
        began.set_result(None)
    running = SimpleNamespace(job=agent.Job(id=job, room=models.Room(sid=ROOM))) if job else None
    return SimpleNamespace(exitcode=exitcode, pid=4711, killed=killed, running_job=running, _initialize_fut=began)


@pytest.fixture
def pool(server: Server) -> Pool:
    server._proc_pool = Pool()
    return server._proc_pool  # type: ignore[no-any-return]  # which is one


@pytest.mark.parametrize(
    ("code", "flag", "killed"),
    # livekit-agents has stacks dumped before it kills, by a signal that alone is deadly.
    [(-9, False, False), (-15, True, True), (1, False, False), (-signal.SIGUSR1, False, True)],
)
def test_a_process_that_ended_with_its_job_is_told(
    server: Server, pool: Pool, code: int, flag: bool, killed: bool
) -> None:
    heard = Heard(server)
    asyncio.run(heard.listen())
    pool.closed(closed(JOB, code, flag))
    assert heard.kinds == [Kind.PROCESS_FAILED]
    told = heard.last
    assert (told[keys.SUBJECT], told[keys.ROOM_SID], told[keys.EXIT_CODE], told[keys.KILLED]) == (
        JOB,
        ROOM,
        code,
        killed,
    )


def test_a_process_that_ended_well_or_was_not_needed_is_not_told(server: Server, pool: Pool) -> None:
    heard = Heard(server)
    asyncio.run(heard.listen())
    pool.closed(closed(JOB, 0))
    pool.closed(closed(exitcode=-9))
    assert heard.kinds == []


def test_processes_that_do_not_come_up_are_told_now_and_then(server: Server, pool: Pool) -> None:
    heard = Heard(server)
    asyncio.run(heard.listen())
    for _ in range(3):
        pool.closed(closed(exitcode=1, error=ImportError("no module named 'torch'")))
    assert heard.kinds == [Kind.PROCESS_FAILED]
    assert (heard.last[keys.SUBJECT], heard.last[keys.ERROR_TYPE]) == (WORKER, "ImportError")


def test_one_that_did_not_come_up_before_the_worker_had_an_id_is_told_when_it_has(server: Server, pool: Pool) -> None:
    server.id = "unregistered"
    heard = Heard(server)
    asyncio.run(heard.listen())
    pool.closed(closed(exitcode=1, error=ImportError("no module named 'torch'")))
    assert heard.kinds == []
    server.id = WORKER
    server.events["worker_registered"](WORKER, None)
    assert heard.kinds == [Kind.WORKER_REGISTERED, Kind.PROCESS_FAILED]


def test_a_livekit_agents_without_these_methods_costs_what_they_would_have_told(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tracer")
    bare = SimpleNamespace(id=WORKER, draining=False, _request_fnc=accepts, on=server.on)
    heard = Heard(bare)  # type: ignore[arg-type]
    asyncio.run(heard.listen())
    bare_events = server.events["worker_registered"]
    bare_events(WORKER, None)
    assert heard.kinds == [Kind.WORKER_REGISTERED]
    assert "has no AgentServer._handle_availability" in caplog.text


def test_what_is_not_understood_never_reaches_the_worker(heard: Heard, caplog: pytest.LogCaptureFixture) -> None:
    answer: Any = heard.server._handle_availability("no request")  # type: ignore[arg-type]
    assert answer == "as it was"
    assert heard.kinds == []
    assert "tracer: WorkerProcess._offered failed" in caplog.text


@pytest.fixture
def few_offers(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(worker_process, "MOST_OFFERS", 3)
    return 3


def test_of_very_many_requests_the_oldest_are_forgotten(heard: Heard, few_offers: int) -> None:
    for number in range(few_offers + 1):
        heard.asked(f"AJ_{number}", started_at=0)
    heard.answers(available=False, job="AJ_0")
    assert keys.ROOM_SID not in heard.last
    heard.answers(available=False, job="AJ_1")
    assert heard.last[keys.ROOM_SID] == ROOM


def test_a_worker_that_reconnects_has_another_id_and_its_status_is_reported_anew(heard: Heard) -> None:
    for worker in (WORKER, "AW_again"):
        heard.server.id = worker
        heard.server.events["worker_registered"](worker, None)
        heard.stands(FULL)
    reported = [(span.name, (span.attributes or {})[keys.SUBJECT]) for span in heard.spans]
    assert reported == [
        (kind, worker)
        for worker in (WORKER, "AW_again")
        for kind in (Kind.WORKER_REGISTERED, Kind.WORKER_LOAD, Kind.WORKER_FULL)
    ]


def test_a_worker_that_is_full_says_with_how_many_jobs(heard: Heard) -> None:
    heard.server._reserved_slots, heard.server.load, heard.server.active_jobs = 2, 0.7, []
    heard.stands(FULL, load=0.0, jobs=0)
    of_status = heard.last
    heard.asked()
    heard.answers(available=False)
    for told in (of_status, heard.last):
        assert (told[keys.WORKER_LOAD], told[keys.WORKER_JOBS], told[keys.WORKER_RESERVED]) == (0.7, 0, 2)


def test_a_job_that_was_answered_is_forgotten(heard: Heard, few_offers: int) -> None:
    for number in range(few_offers):
        heard.asked(f"AJ_{number}")
        answers = partial(heard.answers, available=True, job=f"AJ_{number}")
        asyncio.run(heard.request(f"AJ_{number}", accept=answers))
    assert not heard.process._offers


def test_an_answer_that_did_not_leave_tells_of_no_failure(heard: Heard) -> None:
    def closing() -> None:
        raise ChanClosed

    heard.asked()
    before = len(heard.spans)
    with pytest.raises(ChanClosed):
        asyncio.run(heard.request(accept=closing))
    assert len(heard.spans) == before


def test_an_exception_whose_text_cannot_be_had_is_told_by_its_class(server: Server) -> None:
    class Odd(Exception):  # noqa: N818  a user's
        def __str__(self) -> str:
            raise RuntimeError

    async def raises(_: Any) -> None:
        raise Odd

    server._request_fnc = raises
    heard = Heard(server)
    asyncio.run(heard.listen())
    heard.asked()
    with pytest.raises(Odd):
        asyncio.run(heard.request())
    heard.answers(available=False)
    assert heard.last[keys.ERROR_TYPE] == "Odd"
    assert keys.ERROR_MESSAGE not in heard.last
