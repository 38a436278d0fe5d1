"""A room as the page shows it: schema ``tracer.page/1``. Text is harmless to print, and to be shown as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracer.check import Outcome, check
from tracer.check.sentences import skew
from tracer.explain import Group, words
from tracer.explain import gap as explained_gap
from tracer.latency.gaps import Paths
from tracer.moment import Kind
from tracer.timeline.entities import Track
from tracer.timeline.origin import end_reason_label
from tracer.units import NS_PER_MS, clock, milliseconds, offset, rfc3339
from tracer.view.axis import idle_stretches
from tracer.view.budget import advice
from tracer.view.lanes import lanes
from tracer.view.moments import accuracy
from tracer.view.names import created_by, with_names
from tracer.view.notes import notes
from tracer.view.rows import MomentRows
from tracer.view.text import plain
from tracer.view.verdict import ready_after
from tracer.view.wording import say
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.check import RoomCheck
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline
    from tracer.view.lanes import Lane
    from tracer.view.rows import MomentRow

__all__ = ["as_json"]

MOST_FINDINGS = 20
"""Causes, broken orderings and notes of a kind that are shown of one room."""


def as_json(timeline: Timeline, *, everything: bool = False, trace_url: str = "") -> dict[str, Any]:
    """The room as JSON types; ``everything``: also what ``--all`` alone shows."""
    return _Page(timeline, everything=everything).json(trace_url)


class _Page:
    def __init__(self, timeline: Timeline, *, everything: bool) -> None:
        self.timeline = timeline
        self.explanation = explain(timeline)
        self.findings = self.explanation.findings
        self.rows = MomentRows(timeline, self.findings, everything=everything)
        self.lanes = lanes(timeline, self.explanation)
        self.paths = Paths(timeline)
        self.lane_of = {sid: plain(lane.id) for lane in self.lanes for sid in lane.subjects}

    def json(self, trace_url: str) -> dict[str, Any]:
        timeline, room = self.timeline, self.timeline.room
        checked = check(timeline)
        times = [row.step.time for row in self.rows.rows]
        end = room.finished.time if room.finished else timeline.now
        return {
            "schema": "tracer.page/1",
            "room": {
                "sid": plain(room.sid),
                "name": None if room.name is None else plain(room.name),
                "created": rfc3339(room.time(Kind.ROOM_CREATED)),
                "created_by": created_by(timeline) or None,
                # A job can end long after its room.
                "lasted_ms": (room.finished.time - room.created.time) / NS_PER_MS
                if room.finished and room.created
                else None,
                "open": room.finished is None and timeline.cut_off is None,
                "stopped": clock(timeline.cut_off) if timeline.cut_off else None,
                "end_reason": plain(end_reason_label(timeline.end_reason)) if timeline.end_reason else None,
                "trace_id": timeline.trace_id,
                "trace_url": trace_url or None,
            },
            "zero": rfc3339(timeline.zero),
            "now_ms": self._ms(timeline.now),
            "end_ms": self._ms(max([end, *times])),
            "folds_ms": [[self._ms(a), self._ms(b)] for a, b in idle_stretches([*times, *self._edges(), end])],
            "verdict": {
                "well": self.explanation.well,
                "sentence": with_names(timeline, self.explanation.summary),
                "ready_after": ready_after(timeline, self.paths) or None,
            },
            "causes": [
                {
                    "name": found.cause.name,
                    "sentence": with_names(timeline, found.sentence),
                    "certain": found.certain,
                    "advice": with_names(timeline, found.advice),
                    "at_ms": [self._ms(step.time) for step in found.evidence],
                }
                for found in self.findings[:MOST_FINDINGS]
            ],
            "lanes": [self._lane(lane) for lane in self.lanes],
            "rows": [self._row(row) for row in self.rows.rows],
            "left_out": self.rows.left_out or None,
            "orderings": self._orderings(checked),
            "clocks": self._clocks(checked),
            "budget": self._budget(),
            "notes": [note.plain for note in notes(timeline)][:MOST_FINDINGS],
            "words": self._words(checked),
        }

    def _words(self, checked: RoomCheck) -> dict[str, str]:
        """What is shown of a word to who points at it: of each kind, cause, rule and owner that is on the page."""
        used = {
            Group.MOMENT: {row.step.kind.value for row in self.rows.rows},
            Group.CAUSE: {found.cause.name for found in self.findings[:MOST_FINDINGS]},
            Group.RULE: {str(judgement.rule.name) for judgement in checked.judgements},
            Group.OWNER: {gap.owner.value for gap in self.paths.first},
        }
        return {entry.word: entry.hover for entry in words() if entry.word in used.get(entry.group, ())}

    def _ms(self, time: int | None) -> float | None:
        """After the room's zero; a float has the nanoseconds for months."""
        return None if time is None else (time - self.timeline.zero) / NS_PER_MS

    def _edges(self) -> list[int]:
        return [edge for lane in self.lanes for bar in lane.bars for edge in (bar.start, bar.end) if edge is not None]

    def _lane(self, lane: Lane) -> dict[str, Any]:
        return {
            "id": plain(lane.id),
            "of": lane.of,
            "label": lane.label,
            "note": lane.note,
            "agent": lane.agent,
            "parent": plain(lane.parent) or None,
            "bars": [
                {"form": bar.form, "start_ms": self._ms(bar.start), "end_ms": self._ms(bar.end), "text": bar.text}
                for bar in lane.bars
            ],
            "marks": [{"form": mark.form, "at_ms": self._ms(mark.at), "text": mark.text} for mark in lane.marks],
        }

    def _row(self, row: MomentRow) -> dict[str, Any]:
        step = row.step
        phrase, detail = say(self.timeline, step)
        return {
            "lane": self._lane_of(step),
            "kind": step.kind,
            "what": phrase + (f" {len(row.repeats) + 1} times" if row.repeats else ""),
            "detail": detail,
            "offset": offset((step.time - self.timeline.zero) / NS_PER_MS),
            "at_ms": self._ms(step.time),
            "earliest_ms": self._ms(step.earliest),
            "latest_ms": self._ms(step.latest),
            "time": rfc3339(step.time),
            "accuracy": accuracy(step),
            "witnesses": [plain(witness) for witness in row.witnesses],
            "clock": plain(step.clock),
            "contradicted": step.contradicted,
            "failed": self.rows.has_failed(row),
            "meaning": step.kind.info.meaning,
        }

    def _lane_of(self, step: Step) -> str | None:
        """The lane that a moment is on: of its subject, or of the agent that its job became."""
        agent, about = self.timeline.agent_by_job.get(step.subject), self.timeline.by_sid.get(step.subject)
        if agent and not step.kind.value.startswith(("job.", "process.")):
            return self.lane_of[agent.sid]
        if isinstance(about, Track) and step.subject not in self.lane_of:
            return self.lane_of.get(about.participant or "")
        return self.lane_of.get(step.subject)

    def _orderings(self, checked: RoomCheck) -> list[dict[str, Any]]:
        """What `tracer check` says fails."""
        return [
            {
                "rule": judgement.rule.name,
                "sentence": with_names(self.timeline, verdict.sentence),
                "at_ms": [self._ms(step.time) for step in verdict.steps],
                "lanes": [self._lane_of(step) for step in verdict.steps],
            }
            for judgement in checked.judgements
            for verdict in judgement.having(Outcome.VIOLATED)
        ][:MOST_FINDINGS]

    def _clocks(self, checked: RoomCheck) -> list[dict[str, Any]]:
        """The clocks that do not show the server's time, and where that is seen."""
        return [
            {
                "sentence": f"{plain(str(clock))} is {skew(found)}",
                "at_ms": [self._ms(step.time) for step in (found.by_least if found.proven > 0 else found.by_most)],
            }
            for clock, found in checked.clocks.offsets.items()
            if found.off or found.contradictory
        ][:MOST_FINDINGS]

    def _budget(self) -> dict[str, Any] | None:
        paths = self.paths
        if not paths.first:
            return None
        whole = sum(gap.ns for gap in paths.first)
        return {
            "whole": ("~" if any(gap.doubtful for gap in paths.first) else "") + milliseconds(whole / NS_PER_MS),
            "gaps": [
                {
                    "from": say(self.timeline, gap.start)[0],
                    "to": say(self.timeline, gap.end)[0],
                    "owner": gap.owner,
                    "label": gap.owner.label,
                    "ms": gap.ns / NS_PER_MS,
                    "text": ("~" if gap.doubtful else "") + milliseconds(gap.ns / NS_PER_MS),
                    "doubtful": gap.doubtful,
                    "start_ms": self._ms(gap.start.time),
                    "end_ms": self._ms(gap.end.time),
                    "hover": explained_gap(gap.start.kind, gap.end.kind, gap.owner).hover,
                }
                for gap in paths.first
            ],
            "advice": plain(advice(self.timeline, paths)) or None,
        }
