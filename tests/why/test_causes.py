"""What every cause must be, and how it is written."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from typing import TYPE_CHECKING

import pytest

import tracer.why
from tests.why import cases
from tests.why.silent.calls import CASES as SILENT
from tests.why.silent.cases import WHO_HEARS_WHOM
from tests.why.silent.test_encryption import ENCRYPTION
from tests.why.silent.test_job_ended import JOB_ENDED
from tests.why.silent.test_own_code import OWN_CODE
from tests.why.silent.test_own_task import OWN_TASK
from tests.why.silent.test_speaks_silence import SPEAKS_SILENCE
from tests.why.silent.test_taken_away import TAKEN_AWAY
from tests.why.silent.test_task_ended import TASK_ENDED
from tests.why.silent.test_while_ringing import WHILE_RINGING
from tests.why.test_connection import CONNECTION
from tests.why.test_late_hidden import LATE_HIDDEN
from tests.why.test_room_expired import EXPIRED
from tests.why.test_two_agents import TWO_AGENTS
from tracer.why import CAUSES, Cause, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = (
    *cases.CASES,
    *SILENT,
    *WHO_HEARS_WHOM,
    *TAKEN_AWAY,
    *TASK_ENDED,
    *SPEAKS_SILENCE,
    *WHILE_RINGING,
    *OWN_CODE,
    *OWN_TASK,
    *JOB_ENDED,
    *ENCRYPTION,
    *EXPIRED,
    *CONNECTION,
    *TWO_AGENTS,
    *LATE_HIDDEN,
)

CAPITALISED_CODE = re.compile(r"\b[A-Z]\w*\.[a-z_]\w*\(|\bRequest_fnc|\bSetup_fnc")
"""A method with a capital, as ``Ctx.connect()``, or a function of the user's with one."""


def classes(of: type[Cause] = Cause) -> Iterator[type[Cause]]:
    """Every concrete cause there is, in any module of the package."""
    for module in pkgutil.walk_packages(tracer.why.__path__, "tracer.why."):
        importlib.import_module(module.name)
    for one in of.__subclasses__():
        if not inspect.isabstract(one) and not one.__name__.startswith("_"):
            yield one
        yield from classes(one)


def test_every_cause_is_listed_exactly_once() -> None:
    assert sorted(type(cause).__name__ for cause in CAUSES) == sorted(one.__name__ for one in set(classes()))
    assert len({cause.name for cause in CAUSES}) == len(CAUSES) >= 24


def test_causes_are_in_order_of_what_is_worst() -> None:
    ranks = [cause.symptom.rank for cause in CAUSES]
    assert ranks == sorted(ranks)
    assert {cause.symptom for cause in CAUSES} == set(Symptom)


def test_every_cause_has_cases() -> None:
    assert {case.cause for case in CASES} == {cause.name for cause in CAUSES}


def test_a_symptom_is_a_slug_with_a_label() -> None:
    assert [str(symptom) for symptom in Symptom] == [
        "missing",
        "disconnected",
        "silent",
        "duplicated",
        "late",
        "unrecorded",
    ]
    assert len({symptom.label for symptom in Symptom}) == len(Symptom)


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_a_cause_documents_itself(cause: Cause) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cause.name)
    assert re.match(r"[a-z]+ ", cause.about)  # so that it can begin a sentence
    assert not cause.about.endswith(".")
    assert cause.advice.endswith(".")
    assert "  " not in cause.advice + cause.about
    assert not CAPITALISED_CODE.search(cause.about + cause.advice)
    assert "Known" in (type(cause).__doc__ or "")  # which evidence, and its source


def test_what_is_written_of_a_call_is_whole_sentences_with_code_as_it_is_in_code() -> None:
    for case in CASES:
        explanation = case.explanation
        for sentence in (explanation.summary, *(finding.sentence for finding in explanation.findings)):
            assert sentence.endswith("."), sentence
            assert "  " not in sentence, sentence
            assert "None" not in sentence, sentence
            assert not CAPITALISED_CODE.search(sentence), sentence


def test_a_capital_is_noticed() -> None:
    assert CAPITALISED_CODE.search("Ctx.connect() took long.")
    assert CAPITALISED_CODE.search("Session.start(room=ctx.room) took long.")
    assert not CAPITALISED_CODE.search("The agent's ctx.connect() took long. Call await ctx.connect().")
