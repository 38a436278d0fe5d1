from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.agent_dispatch import AgentDispatch, AgentDispatchState

from tests.signed import EVENTS, ada, body, event, room
from tests.witness.test_protocol import nested, varint
from tracer.witness import jobs, webhook
from tracer.witness.unknown import MOST_NAMES


def found(what: dict[str, Any]) -> tuple[str, ...]:
    raw = body(what)
    return webhook.unknown(raw, webhook.parse(raw))


@pytest.mark.parametrize("what", EVENTS, ids=lambda what: what["event"])
def test_what_a_server_sends_today_is_known(what: dict[str, Any]) -> None:
    assert found(what) == ()


@pytest.mark.parametrize("name", ["egress_started", "ingress_ended", "agent_job_pending", "agent_job_ended"])
def test_an_event_of_which_no_moment_is_made_is_known_all_the_same(name: str) -> None:
    assert found(event(name)) == ()


def test_an_event_of_tomorrow_a_field_and_a_value_are_named_once_each() -> None:
    job = {"state": {"status": "JS_PAUSED", "pausedAt": "5"}, "dispatchId": "AD_1"}
    named = found(event("agent_job_paused", room=room(colour=1), job=job, participants=[ada(mood={"deep": 1})]))
    assert named == (
        "webhook agent_job_paused",
        "JobState.pausedAt",
        "JobStatus.JS_PAUSED",
        "Room.colour",
        "WebhookEvent.participants",
    )


def test_the_users_own_words_are_no_names() -> None:
    attributes = {"my own attribute": "x", "secret": "y"}
    assert found(event("participant_joined", participant=ada(attributes=attributes))) == ()
    hostile = found(event("room_started", **{"a b": 1, "\x1b[31m": 2, "": 3, "x" * 65: 4, "ключ": 5}))
    assert hostile == ()


def test_the_values_of_what_is_unknown_are_not_kept() -> None:
    assert "hunter2" not in str(found(event("room_started", room=room(newPassword="hunter2"))))


def test_there_are_only_so_many_names_of_one_message() -> None:
    named = found(event("x" * 1000, **{f"field{number}": number for number in range(1000)}))
    assert len(named) == MOST_NAMES + 1
    assert max(map(len, named)) < 100


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["room", "job", "state", "x", "status"]), inner, max_size=4)
    ),
)


@given(st.dictionaries(st.sampled_from(["future", "later", "soon"]), json_values, max_size=3))
def test_whatever_a_field_of_tomorrow_holds_its_name_is_told(more: dict[str, Any]) -> None:
    assert found(event("room_started", **more)) == tuple(sorted(f"WebhookEvent.{name}" for name in more))


def test_of_an_answer_of_the_api_there_are_numbers_for_names() -> None:
    dispatch = AgentDispatch(id="AD_1", attributes={"mine": "x"}, state=AgentDispatchState(created_at=5))
    assert jobs.unknown([dispatch]) == ()
    dispatch.state.MergeFromString(nested(1, nested(8, varint(1, 9) + varint(10, 7))))
    dispatch.state.MergeFromString(varint(15, 3) + varint(4, 2))
    assert jobs.unknown([dispatch, dispatch]) == ("AgentDispatchState.15", "JobStatus.9")
