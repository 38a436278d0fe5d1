from __future__ import annotations

from tests.moments import ADA, ROOM, SESSION, ms
from tests.why.cases import BOB, healthy, heard, of_job, with_facts
from tests.why.silent.conversation import conversation, event, hears
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold
from tracer.timeline.sessions import Off, Session, sessions_of
from tracer.units import FOREVER, NS_PER_S


def session(moments: list[Moment]) -> Session:
    """The one session of the call's one job."""
    (found,) = sessions_of(fold(ROOM, moments, now=2_000_000_000 * NS_PER_S).jobs[0])
    return found


def whom(moments: list[Moment]) -> list[str | None]:
    return [link.identity for link in session(moments).links]


def test_a_session_is_linked_until_its_participant_leaves_or_another_is_linked() -> None:
    one = session(conversation())
    (link,) = one.links
    assert (link.participant_id, link.identity) == (ADA, "ada")
    assert link.step.kind is Kind.SESSION_LINKED
    assert link.until < one.until
    assert one.complete
    assert not one.unheard
    again = session([*conversation(), event(Kind.SESSION_LINKED, 2000, BOB, "bob"), *hears(2000, "bob", wait="b")])
    assert [(link.identity, link.until) for link in again.links] == [("ada", again.links[1].since), ("bob", link.until)]


def test_an_open_session_listens_to_whom_it_waits_for() -> None:
    open_ = [m for m in conversation() if "@" not in m.occurrence and m.kind is not Kind.SESSION_CLOSED]
    known = {keys.PARTICIPANT_ID: ADA, keys.PARTICIPANT_IDENTITY: "ada"}
    ready = of_job(Kind.AGENT_PARTICIPANT_READY, 369, known, "inner")
    assert whom(open_) == ["ada"]
    assert whom([*open_, *hears(2000, "bob", wait="b")]) == ["ada", "bob"]
    waited = session([*open_, ready])
    assert [(link.participant_id, link.until) for link in waited.links] == [(ADA, FOREVER)]
    assert not waited.complete


def test_events_that_were_dropped_are_made_up_for_by_the_waits() -> None:
    dropped = with_facts(conversation(), Kind.SESSION_STARTING, "AJ_i9CF", {keys.EVENTS_DROPPED: True})
    late = [m for m in dropped if m.kind is not Kind.SESSION_LINKED]
    assert whom([*late, event(Kind.SESSION_LINKED, 3000, BOB, "bob")]) == ["ada", "bob"]
    assert not session(late).complete


def test_a_session_that_reported_no_link_has_none() -> None:
    unlinked = [m for m in healthy() if m not in heard()]
    assert whom(unlinked) == []
    other = {keys.PARTICIPANT_ID: BOB, keys.PARTICIPANT_IDENTITY: "bob"}
    assert whom([*unlinked, of_job(Kind.AGENT_PARTICIPANT_READY, 500, other, "a wait of the agent's own")]) == []


def test_a_session_that_waits_for_one_who_never_comes_is_linked_to_them() -> None:
    wait = hears(2000, "nobody", wait="n")[0]
    ada, nobody = session([*conversation(), wait]).links
    assert (ada.identity, ada.until) == ("ada", nobody.since)
    assert (nobody.identity, nobody.step.kind) == ("nobody", Kind.SESSION_WAITING_FOR_AUDIO)


def test_audio_is_off_until_it_is_turned_on_and_before_a_session_it_is_the_next_ones() -> None:
    off, on = Kind.SESSION_AUDIO_INPUT_OFF, Kind.SESSION_AUDIO_INPUT_ON
    switches = [of_job(kind, at, occurrence=str(at)) for kind, at in ((off, 300), (off, 310), (on, 900), (off, 1200))]
    one = session([*conversation(), *switches])
    assert one.input_off == (Off(ms(300), ms(900)), Off(ms(1200), FOREVER))
    assert one.output_off == ()
    after = [of_job(kind, at, occurrence=f"b{at}") for kind, at in ((off, 5000), (Kind.SESSION_STARTING, 5100))]
    moments = [*conversation(), *switches, *after]
    _, second = sessions_of(fold(ROOM, moments, now=2_000_000_000 * NS_PER_S).jobs[0])
    assert second.input_off == (Off(ms(5000), FOREVER),)


def test_a_wait_without_a_first_frame_is_unheard() -> None:
    silent = [m for m in conversation() if m.kind is not Kind.SESSION_AUDIO_RECEIVED]
    assert [step.kind for step in session(silent).unheard] == [Kind.SESSION_WAITING_FOR_AUDIO]
    assert session(silent).started is not None
    assert session(silent).starting.occurrence == SESSION  # type: ignore[union-attr]
