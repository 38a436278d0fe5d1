from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.moments import ROOM, ms
from tests.why.cases import healthy, of_job
from tracer import keys
from tracer.latency.owner import Owner
from tracer.latency.owner import advice as advice_on_gap
from tracer.moment import Kind, Moment, facts
from tracer.timeline.fold import fold
from tracer.why import CAUSES, explain
from tracer.why.node_words import finding_in_words_of, in_node, in_words_of

PYTHON = re.compile(
    r"\b(asyncio|tracer\.instrument|\w+_fnc|close_on_disconnect|delete_room\w*|num_idle_processes|load_threshold)\b"
)


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


def test_a_sentence_is_in_them_too_and_so_is_what_shortens_a_gap() -> None:
    in_python, node = (fold(ROOM, with_blocked_loop(language), now=ms(60_000)) for language in (None, "nodejs"))
    [blocked] = [one for one in explain(node).findings if one.cause.name == "event-loop-blocked"]
    said = finding_in_words_of(node, replace(blocked, sentence="The worker's request_fnc took 2 s."))
    assert said.sentence == "The worker's requestFunc took 2 s."
    assert finding_in_words_of(in_python, said) == said
    advice = "keep processes warm: num_idle_processes"
    assert [in_words_of(one, advice) for one in (in_python, node)] == [advice, "keep processes warm: numIdleProcesses"]


@pytest.mark.parametrize("owner", Owner)
def test_no_advice_on_a_gap_has_a_word_of_python_left(owner: Owner) -> None:
    assert not [text for kind in Kind if PYTHON.search(text := in_node(advice_on_gap(owner, kind)))]


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_no_advice_has_a_word_of_python_left(cause: object) -> None:
    said = [text for text in vars(type(cause)).values() if isinstance(text, str)]
    assert not [text for text in map(in_node, said) if PYTHON.search(text) and "_" not in text[:1]]
