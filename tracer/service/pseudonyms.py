"""Pseudonyms for what people, machines and code are called: the same text has the same one, wherever it is.

Only what LiveKit and livekit-agents name themselves stays: ids, times, numbers, and words of theirs. All else goes,
also under keys that are not marked as personal: a bundle is read by strangers.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import facts
from tracer.timeline.entities import Shutdown
from tracer.witness.fields import CALL_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Fact, Moment

__all__ = ["KEPT", "Pseudonyms"]

_WORDS = {
    keys.ROOM_NAME: "room",
    keys.PARTICIPANT_IDENTITY: "identity",
    keys.LINKED_IDENTITY: "identity",
    keys.PARTICIPANT_ATTRIBUTE + "lk.publish_on_behalf": "identity",
    keys.PARTICIPANT_NAME: "name",
    keys.PARTICIPANT_METADATA: "metadata",
    keys.DISPATCH_METADATA: "metadata",
    keys.TRACK_NAME: "track",
    keys.AGENT_NAME: "agent-name",
    keys.INSTRUCTIONS: "instructions",
    keys.ERROR_MESSAGE: "message",
    keys.SHUTDOWN_REASON: "reason",
    keys.TOOL_NAME: "tool",
    keys.TASK: "task",
    keys.AGENT_LABEL: "agent-label",
    keys.PREVIOUS_AGENT_LABEL: "agent-label",
    keys.WORKER_HOST: "host",
    keys.WORKER_SERVER: "server",
    keys.DEPLOYMENT: "deployment",
}
"""What stands for a text, by its key, with a number behind it; for one under any other key it is ``text``."""

_THEIRS = frozenset({
    keys.ROOM_SID, keys.CONVERSATION_ID, keys.DISPATCH_ID, keys.JOB_ID, keys.WORKER_ID, keys.WORKER_PREVIOUS_ID,
    keys.PARTICIPANT_ID, keys.LINKED_ID, keys.JOB_PARTICIPANT_ID, keys.AGENT_TRACE, keys.SEEN_AFTER, keys.SEEN_BY,
    keys.SETUP_BEGAN, keys.SETUP_ENDED, keys.PARTICIPANT_KIND, keys.TRACK_SOURCE, keys.TRACK_ENCRYPTION,
    keys.CAN_PUBLISH_SOURCES, keys.DISCONNECT_REASON, keys.DISPATCH_TRIGGER, keys.ROOM_END_REASON, keys.JOB_STATUS,
    keys.JOB_REASON, keys.JOB_ANSWER, keys.JOB_TYPE, keys.AUTO_SUBSCRIBE, keys.CLOSE_REASON, keys.ERROR_TYPE,
    keys.CALL_STATUS, keys.SPAN_NAME, keys.SDK_LANGUAGE, keys.LISTENS_BY, keys.SPEAKS_BY, keys.TASK,
    keys.INTERRUPTED_BY,
})  # fmt: skip
"""Keys whose values are ids, times as text, and words of LiveKit's, of livekit-agents' or of a program's classes."""
_SHAPE = re.compile(r"[A-Za-z0-9_,]{0,64}")
"""What such a value looks like: no address, no host, no sentence."""
_SUBJECT = re.compile(r"[A-Z]{2}_[A-Za-z0-9_]{1,40}|trace:[0-9a-f]{32}")
"""LiveKit's ids, and what stands for the job and the room of a trace."""
_OCCURRENCE = re.compile(r"(?:back as |run )?[A-Za-z0-9_@]{0,64}")
_SPANS = (keys.SPANS_ABOVE, keys.SPANS_BEGUN, keys.SPANS_DUE, keys.SPANS_ENDED, keys.SPANS_ROOT)
KEPT = {
    **dict.fromkeys(_SPANS, re.compile(r"[0-9a-f ]*")),
    keys.ERROR_MESSAGE: re.compile(r"\d{3}|AgentSession isn't running|wait_pc_connection timed out"),
    keys.SHUTDOWN_REASON: re.compile("|".join(Shutdown)),
    keys.AGENT_LABEL: re.compile("default_agent"),
    keys.PREVIOUS_AGENT_LABEL: re.compile("default_agent"),
    keys.PARTICIPANT_ATTRIBUTE + "lk.agent.state": re.compile("initializing|idle|listening|thinking|speaking"),
    keys.PARTICIPANT_ATTRIBUTE + "sip.callStatus": re.compile("|".join(CALL_STATUSES)),
}
"""Texts that stay, by their key: a model server's HTTP status, what livekit-agents and LiveKit SIP say themselves."""
_ATTRIBUTES = frozenset({
    "lk.agent.state", "lk.agent.name", "lk.agent_name", "lk.publish_on_behalf", "sip.callID", "sip.callStatus",
    "sip.phoneNumber", "sip.trunkPhoneNumber", "sip.trunkID", "sip.ruleID", "sip.hostname",
})  # fmt: skip
"""Names of attributes that LiveKit and livekit-agents set: they stay, their values do not."""
_MADE = "agent-"
"""What livekit-agents puts before a job's id to make an identity of it: such a one names nobody."""


class Pseudonyms:
    """Of one room, and what belongs to it: numbered in the order of its moments, so the same each time it is asked."""

    def __init__(self, moments: Iterable[Moment]) -> None:
        listed = sorted(moments, key=lambda one: (one.time, repr(one)))
        self._ids = {one.subject for one in listed if _SUBJECT.fullmatch(one.subject)}
        self.by_text: dict[str, str] = {}
        """What stands for each text."""
        self._numbers: Counter[str] = Counter()
        # A text that is under several keys is called by the first of them that says most.
        for kind in dict.fromkeys(_WORDS):
            for one in listed:
                for key, value in one.facts:
                    if key == kind and isinstance(value, str):
                        self.value(key, value)

    def moment(self, one: Moment) -> Moment:
        """The moment with pseudonyms."""
        known = {self.key(key): self.value(key, value) for key, value in one.facts}
        return replace(
            one,
            room=self.id(one.room),
            subject=self.id(one.subject),
            occurrence=self.occurrence(one.occurrence),
            facts=facts(known),
        )

    def id(self, value: str) -> str:
        """One of LiveKit's as it is."""
        return value if not value or _SUBJECT.fullmatch(value) else self.text("id", value)

    def occurrence(self, value: str) -> str:
        """What distinguishes moments."""
        return value if _OCCURRENCE.fullmatch(value) else self.text("text", value)

    def key(self, key: str) -> str:
        """A fact's key: the name of an attribute is its user's."""
        if not key.startswith(keys.PARTICIPANT_ATTRIBUTE):
            return key if key in _WORDS or key in _KNOWN else self.text("key", key)
        name = key.removeprefix(keys.PARTICIPANT_ATTRIBUTE)
        return key if name in _ATTRIBUTES else keys.PARTICIPANT_ATTRIBUTE + self.text("attribute", name)

    def value(self, key: str, value: Fact) -> Fact:
        """The value of a fact; of a key that is none, the text that stands for it."""
        if not isinstance(value, str) or not value:
            return value
        kept = KEPT.get(key) or (_SHAPE if key in _THEIRS else None)
        if kept and kept.fullmatch(value):
            return value
        if _WORDS.get(key) == "identity" and value.removeprefix(_MADE) in self._ids:
            return value
        return self.text(_WORDS.get(key, "text"), value)

    def text(self, word: str, text: str) -> str:
        """What stands for a text: this word, with a number behind it, unless it has another already."""
        if text not in self.by_text:
            self._numbers[word] += 1
            self.by_text[text] = f"{word}-{self._numbers[word]}"
        return self.by_text[text]


_KNOWN = frozenset(value for name, value in vars(keys).items() if name.isupper() and isinstance(value, str))
"""Every key of tracer's own."""
