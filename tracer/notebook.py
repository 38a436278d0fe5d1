"""``tracer.load("my-room")``: a room for programs and notebooks, with `check`, `why` and the budget on it."""

from __future__ import annotations

import warnings
from contextlib import closing
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tracer.latency.gaps import Paths
from tracer.settings import default_store, load_env
from tracer.store import open_reader
from tracer.store.load import timeline_in
from tracer.timeline.timeline import Timeline
from tracer.units import NS_PER_S, plural

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tracer.check import RoomCheck, Verdict
    from tracer.why import Explanation

__all__ = ["Budget", "Checked", "GapLength", "LoadedTimeline", "Reasons", "load"]


def load(room: str, store: str | None = None) -> LoadedTimeline:
    """A room: by its name (the latest of that name), by its SID, or the latest in the FILE of a recording.

    ``store`` is a location as `tracer serve --store` takes it; without it, the one that the command line reads. Warns
    where something that came in is not read yet. Raises UnknownRoomError, StoreError, RecordingError.
    """
    if Path(room).is_file():
        from tracer.service.replay import timelines

        return _loaded(timelines(Path(room))[-1])
    if store is None:
        load_env()
    with closing(open_reader(store or default_store())) as reader:
        if unread := reader.unread():
            warnings.warn(
                f"{unread} {plural(unread, 'request')} that came in not read yet: what is in there is missing here",
                stacklevel=2,
            )
        return _loaded(timeline_in(reader, reader.find(room)))


def _loaded(timeline: Timeline) -> LoadedTimeline:
    return LoadedTimeline(**{field.name: getattr(timeline, field.name) for field in fields(timeline)})


class _Shown:
    """What a terminal shows as text, and a notebook with its colours."""

    def _view(self, width: int) -> RenderableType:
        raise NotImplementedError

    def __str__(self) -> str:
        from tracer.view.write import FILE_WIDTH, as_text

        return as_text(self._view(FILE_WIDTH))

    def _repr_html_(self) -> str:
        from tracer.view.write import FILE_WIDTH, as_html

        return as_html(self._view(FILE_WIDTH))


@dataclass(frozen=True, repr=False)
class LoadedTimeline(_Shown, Timeline):
    """A timeline with what can be asked of it. As text it is what `tracer timeline` shows."""

    def check(self) -> Checked:
        """Whether the orderings hold that must: `tracer check`."""
        return Checked(self)

    def why(self) -> Reasons:
        """Why the call went as it did: `tracer why`."""
        return Reasons(self)

    def budget(self) -> Budget:
        """Where the time went until the first agent was ready."""
        return Budget(self)

    def as_json(self) -> dict[str, Any]:
        """What `tracer timeline --format json` writes."""
        from tracer.view.json import timeline

        return timeline(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.room.sid!r}, {len(self.steps)} moments>"

    def _view(self, width: int) -> RenderableType:
        from tracer.view.terminal import TimelineView

        return TimelineView(self)


class _Answer(_Shown):
    """An answer about a room."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline

    @property
    def summary(self) -> str:
        """In one line."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.summary}>"


class Checked(_Answer):
    """The answers to the rules of `tracer check`."""

    @cached_property
    def check(self) -> RoomCheck:
        """All of it: a judgement for each rule."""
        from tracer.check import check

        return check(self.timeline)

    @property
    def violated(self) -> list[Verdict]:
        """What fails; empty when nothing does. Each has its ``sentence`` and the ``steps`` that it is about."""
        return self.check.violated

    @property
    def summary(self) -> str:
        """``all 10 rules pass``, say."""
        return self.check.summary

    def as_json(self) -> dict[str, Any]:
        """What `tracer check --format json` writes."""
        from tracer.view.check_json import as_json

        return as_json([self.check])

    def _view(self, width: int) -> RenderableType:
        from tracer.view.check import CheckView

        return CheckView(self.check)


class Reasons(_Answer):
    """The answer of `tracer why`."""

    @cached_property
    def explanation(self) -> Explanation:
        """All of it: findings with their evidence, and doubts."""
        from tracer.why import explain

        return explain(self.timeline)

    @property
    def well(self) -> bool | None:
        """Whether all went well; None where that is not known."""
        return self.explanation.well

    @property
    def causes(self) -> list[str]:
        """The causes that were found, by name, the worst and likeliest first; empty where there is none."""
        return list(dict.fromkeys(finding.cause.name for finding in self.explanation.findings))

    @property
    def summary(self) -> str:
        """``All went well.``, say, or the first cause in a sentence."""
        from tracer.view.verdict import answer

        return answer(self.timeline, self.explanation).plain

    def as_json(self) -> dict[str, Any]:
        """What `tracer why --format json` writes."""
        from tracer.view.why import as_json

        return as_json(self.timeline, self.explanation)

    def _view(self, width: int) -> RenderableType:
        from tracer.view.why import WhyView

        return WhyView(self.timeline, self.explanation)


class GapLength(NamedTuple):
    """One gap on the way to a ready agent."""

    start: str
    """The kind of the moment that it begins with, as ``job.offered``."""
    end: str
    owner: str
    """Who spends it, as ``livekit_server``."""
    seconds: float | None
    """None where its ends are by clocks that are proven to be apart."""
    advice: str
    """What can be done about it; empty where nothing can."""


class Budget(_Answer):
    """Where the time went from what first asked for the first agent to its being ready."""

    @cached_property
    def _paths(self) -> Paths:
        return Paths(self.timeline)

    @cached_property
    def gaps(self) -> list[GapLength]:
        """In order; they add up to the whole. Empty where no agent came."""
        return [
            GapLength(
                gap.start.kind.value,
                gap.end.kind.value,
                gap.owner.value,
                None if gap.doubtful else gap.ns / NS_PER_S,
                gap.advice,
            )
            for gap in self._paths.first
        ]

    @cached_property
    def ready_after(self) -> float | None:
        """From what first asked for an agent to its being ready, seconds; None where it was not, or it is not known."""
        ns = self._paths.ready_after
        return None if ns is None else ns / NS_PER_S

    @property
    def summary(self) -> str:
        """``ready after 0.392 s, in 13 gaps``, say."""
        if self.ready_after is None:
            return "it is not known that an agent was ready, or when"
        return f"ready after {self.ready_after:.3f} s, in {len(self.gaps)} {plural(len(self.gaps), 'gap')}"

    def _view(self, width: int) -> RenderableType:
        from rich.console import Group

        from tracer.view.budget import budget

        return Group(*budget(self.timeline, width))
