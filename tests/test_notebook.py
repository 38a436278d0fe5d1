"""A room in a program and in a notebook."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tracer
from tests.moments import ROOM, call
from tests.view.test_check import wrong_call
from tracer import keys
from tracer.errors import UnknownRoomError
from tracer.moment import Moment, facts
from tracer.store import Arrival, Evidence, Form
from tracer.store.sqlite import SqliteStore
from tracer.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.notebook import LoadedTimeline

DOCS = Path(__file__).parents[1] / "docs"
RECORDING = Path(__file__).parent / "calls" / "ok_handoff.jsonl.gz"
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(1)"> & \x1b[31m'


def stored(path: Path, moments: Iterable[Moment]) -> LoadedTimeline:
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(moments))])
    return tracer.load(ROOM, str(path))


class Tags(HTMLParser):
    """What a browser would make of it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_room_is_loaded_with_its_answers(path: Path) -> None:
    loaded = stored(path, call())
    assert isinstance(loaded, Timeline)
    assert loaded.room.name == "demo"
    assert loaded.as_json()["schema"] == "tracer.timeline/1"
    assert tracer.load("demo", str(path)).room.sid == ROOM
    budget = loaded.budget()
    assert budget.ready_after == pytest.approx(0.392, abs=0.001)
    assert sum(gap.seconds or 0 for gap in budget.gaps) == pytest.approx(budget.ready_after)
    assert {gap.owner for gap in budget.gaps} >= {"livekit_server", "network"}
    assert budget.summary.startswith("ready after 0.39")
    assert loaded.check().violated == []
    assert "10 rules" in loaded.check().summary
    assert (loaded.why().causes, loaded.why().well) == ([], None)
    assert repr(loaded) == f"<LoadedTimeline {ROOM!r}, {len(loaded.steps)} moments>"
    assert repr(budget) == f"<Budget: {budget.summary}>"


def test_what_is_wrong_is_seen(path: Path) -> None:
    checked = stored(path, wrong_call()).check()
    assert checked.violated
    assert checked.violated[0].sentence in str(checked)
    assert checked.as_json()["rooms"]


def test_an_agent_that_was_not_ready_has_no_time(path: Path) -> None:
    budget = stored(path, [m for m in call() if not m.kind.startswith(("session", "agent"))]).budget()
    assert budget.ready_after is None
    assert "not known" in budget.summary


def test_a_recording_is_a_room() -> None:
    loaded = tracer.load(str(RECORDING))
    assert loaded.why().well
    assert loaded.jobs


@pytest.mark.parametrize("what", ["timeline", "why", "check", "budget"])
def test_text_and_notebook_show_what_the_terminal_does(path: Path, what: str) -> None:
    loaded = stored(path, call())
    shown = loaded if what == "timeline" else getattr(loaded, what)()
    page = Tags()
    page.feed(shown._repr_html_())
    assert page.tags <= {"pre", "span"}
    assert page.attributes <= {"style"}
    assert [line.rstrip() for line in page.text.splitlines()] == [line.rstrip() for line in str(shown).splitlines()]


def test_a_notebook_runs_nothing_that_a_name_holds(path: Path) -> None:
    personal = {keys.ROOM_NAME, keys.PARTICIPANT_IDENTITY, keys.AGENT_NAME, keys.PARTICIPANT_ATTRIBUTE + "language"}
    hostile = [
        replace(m, facts=facts({key: HOSTILE if key in personal else value for key, value in m.facts})) for m in call()
    ]
    loaded = stored(path, hostile)
    for shown in (loaded, loaded.why(), loaded.check(), loaded.budget()):
        html = shown._repr_html_()
        page = Tags()
        page.feed(html)
        assert page.tags <= {"pre", "span"}
        assert page.attributes <= {"style"}
        assert "\x1b" not in html
    assert "&lt;script&gt;" in loaded._repr_html_()


def test_what_is_not_read_yet_is_said(path: Path) -> None:
    stored(path, call())
    with closing(SqliteStore(path)) as store:
        store.add([Evidence(Form.WEBHOOK, b"{}", 1, ROOM)])
    with pytest.warns(UserWarning, match="1 request that came in not read yet"):
        tracer.load(ROOM, str(path))


def test_a_room_that_is_not_there_is_an_error(path: Path) -> None:
    stored(path, call())
    with pytest.raises(UnknownRoomError):
        tracer.load("nobody-has-this", str(path))


def test_the_example_in_the_documentation_runs(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (DOCS / "notebooks.md").read_text(encoding="utf-8"), re.DOTALL)
    stored(path, [replace(m, facts=facts({**dict(m.facts), keys.ROOM_NAME: "my-room"})) for m in call()])
    monkeypatch.setenv("TRACER_STORE", str(path))
    exec(compile(example, "notebooks.md", "exec"), {})  # noqa: S102  it is ours
    said = capsys.readouterr().out.splitlines()
    assert said[1].startswith("all 10 rules pass")
    assert said[2].startswith("ready after 0.39")
    assert any(line.startswith("job.offered job.received network 0.") for line in said)
    assert any(line.startswith("session.started ") for line in said)
