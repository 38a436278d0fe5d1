"""The agent's connection and process: lost, joined twice, a reused identity, a server that went away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.moments import ABOUT_ADA, ABOUT_AGENT, ADA, AGENT, JOB, MICROPHONE, ROOM, SESSION, _cut, _webhook, moment, ms
from tests.why.cases import (
    AFTER,
    NAMED,
    SECOND,
    SECOND_AGENT,
    Case,
    check,
    doubted,
    healthy,
    in_room,
    linked,
    moved,
    names,
    of_job,
    registered,
    second_agent,
    timeline,
    with_facts,
    without,
    worker,
)
from tests.why.cases import (
    again as again_registered,
)
from tracer import keys
from tracer.check import Outcome
from tracer.check import check as check_rules
from tracer.moment import Kind, facts
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Fact, Moment

HOUR = ms(3_600_000)
ENDS = {Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.JOB_ENDED, Kind.SESSION_CLOSED}
FIXED: dict[str, Fact] = {keys.PARTICIPANT_IDENTITY: "my-agent"}


def long_call(until: float = 60_000) -> list[Moment]:
    """The healthy call with a caller who stays until this time, ms."""
    by = until - 4100
    late = [m for m in healthy() if m.kind in ENDS or m.time > ms(4000)]
    return [*(m for m in healthy() if m not in late), *(moved(m, by) for m in late)]


def reconnects(began: float, ended: float | None, kind: Kind = Kind.AGENT_RECONNECTED, *, anew: bool) -> list[Moment]:
    """What a session reports of a lost connection; ``anew`` when it has to join again, without media in between."""
    steps = [of_job(Kind.AGENT_RECONNECTING, began, occurrence=f"{SESSION}@{began}")]
    if anew:
        gone = {**linked(ADA, "ada"), keys.DISCONNECT_REASON: "UNKNOWN_REASON"}
        steps.append(of_job(Kind.SESSION_UNLINKED, began + 80, gone, f"{SESSION}@{began}u"))
    if ended is not None:
        steps.append(of_job(kind, ended, occurrence=f"{SESSION}@{ended}"))
    return steps


def shuts_down(at: float, reason: str, moments: list[Moment], *, ends: bool = True) -> list[Moment]:
    """The same call with a job that shuts down at this time, ms."""
    kept = [m for m in moments if m.kind not in ENDS]
    end = [of_job(Kind.JOB_ENDED, at + 40, {keys.JOB_STATUS: "JS_SUCCESS"})] if ends else []
    shutdown = of_job(Kind.JOB_SHUTDOWN, at, {keys.SHUTDOWN_REASON: reason})
    return [*kept, shutdown, of_job(Kind.AGENT_DISCONNECTED, at + 20), *end]


def agent_leaves(at: float, reason: str | None, moments: list[Moment]) -> list[Moment]:
    """The same call in which the agent's leave is reported at this time, ms."""
    kept = [m for m in moments if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, AGENT)]
    return [*kept, _webhook(Kind.PARTICIPANT_LEFT, AGENT, at, {**ABOUT_AGENT, keys.DISCONNECT_REASON: reason})]


def redacted(moments: list[Moment]) -> list[Moment]:
    """The same without personal data."""
    return [with_fewer(m) for m in moments]


def with_fewer(recorded: Moment) -> Moment:
    kept = {key: value for key, value in recorded.facts if not keys.is_personal(key)}
    return moment(
        recorded.kind,
        recorded.subject,
        recorded.earliest,
        recorded.latest,
        recorded.time,
        witness=recorded.witness,
        clock=recorded.clock,
        occurrence=recorded.occurrence,
        room=recorded.room,
        told=dict(facts(kept)),
    )


SHUT_DOWN = {keys.DISCONNECT_REASON: "SERVER_SHUTDOWN"}
CUT_OFF = shuts_down(20_003, "room disconnected", agent_leaves(26_000, "CONNECTION_TIMEOUT", long_call()))
GIVES_UP = reconnects(5000, 20_000, Kind.AGENT_CONNECTION_LOST, anew=True)


def dies(*, webhooks: bool = True, caller_until: float = 30_000, away: bool = True) -> list[Moment]:
    """A room that is not there when the server answers again; its caller was there to the end, and its job goes on."""
    kept = [m for m in long_call(caller_until) if m.kind not in (*ENDS, Kind.PARTICIPANT_LEFT, Kind.ROOM_FINISHED)]
    ended = [
        moment(kind, sid, ms(29_000), ms(33_000), ms(31_000), clock="receiver", told=told)
        for kind, sid in ((Kind.PARTICIPANT_LEFT, ADA), (Kind.PARTICIPANT_LEFT, AGENT), (Kind.ROOM_FINISHED, ROOM))
        for told in [{keys.ROOM_SERVER_AWAY: True} if away else {}]
    ]
    return [m for m in (*kept, *ended) if webhooks or m.witness != "webhook"]


RECONNECTED = reconnects(30_500, 34_500, anew=True)
ANEW = [*registered(), worker(Kind.WORKER_DISCONNECTED, 36_000)]


def next_room(*, caller: bool = True) -> list[Moment]:
    """The room that those who reconnect make, the agent first."""
    agent = _cut(Kind.PARTICIPANT_JOINING, "PA_again", 34_020, "webhook", ABOUT_AGENT)
    made = [_cut(Kind.ROOM_CREATED, ROOM, 34_000, "webhook", {}), agent]
    if caller:
        made.append(_cut(Kind.PARTICIPANT_JOINING, "PA_ada_again", 35_000, "webhook", ABOUT_ADA))
    return in_room(AFTER, made)


def taken_over(*, left: bool = False, asked: float = 20_000) -> list[Moment]:
    """Another server takes the room over at 20 s: nobody was reported to leave, and the agent is dispatched anew."""
    told = [m for m in long_call() if left or (m.kind, m.subject, m.witness) != (Kind.PARTICIPANT_LEFT, ADA, "webhook")]
    anew = moment(Kind.DISPATCH_CREATED, "AD_anew", ms(asked), told={keys.AGENT_NAME: ""})
    back = [
        _cut(Kind.PARTICIPANT_JOINING, "PA_ada_again", 20_100, "webhook", ABOUT_ADA),
        _webhook(Kind.PARTICIPANT_ACTIVE, "PA_ada_again", 20_200, ABOUT_ADA),
    ]
    return [*told, anew, *back]


def reused(identity: dict[str, Fact], *, reason: str | None = "DUPLICATE_IDENTITY", gone: float = 5800) -> list[Moment]:
    """Two jobs with one identity: the second joins at 5.7 s, and is ended by the server."""
    first = agent_leaves(gone, reason, shuts_down(gone - 30, "room disconnected", long_call(40_000)))
    second = [moved(m, 5000) for m in second_agent(NAMED, "helper") if m.kind is not Kind.PARTICIPANT_LEFT]
    left = {keys.PARTICIPANT_KIND: "AGENT", keys.DISCONNECT_REASON: "CLIENT_INITIATED"}
    both = [
        *(m for m in first),
        *second,
        moment(Kind.JOB_SHUTDOWN, SECOND, ms(5755), witness="agent", clock="agent", told=BY_WORKER),
        _webhook(Kind.PARTICIPANT_LEFT, SECOND_AGENT, 8000, left),
    ]
    named = {keys.PARTICIPANT_IDENTITY}
    return [
        moment(
            m.kind, m.subject, m.earliest, m.latest, m.time,
            witness=m.witness, clock=m.clock, occurrence=m.occurrence,
            told={k: identity.get(k, v) if k in named and str(v).startswith("agent-") else v for k, v in m.facts},
        )
        for m in both
    ]  # fmt: skip


BY_WORKER: dict[str, Fact] = {keys.SHUTDOWN_REASON: "parent process shutdown"}


def retried(first: float = 260, *, ended: bool = True, reason: str = "DUPLICATE_IDENTITY") -> list[Moment]:
    """An agent whose first join, at this time, ms, gets no answer; the second comes at 5.2 s."""
    late = [m for m in long_call(40_000) if m.kind is Kind.AGENT_CONNECTED or m.subject in (AGENT, "TR_voice")]
    late += [m for m in long_call(40_000) if m.kind.value.startswith(("agent.wait", "agent.part", "session."))]
    late = [m for m in late if m.kind not in ENDS and m.kind is not Kind.PARTICIPANT_LEFT]
    kept = [m for m in long_call(40_000) if m not in late and m.kind not in ENDS and m.subject != AGENT]
    both = [
        *kept,
        *(moved(m, 4950) for m in late),
        _cut(Kind.PARTICIPANT_JOINING, "PA_first", int(first), "webhook", ABOUT_AGENT),
        _webhook(Kind.PARTICIPANT_ABORTED, "PA_first", 5250, {**ABOUT_AGENT, keys.DISCONNECT_REASON: reason}),
    ]
    if not ended:
        return [
            *both,
            *(m for m in long_call(40_000) if m.kind in ENDS or (m.subject == AGENT and m.time > ms(20_000))),
        ]
    return agent_leaves(5600, "CLIENT_INITIATED", shuts_down(5220, "parent process shutdown", both))


def killed_after(seconds: float, told: dict[str, Fact], moments: list[Moment]) -> list[Moment]:
    """The job never ended: so many s after its shutdown its process did."""
    kept = [m for m in moments if m.kind is not Kind.JOB_ENDED]
    shutdown = next(m.time for m in kept if m.kind is Kind.JOB_SHUTDOWN)
    at = (shutdown - ms(0)) / 1_000_000 + seconds * 1000
    return [*kept, of_job(Kind.PROCESS_FAILED, at, told)]


BY_ITS_WORKER: dict[str, Fact] = {keys.EXIT_CODE: -9, keys.KILLED: True}

CONNECTION = (
    Case(
        "cut off for good",
        "agent-lost-connection",
        [*CUT_OFF, *GIVES_UP],
        f"agent-{JOB} lost its connection to the room while ada was in it, and could not reconnect for 15.0 s: its job"
        " shut down (room disconnected); ada was there for at least 55 s more, without an agent.",
        (
            (Kind.AGENT_RECONNECTING, JOB),
            (Kind.AGENT_CONNECTION_LOST, JOB),
            (Kind.JOB_SHUTDOWN, JOB),
            (Kind.PARTICIPANT_LEFT, AGENT),
        ),
        now=HOUR,
    ),
    Case(
        "cut off without a session",
        "agent-lost-connection",
        CUT_OFF,
        "ada was there for at least 40 s more",
        ((Kind.JOB_SHUTDOWN, JOB), (Kind.PARTICIPANT_LEFT, AGENT)),
        now=HOUR,
    ),
    Case(
        "cut off and back",
        "agent-lost-connection",
        [*long_call(), *reconnects(5000, 17_400, anew=True)],
        "was without its connection to the room for at least 12.4 s while ada was in it, and came back",
        ((Kind.AGENT_RECONNECTING, JOB), (Kind.AGENT_RECONNECTED, JOB)),
        now=HOUR,
    ),
    Case(
        "signalling lost for long",
        "agent-lost-connection",
        [*long_call(), *reconnects(5000, 17_400, anew=False)],
        "at least 12.4 s",
        ((Kind.AGENT_RECONNECTING, JOB), (Kind.AGENT_RECONNECTED, JOB)),
        certain=False,
        now=HOUR,
    ),
    Case(
        "it shut down",
        "server-restarted",
        with_facts(
            with_facts(long_call(), Kind.PARTICIPANT_LEFT, ADA, SHUT_DOWN), Kind.PARTICIPANT_LEFT, AGENT, SHUT_DOWN
        ),
        "The LiveKit server shut down while ada was in the room (SERVER_SHUTDOWN).",
        ((Kind.PARTICIPANT_LEFT, ADA), (Kind.PARTICIPANT_LEFT, AGENT)),
        now=HOUR,
    ),
    Case(
        "it died and came back",
        "server-restarted",
        [*dies(), *RECONNECTED],
        f"agent-{JOB} reconnected after 3.5 s, to a new room of the same name ({AFTER}).",
        (
            (Kind.AGENT_RECONNECTING, JOB),
            (Kind.ROOM_FINISHED, ROOM),
            (Kind.PARTICIPANT_LEFT, ADA),
            (Kind.PARTICIPANT_JOINING, "PA_again"),
            (Kind.AGENT_RECONNECTED, JOB),
        ),
        later=next_room(),
        now=HOUR,
    ),
    Case(
        "another server took the room over",
        "server-lost",
        taken_over(),
        "The LiveKit server that had the room went away, and another took it over when ada joined anew.",
        ((Kind.DISPATCH_CREATED, "AD_anew"), (Kind.PARTICIPANT_JOINING, "PA_ada_again")),
        now=HOUR,
        certain=False,
    ),
    Case(
        "two jobs",
        "agent-identity-reused",
        reused(FIXED),
        f"Jobs {JOB} and {SECOND} have one identity, my-agent: the agent of the second disconnected that of the first"
        " when it joined, and the server ended its job too: ada was alone for 32.0 s.",
        (
            (Kind.PARTICIPANT_JOINING, SECOND_AGENT),
            (Kind.JOB_SHUTDOWN, SECOND),
            (Kind.PARTICIPANT_LEFT, AGENT),
            (Kind.PARTICIPANT_LEFT, SECOND_AGENT),
        ),
        now=HOUR,
    ),
    Case(
        "one job",
        "agent-retried",
        retried(),
        f"agent-{JOB} got no answer when it joined, and its SDK joined again 4.9 s later: its first connection"
        " was closed (DUPLICATE_IDENTITY), and the server ended the job (parent process shutdown): ada"
        " was alone for 34.4 s.",
        (
            (Kind.AGENT_CONNECTING, JOB),
            (Kind.PARTICIPANT_JOINING, "PA_first"),
            (Kind.PARTICIPANT_JOINING, AGENT),
            (Kind.JOB_SHUTDOWN, JOB),
            (Kind.PARTICIPANT_ABORTED, "PA_first"),
            (Kind.PARTICIPANT_LEFT, AGENT),
        ),
        now=HOUR,
    ),
    Case(
        "by its worker, after the call",
        "killed-in-shutdown",
        killed_after(10, BY_ITS_WORKER, healthy()),
        f"The process of job {JOB} ended by signal 9 10.0 s after its job began to shut down (its worker killed it)."
        " The call was over by then: ada had left.",
        ((Kind.JOB_SHUTDOWN, JOB), (Kind.AGENT_DISCONNECTED, JOB), (Kind.PROCESS_FAILED, JOB)),
        now=HOUR,
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", CONNECTION, ids=lambda case: f"{case.cause}: {case.label}")
def test_each_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


def named(moments: list[Moment], workers: list[Moment] | None = None, later: list[Moment] | None = None) -> list[str]:
    return names(explain(timeline(moments, workers or (), now=HOUR, later=later)))


def test_the_calls_that_these_are_made_from_are_healthy() -> None:
    assert named(long_call()) == named(healthy()) == []


# Lost connections.


@pytest.mark.parametrize(
    ("lasted", "anew", "cause"),
    [(2.9, True, False), (3.0, True, True), (9.9, False, False), (10.0, False, True)],
)
def test_a_short_interruption_is_no_fault(lasted: float, anew: bool, cause: bool) -> None:
    moments = [*long_call(), *reconnects(5000, 5000 + lasted * 1000, anew=anew)]
    assert named(moments) == (["agent-lost-connection"] if cause else [])


def test_several_interruptions_are_one_finding_about_the_longest() -> None:
    moments = [*long_call(), *reconnects(5000, 9000, anew=True), *reconnects(20_000, 26_500, anew=True)]
    (finding,) = explain(timeline(moments, now=HOUR)).findings
    assert "at least 6.5 s" in finding.sentence


def test_a_connection_that_is_lost_when_the_callers_have_left_is_no_fault() -> None:
    assert named([*long_call(4900), *reconnects(5000, 9000, anew=True)]) == []


def test_a_caller_who_hangs_up_at_once_did_not_notice() -> None:
    moments = shuts_down(5400, "room disconnected", agent_leaves(7000, "CONNECTION_TIMEOUT", long_call(7500)))
    assert named([*moments, *reconnects(5000, 5300, Kind.AGENT_CONNECTION_LOST, anew=True)]) == []


@pytest.mark.parametrize("reason", ["CONNECTION_TIMEOUT", "CLIENT_INITIATED"])
def test_a_worker_may_end_the_job_of_an_agent_that_the_server_gave_up_before_its_sdk_does(reason: str) -> None:
    ended = shuts_down(24_000, "parent process shutdown", agent_leaves(24_100, reason, long_call()))
    found = named([*ended, *reconnects(5000, 24_500, Kind.AGENT_CONNECTION_LOST, anew=True)])
    assert ("agent-lost-connection" in found) is (reason == "CONNECTION_TIMEOUT")


def test_a_lost_connection_needs_no_identities() -> None:
    (finding,) = explain(timeline(redacted([*CUT_OFF, *GIVES_UP]), now=HOUR)).findings
    assert finding.cause.name == "agent-lost-connection"
    assert AGENT in finding.sentence


def test_it_is_known_without_webhooks() -> None:
    assert named(without([*CUT_OFF, *GIVES_UP], "observer"))[:1] == ["agent-lost-connection"]


@pytest.mark.parametrize("reason", ["PARTICIPANT_REMOVED", "ROOM_DELETED"])
def test_an_agent_that_was_removed_did_not_lose_its_connection(reason: str) -> None:
    moments = shuts_down(20_003, "room disconnected", agent_leaves(20_000, reason, long_call()))
    assert "agent-lost-connection" not in named(moments)


def test_an_agent_that_disconnects_itself_and_whose_job_ends_with_it_left_its_caller() -> None:
    moments = shuts_down(10_003, "room disconnected", agent_leaves(10_000, "CLIENT_INITIATED", long_call()))
    (finding, *_) = explain(timeline(moments, now=HOUR)).findings
    assert (finding.cause.name, finding.certain) == ("agent-left-caller", False)
    again = of_job(Kind.JOB_ENTRYPOINT_STARTED, 12_000, occurrence="again")
    for more in (reconnects(8000, None, anew=False), [again]):
        assert "agent-left-caller" not in named([*moments, *more])


def test_of_an_agent_that_reports_nothing_it_is_not_known_what_was_lost() -> None:
    explanation = explain(timeline(agent_leaves(26_000, "CONNECTION_TIMEOUT", without(long_call(), "agent")), now=HOUR))
    assert names(explanation) == []
    assert "CONNECTION_TIMEOUT" in doubted(explanation)["process-killed"]
    # The server loses a dead client about 19 s late: who leaves a moment after that was alone for as long.
    for left, is_doubted in ((59_000, True), (61_000, False)):
        recorded = agent_leaves(left, "CONNECTION_TIMEOUT", without(long_call(), "agent"))
        assert ("process-killed" in doubted(explain(timeline(recorded, now=HOUR)))) is is_doubted


def test_a_process_that_was_killed_did_not_lose_its_connection() -> None:
    kept = [m for m in agent_leaves(26_000, "CONNECTION_TIMEOUT", long_call()) if m.kind not in ENDS]
    killed = of_job(Kind.PROCESS_FAILED, 7000, {keys.EXIT_CODE: -9, keys.KILLED: False})
    assert named([*kept, killed]) == ["process-killed"]


def test_an_agent_that_came_back_to_a_job_that_the_server_ended() -> None:
    back = agent_leaves(7100, "CLIENT_INITIATED", shuts_down(7050, "parent process shutdown", long_call()))
    (finding, *_) = explain(timeline([*back, *reconnects(5000, 7000, anew=True)], now=HOUR)).findings
    assert finding.cause.name == "agent-lost-connection"
    assert "then the server ended its job" in finding.sentence


def test_an_agent_that_joined_anew_did_not_share_its_identity() -> None:
    moments = agent_leaves(7100, "DUPLICATE_IDENTITY", long_call())
    again = [
        _cut(Kind.PARTICIPANT_JOINING, "PA_again", 7000, "webhook", ABOUT_AGENT),
        _webhook(Kind.PARTICIPANT_ACTIVE, "PA_again", 7090, ABOUT_AGENT),
        _webhook(Kind.PARTICIPANT_LEFT, "PA_again", 62_395, {**ABOUT_AGENT, keys.DISCONNECT_REASON: "ROOM_CLOSED"}),
    ]
    assert named([*moments, *again]) == []


# A server that went away.


def test_a_server_that_died_sends_no_webhooks_and_makes_no_ghosts() -> None:
    found = explain(timeline([*dies(), *RECONNECTED], now=HOUR, later=next_room()))
    assert names(found) == ["server-restarted"]


@pytest.mark.parametrize(
    ("more", "workers", "away"),
    [(RECONNECTED, [], True), ([], ANEW, True), (RECONNECTED, ANEW, False)],
    ids=["the agent and the API", "the workers and the API", "the agent and the workers"],
)
def test_two_signs_of_it_are_enough(more: list[Moment], workers: list[Moment], away: bool) -> None:
    (finding,) = explain(timeline([*dies(away=away), *more], workers, now=HOUR)).findings
    assert finding.cause.name == "server-restarted"
    assert finding.certain


@pytest.mark.parametrize(
    ("lost", "webhooks", "cause"),
    [
        (31_000, True, [("server-restarted", False)]),
        (28_500, True, [("server-restarted", False)]),
        (36_000, True, []),  # it was another matter
        (31_000, False, []),  # nor is it known that nobody was reported to leave
    ],
)
def test_a_server_that_is_back_at_once_is_missed_by_its_workers_alone(
    lost: float, webhooks: bool, cause: list[tuple[str, bool]]
) -> None:
    workers = [*registered(), worker(Kind.WORKER_DISCONNECTED, lost)]
    recorded = dies(away=False, webhooks=webhooks)
    findings = explain(timeline(recorded, workers, now=HOUR)).findings
    assert [(f.cause.name, f.certain) for f in findings if f.cause.name == "server-restarted"] == cause
    if cause:
        assert [f.cause.name for f in findings] == ["server-restarted"]  # no webhook was lost


def test_a_worker_that_reconnects_as_a_call_ends_is_no_matter() -> None:
    assert named(long_call(), [*registered(), worker(Kind.WORKER_DISCONNECTED, 60_000)]) == []
    deleted = with_facts(long_call(), Kind.PARTICIPANT_LEFT, ADA, {keys.DISCONNECT_REASON: "CLIENT_INITIATED"})
    assert named(deleted, [*registered(), worker(Kind.WORKER_DISCONNECTED, 59_900)]) == []


def test_without_webhooks_the_tracer_itself_may_have_been_cut_off_with_the_agent() -> None:
    (finding, *_) = explain(timeline([*dies(webhooks=False), *RECONNECTED], now=HOUR)).findings
    assert (finding.cause.name, finding.certain) == ("server-restarted", False)


def test_where_nobody_polls_the_api_the_next_room_shows_the_end_of_this_one() -> None:
    known = timeline([*without(dies(), "observer"), *RECONNECTED], now=HOUR, later=next_room())
    assert names(explain(known)) == ["server-restarted"]


def test_who_was_reported_to_leave_or_asked_for_an_agent_after_joining_was_not_taken_over() -> None:
    assert "server-lost" not in named(taken_over(left=True))
    assert "server-lost" not in named(taken_over(asked=20_300))
    assert "server-lost" not in named(taken_over(asked=15_000))
    assert "server-lost" not in named(without(taken_over(), "webhook"))


def test_a_webhook_that_was_lost_is_no_restart() -> None:
    ended = [m for m in long_call() if m.kind is not Kind.ROOM_FINISHED]
    assert "server-restarted" not in named(without(ended, "observer"), later=next_room())


def test_an_api_that_did_not_answer_is_no_proof() -> None:
    explanation = explain(timeline(shuts_down(30_500, "room disconnected", dies()), now=HOUR))
    assert "server-restarted" not in names(explanation)
    assert "log" in doubted(explanation)["server-restarted"]


def test_a_room_that_ended_as_it_should_while_the_api_was_away_did_not_end_with_the_server() -> None:
    ended = with_facts(long_call(), Kind.ROOM_FINISHED, ROOM, {keys.ROOM_SERVER_AWAY: True})
    assert named([*ended, *reconnects(58_000, 59_000, anew=True)], ANEW) == []


# Identities.


def test_an_agent_after_another_under_one_identity_is_healthy() -> None:
    assert "agent-identity-reused" not in named(reused(FIXED, reason="CLIENT_INITIATED", gone=4500))


def test_without_webhooks_the_first_job_reports_that_it_was_disconnected() -> None:
    assert named(reused(FIXED, reason=None))[:1] == ["agent-identity-reused"]


def test_a_reused_identity_is_not_two_tabs() -> None:
    found = explain(timeline(reused(FIXED), now=HOUR))
    assert "duplicate-identity" not in names(found)
    assert "accept()" in found.findings[0].advice


def test_agents_without_jobs_on_record_are_advised_as_agents() -> None:
    found = explain(timeline(without(reused(FIXED), JOB, SECOND), now=HOUR))
    finding = next(finding for finding in found.findings if finding.cause.name == "duplicate-identity")
    assert not finding.certain
    assert "accept()" in finding.advice


@pytest.mark.parametrize(("first", "cause"), [(260, True), (4000, False)])
def test_a_second_try_that_came_at_once_and_stayed_is_no_fault(first: float, cause: bool) -> None:
    assert ("agent-retried" in named(retried(first, ended=False))) is cause
    assert "duplicate-identity" not in named(retried(first, ended=False))


def test_the_server_may_see_the_first_try_closed_before_the_second() -> None:
    (finding,) = explain(timeline(retried(reason="SIGNAL_CLOSE"), now=HOUR)).findings
    assert finding.cause.name == "agent-retried"


def test_a_second_try_needs_no_identities() -> None:
    assert named(redacted(retried()))[:1] == ["agent-retried"]


def test_a_second_try_needs_no_spans() -> None:
    assert named(without(retried(), "agent"))[:1] == ["agent-retried"]


# Shutdowns.


def test_a_process_that_is_killed_with_its_agent_in_the_room_is_killed_in_the_call() -> None:
    moments = [m for m in shuts_down(10_000, "parent process shutdown", long_call()) if m.kind not in LEAVES]
    moments = agent_leaves(30_000, "CONNECTION_TIMEOUT", moments)
    assert named(killed_after(10, BY_ITS_WORKER, moments)) == ["process-killed"]


LEAVES = {Kind.AGENT_DISCONNECTED}


def test_a_job_that_shut_down_after_the_call_need_not_report_its_end() -> None:
    assert named(without(healthy(), Kind.JOB_ENDED)) == []


def test_a_job_that_shut_down_in_the_call_and_never_ended_may_have_been_killed() -> None:
    assert "process-killed" in named(shuts_down(10_000, "parent process shutdown", long_call(), ends=False))


def test_a_process_that_crashes_by_itself_has_another_advice() -> None:
    (finding,) = explain(timeline(killed_after(1, {keys.EXIT_CODE: -11, keys.KILLED: False}, healthy()))).findings
    assert finding.cause.name == "killed-in-shutdown"
    assert "shutdown_process_timeout" not in finding.advice


def test_that_the_process_was_killed_after_the_call_explains_nothing_of_the_call() -> None:
    silent = without(long_call(), MICROPHONE, Kind.SESSION_WAITING_FOR_AUDIO, Kind.SESSION_AUDIO_RECEIVED)
    summary = explain(timeline(killed_after(10, BY_ITS_WORKER, silent), now=HOUR)).summary
    lacked = (
        "During the call: no agent could hear ada, who published no track, and whether it is text only is not known"
    )
    assert summary.startswith(f"{lacked}; and the job process was killed during its shutdown")


def test_a_caller_who_is_still_there_had_lost_the_agent_before() -> None:
    moments = agent_leaves(10_030, "CLIENT_INITIATED", shuts_down(10_000, "done", long_call()))
    found = explain(timeline(killed_after(10, BY_ITS_WORKER, moments), now=HOUR)).findings
    (killed,) = (finding for finding in found if finding.cause.name == "killed-in-shutdown")
    assert f"agent-{JOB} had left the room by then." in killed.sentence
    assert "process-killed" not in {finding.cause.name for finding in found}


# Two runs of one job.


def runs_twice() -> list[Moment]:
    """A job that its worker ends at 10 s, and runs again from 30 s on, as another participant."""
    again: dict[str, Fact] = {keys.PARTICIPANT_ID: "PA_again", keys.PARTICIPANT_IDENTITY: "agent-" + JOB}
    first = agent_leaves(10_030, "CLIENT_INITIATED", shuts_down(10_000, "parent process shutdown", long_call()))
    return [
        *first,
        of_job(Kind.JOB_PROCESS_ASSIGNED, 30_000),
        of_job(Kind.JOB_ENTRYPOINT_STARTED, 30_010),
        of_job(Kind.AGENT_CONNECTING, 30_012),
        _cut(Kind.PARTICIPANT_JOINING, "PA_again", 30_060, "webhook", ABOUT_AGENT),
        _webhook(Kind.PARTICIPANT_ACTIVE, "PA_again", 30_150, ABOUT_AGENT),
        of_job(Kind.AGENT_CONNECTED, 30_160, again),
        of_job(Kind.SESSION_STARTING, 30_200, occurrence="second"),
        of_job(Kind.SESSION_STARTED, 30_300, occurrence="second"),
        of_job(Kind.SESSION_CLOSED, 60_060, occurrence="second"),
        _webhook(Kind.PARTICIPANT_LEFT, "PA_again", 62_395, {**ABOUT_AGENT, keys.DISCONNECT_REASON: "ROOM_CLOSED"}),
        of_job(Kind.JOB_SHUTDOWN, 62_403, {keys.SHUTDOWN_REASON: "room disconnected"}),
        of_job(Kind.AGENT_DISCONNECTED, 62_410),
        of_job(Kind.JOB_ENDED, 62_420, {keys.JOB_STATUS: "JS_SUCCESS"}),
    ]


def test_a_reload_is_named_though_the_job_ran_again() -> None:
    known = timeline(runs_twice(), [*registered(), worker(Kind.WORKER_CLOSED, 10_200)], now=HOUR)
    first = explain(known).findings[0]
    assert (first.cause.name, first.certain) == ("deployed", True)
    assert "it ran again 20.2 s after that" in first.sentence
    assert "dev" in first.advice
    assert not doubted(explain(known)), "both of its agents report"


def test_two_runs_of_a_job_violate_no_order() -> None:
    assert check_rules(timeline(runs_twice(), now=HOUR)).answer is not Outcome.VIOLATED


# While the call goes on.


def so_far(now: float, *more: Moment) -> tuple[str, bool, str] | None:
    """What is found of a call as of a time, ms, whose agent lost its connection at 20 s, and how certain it is."""
    known = [m for m in [*long_call(), *reconnects(20_000, None, anew=False), *more] if m.time <= ms(now)]
    findings = explain(timeline(known, now=ms(now))).findings
    first = findings[0] if findings else None
    return (first.cause.name, first.certain, first.sentence) if first else None


def test_a_connection_that_is_lost_is_said_at_once_and_for_how_long() -> None:
    assert so_far(22_900) is None, "the SDK may be back at once"
    found = so_far(24_000)
    assert found is not None
    assert found[:2] == ("agent-lost-connection", False)
    assert f"agent-{JOB} lost its connection to the room, and has not been back for 4.0 s so far" in found[2]
    later = so_far(35_000)
    assert later is not None
    assert later[:2] == ("agent-lost-connection", True)


@pytest.mark.parametrize(
    ("lost", "heard", "again", "sure"),
    [
        (20_500, None, False, False),
        (20_500, 30_000, False, True),  # the server reported something since
        (20_500, None, True, True),  # the worker is back, and so is the server
        (45_000, None, False, True),  # another matter
        (None, None, False, True),
    ],
)
def test_where_the_worker_lost_the_server_too_the_server_itself_may_be_gone(
    lost: float | None, heard: float | None, again: bool, sure: bool
) -> None:
    recorded = [m for m in long_call() if m.time < ms(20_000)] + reconnects(20_000, None, anew=False)
    recorded = shuts_down(41_000, "room disconnected", recorded)
    recorded += [_webhook(Kind.TRACK_PUBLISHED, "TR_later", heard, {keys.PARTICIPANT_ID: ADA})] if heard else []
    workers = [*registered(), *(again_registered(25_000) if again else [])]
    workers += [worker(Kind.WORKER_DISCONNECTED, lost)] if lost else []
    for now in (ms(40_000), ms(60_000)):
        known = [m for m in recorded if m.time <= now]
        finding = explain(timeline(known, [w for w in workers if w.time <= now], now=now)).findings[0]
        assert (finding.cause.name, finding.certain) == ("agent-lost-connection", sure)
        assert ("its worker lost the server at that time too" in finding.sentence) is not sure
        assert ("whether the LiveKit server itself went away" in finding.advice) is not sure


def test_a_connection_that_is_back_is_no_longer_lost() -> None:
    assert so_far(26_000, of_job(Kind.AGENT_RECONNECTED, 25_000, occurrence="back")) is None


def test_an_agent_that_shuts_down_is_not_lost() -> None:
    assert so_far(26_000, of_job(Kind.JOB_SHUTDOWN, 21_000)) is None


def test_an_agent_that_was_not_back_when_its_caller_hung_up_had_lost_its_connection() -> None:
    ended = with_facts(long_call(), Kind.JOB_SHUTDOWN, JOB, {keys.SHUTDOWN_REASON: "parent process shutdown"})
    (finding,) = explain(timeline([*ended, *reconnects(40_000, None, anew=False)])).findings
    assert (finding.cause.name, finding.certain) == ("agent-lost-connection", True)
    assert "ada was there for at least 20 s more, without an agent" in finding.sentence
    late = explain(timeline([*ended, *reconnects(54_000, None, anew=False)]))
    assert late.findings == (), "it may have been about to come back"
