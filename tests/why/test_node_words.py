from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.moments import ROOM, ms
from tests.why.cases import healthy, of_job
from tracer import keys
from tracer.moment import Kind, Moment, facts
from tracer.timeline.fold import fold
from tracer.why import CAUSES, explain
from tracer.why.node_words import in_node

PYTHON = re.compile(r"\b(asyncio|tracer\.instrument|\w+_fnc|close_on_disconnect|num_idle_processes|load_threshold)\b")


def with_blocked_loop(language: str | None) -> list[Moment]:
    blocked = of_job(Kind.AGENT_BLOCKED, 1000, {keys.BLOCKED_FOR: 3.2}, "blocked")
    made = [*healthy(), blocked]
    return [
        replace(m, facts=facts({**dict(m.facts), keys.SDK_LANGUAGE: language}))
        if language and m.kind is Kind.JOB_ENTRYPOINT_STARTED
        else m
        for m in made
    ]


@pytest.mark.parametrize(("language", "words"), [(None, "asyncio.to_thread"), ("nodejs", "node:worker_threads")])
def test_advice_is_in_the_words_of_the_agents_language(language: str | None, words: str) -> None:
    explanation = explain(fold(ROOM, with_blocked_loop(language), now=ms(60_000)))
    [blocked] = [one for one in explanation.findings if one.cause.name == "event-loop-blocked"]
    assert words in blocked.advice


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_no_advice_has_a_word_of_python_left(cause: object) -> None:
    said = [text for text in vars(type(cause)).values() if isinstance(text, str)]
    assert not [text for text in map(in_node, said) if PYTHON.search(text) and "_" not in text[:1]]
