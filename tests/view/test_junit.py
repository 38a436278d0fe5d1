from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, fromstring

from hypothesis import given
from hypothesis import strategies as st

from tests.moments import ADA, ROOM, any_moments, call, moment, ms
from tests.view.test_check import judged, wrong_call
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.view.junit import junit

if TYPE_CHECKING:
    from tracer.check import RoomCheck


def suites(*checks: RoomCheck) -> list[Element]:
    root = fromstring(junit(checks))  # noqa: S314  our own
    assert root.tag == "testsuites"
    return root.findall("testsuite")


def test_a_suite_for_each_room_and_a_case_for_each_rule() -> None:
    good, empty = suites(judged(*call()), judged())
    assert good.attrib == {
        "name": f"demo {ROOM}",
        "tests": "10",
        "failures": "0",
        "errors": "0",
        "skipped": "0",
        "time": "0",
        "timestamp": "2025-11-22T19:51:06",
    }
    cases = good.findall("testcase")
    assert len(cases) == 10
    assert cases[0].get("classname") == "tracer.check.demo"
    assert (cases[2].get("name") or "").startswith("03 job-start: ")
    assert not good.findall("testcase/failure")
    assert not good.findall("testcase/skipped")
    assert (empty.get("name"), empty.get("skipped")) == (ROOM, "10")


def test_rooms_of_one_name_go_by_their_sids() -> None:
    one = judged(*call())
    other = replace(one, timeline=replace(one.timeline, room=replace(one.timeline.room, sid="RM_2")))
    cases = [case.get("classname") for suite in suites(one, other) for case in suite.findall("testcase")]
    assert set(cases) == {f"tracer.check.{ROOM}", "tracer.check.RM_2"}


def test_what_fails_says_why() -> None:
    (suite,) = suites(judged(*wrong_call()))
    failures = suite.findall("testcase/failure")
    assert suite.get("failures") == str(len(failures))
    assert {failure.get("type") for failure in failures} >= {"participant-states"}
    text = "\n".join(failure.text or "" for failure in failures)
    assert "webhook by the server's clock: 2025-11-22T19:51:01.000000000Z" in text


def test_what_is_inconclusive_is_skipped_and_says_why() -> None:
    (suite,) = suites(judged(moment(Kind.ROOM_CREATED, ROOM, ms(0))))
    skipped = suite.findall("testcase/skipped")
    assert len(skipped) == 10
    assert skipped[2].get("message") == "inconclusive: no agent reported the start of a job"


def test_a_room_of_a_thousand_stays_readable() -> None:
    moments = [moment(Kind.ROOM_CREATED, ROOM, ms(9000))]
    moments += [moment(Kind.PARTICIPANT_JOINING, f"PA_{n:03}", ms(n)) for n in range(150)]
    (failure, *_) = suites(judged(*moments))[0].findall("testcase/failure")
    assert (failure.text or "").rstrip().endswith("… and 50 more")


@given(st.text())
def test_names_of_any_kind_are_xml(name: str) -> None:
    moments = [moment(Kind.ROOM_CREATED, ROOM, ms(5), told={keys.ROOM_NAME: name})]
    who = {keys.PARTICIPANT_IDENTITY: name}
    moments += [moment(kind, ADA, ms(0), told=who) for kind in (Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_LEFT)]
    (suite,) = suites(judged(*moments))
    assert suite.get("failures") == "1"


def test_what_xml_cannot_hold_is_replaced() -> None:
    name = "a\x00b\x1b<&\"'\ud800\uffff]]>"
    created = replace(moment(Kind.ROOM_CREATED, ROOM, ms(0)), facts=((keys.ROOM_NAME, name),))
    (suite,) = suites(judged(created))
    assert suite.get("name") == f"a\ufffdb\ufffd<&\"'\ufffd\ufffd]]> {ROOM}"
    junit([judged(created)]).encode()


@given(any_moments())
def test_any_moments_are_xml(moments: list[Moment]) -> None:
    (suite,) = suites(judged(*moments))
    assert len(suite.findall("testcase")) == 10


def test_it_is_well_formed_whatever_encoding_standard_output_has() -> None:
    assert fromstring(junit([judged(*call())]).encode("cp1252")).tag == "testsuites"  # noqa: S314  our own
