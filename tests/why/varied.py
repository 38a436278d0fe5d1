"""Recorded calls, varied: renamed, shifted, shuffled, doubled, and with parts of the record lost."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.moment import Kind
from tracer.service.replay import NEVER, listened_in, records
from tracer.store import Evidence, Form
from tracer.timeline.fold import fold
from tracer.timeline.listened import stopped, unheard
from tracer.timeline.trace_jobs import is_trace
from tracer.units import NS_PER_S
from tracer.witness import agent, evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from tracer.moment import Fact, Moment
    from tracer.store import Arrival
    from tracer.timeline.timeline import Timeline

__all__ = [
    "CHOSEN",
    "Line",
    "Variant",
    "came_at",
    "doubled",
    "halved",
    "lossy",
    "neighbours",
    "placed",
    "recorded",
    "renamed",
    "rooms",
    "shifted",
    "shuffled",
    "skewed",
]

FOLDER = Path(__file__).parent.parent / "calls"
LATER = 3 * 24 * 3600 * NS_PER_S
"""A record is read so long after it was made, ns."""

Line = list["Arrival"]
"""What one line of a recording brought."""


@cache
def recorded(name: str) -> list[Line]:
    """The lines of a recording."""
    return list(records(FOLDER / f"{name}.jsonl.gz"))


def rooms(lines: Iterable[Line], listened_until: int = 0) -> list[Timeline]:
    """The rooms of these lines, the oldest first, as a store has them long after: tracer listened to the last line.

    ``listened_until``: or until then, ns.
    """
    lines = list(lines)
    moments, runs = placed(lines), []
    if any(map(_at, lines)):
        since, until = listened_in(lines)
        runs.append((since, max(until, listened_until)))
    by_room: dict[str, list[Moment]] = defaultdict(list)
    for moment in moments:
        by_room[moment.room].append(moment)
    workers = by_room.pop("", [])
    found = []
    for room, own in by_room.items():
        if room.startswith("RM_"):
            came = max(moment.latest for moment in own)
            until, stop = stopped(runs, came, came + LATER)
            timeline = fold(room, own, workers=workers, now=until)
            end = timeline.room.finished.time if timeline.room.finished else until
            found.append(replace(timeline, stopped=stop, unheard=unheard(runs, timeline.zero, end)))
    return neighbours(found)


def neighbours(rooms: Iterable[Timeline]) -> list[Timeline]:
    """Rooms in order, each with those of its name before and after it."""
    found = sorted(rooms, key=lambda one: (one.zero, one.room.sid))
    return [_with_neighbours(one, found) for one in found]


def came_at(lines: Iterable[Line]) -> list[int]:
    """When each line of a recording came, as far as it shows, ns; of one that does not, when the one before did."""
    times: list[int] = []
    for line in lines:
        times.append(max([_at(line), *times[-1:]]))
    return times


def _with_neighbours(one: Timeline, among: list[Timeline]) -> Timeline:
    same = [other for other in among if other.room.name and other.room.name == one.room.name]
    if one not in same:
        return one
    at = next(place for place, other in enumerate(same) if other is one)
    return replace(one, earlier=same[at - 1] if at else None, later=same[at + 1] if at + 1 < len(same) else None)


def placed(lines: Iterable[Line]) -> set[Moment]:
    """All moments, each of an agent's trace in the room that its trace, or a job in it, is known to be of."""
    arrivals = [arrival for line in lines for arrival in line]
    moments = {moment for arrival in arrivals for moment in arrival.moments}
    of_trace: dict[str, set[str]] = defaultdict(set)
    for arrival in arrivals:
        for trace, room in arrival.traces:
            of_trace[trace].add(room)
    offered = {m.subject: m.room for m in moments if m.kind is Kind.JOB_OFFERED and m.room.startswith("RM_")}
    for moment in moments:
        if is_trace(moment.room) and moment.subject in offered and moment.room not in of_trace:
            of_trace[moment.room].add(offered[moment.subject])
    room_of = {trace: min(named) for trace, named in of_trace.items() if len(named) == 1}
    return {replace(moment, room=room_of.get(moment.room, moment.room)) for moment in moments}


class Variant(NamedTuple):
    """A recording of which a part is lost."""

    label: str
    lines: list[Line]
    died: bool = False
    """Whether tracer ended with the last of these lines; else it listened to the end, and they were lost."""
    is_told: bool = True
    """Whether the record shows that something is lost; a line less is not seen by anything else."""


def lossy(name: str, seeds: int) -> Iterator[Variant]:
    """A recording with whole witnesses, its beginning, its end, or some lines lost; of these ``seeds`` samples."""
    lines, chance = recorded(name), random.Random(name)  # noqa: S311  a sample, and no secret
    webhooks, spans = {Form.WEBHOOK}, {Form.OTLP, Form.OTLP_JSON}
    polled: set[Form] = set()
    witnesses = {"webhooks": webhooks, "spans": spans, "observer": polled}
    for witness, forms in witnesses.items():
        others = [line for line in lines if not _is_of(line, forms)]
        yield Variant(f"without {witness}", others)
        yield Variant(f"only {witness}", [line for line in lines if _is_of(line, forms)])
        for thirds in (1, 2):
            cut = len(others) * thirds // 3
            yield Variant(f"without {witness}, started after {thirds} thirds", others[cut:])
            yield Variant(f"without {witness}, died after {thirds} thirds", others[:cut], died=True)
    yield Variant("redacted", [[_redacted(arrival) for arrival in line] for line in lines])
    for tenths in range(1, 10):
        cut = len(lines) * tenths // 10
        yield Variant(f"started after {tenths} tenths", lines[cut:])
        yield Variant(f"died after {tenths} tenths", lines[:cut], died=True)
    for number in range(seeds):
        kept = [line for line in lines if chance.random() > 0.05]
        yield Variant(f"5 % lost, sample {number}", kept, is_told=False)
        lost = chance.randrange(len(lines))
        yield Variant(f"line {lost} lost", lines[:lost] + lines[lost + 1 :], is_told=False)


HALF = 0.5


def halved(name: str, seeds: Iterable[int]) -> Iterator[Variant]:
    """A recording of which half of what some witnesses reported is lost, or of the time that somebody listened."""
    lines = recorded(name)
    for seed in seeds:
        for what, forms in WITNESSES.items():
            chance = random.Random(f"{name} {what} {seed}")  # noqa: S311  as above
            kept = [line for line in lines if not any(_is_of(line, one) for one in forms) or chance.random() < HALF]
            yield Variant(f"half of {what} lost, sample {seed}", kept)
        for what, part in SPANS.items():
            chance = random.Random(f"{name} {what} {seed}")  # noqa: S311  as above
            drawn: dict[object, bool] = {}
            kept = [[one for a in line for one in _part(a, part, drawn, chance)] for line in lines]
            yield Variant(f"half of {what} lost, sample {seed}", [line for line in kept if line])
    times = [_at(line) for line in lines]
    first, last = min(t for t in times if t), max(times)
    for percent in (30, 50, 70):
        at = first + (last - first) * percent // 100
        yield Variant(
            f"started after {percent} % of the time", [x for x, t in zip(lines, times, strict=True) if t >= at]
        )
        before = [x for x, t in zip(lines, times, strict=True) if t < at]
        yield Variant(f"stopped after {percent} % of the time", before, died=True)


WITNESSES: dict[str, list[set[Form]]] = {
    "the spans' requests": [{Form.OTLP, Form.OTLP_JSON}],
    "the webhooks": [{Form.WEBHOOK}],
    "the polls": [set()],
    "the webhooks and polls": [{Form.WEBHOOK}, set()],
    "everything": [{Form.WEBHOOK}, set(), {Form.OTLP, Form.OTLP_JSON}],
}
SPANS: dict[str, Callable[[Span], object]] = {
    "the spans": lambda span: span.span_id,
    "the spans' starts and ends": lambda span: (span.span_id, span.end_time_unix_nano == 0),
}
"""What is lost together: a span that is sampled away, or one report of it."""


def _at(line: Line) -> int:
    """When a line came, as far as it shows; 0 where it does not."""
    try:
        return listened_in([line])[1]
    except ValueError:
        return 0


def _part(
    arrival: Arrival, part: Callable[[Span], object], drawn: dict[object, bool], chance: random.Random
) -> Iterator[Arrival]:
    """What is left of a request where each part of it is kept or lost."""
    piece = arrival.evidence
    if piece is None or piece.form is Form.WEBHOOK:
        yield arrival
        return
    request = evidence.request(piece)
    for group in request.resource_spans:
        for scope in group.scope_spans:
            spans = [s for s in scope.spans if drawn.setdefault(part(s), chance.random() < HALF)]
            del scope.spans[:]
            scope.spans.extend(spans)
    if any(True for _ in agent.spans(request)):
        body = request.SerializeToString()
        yield evidence.arrival(Evidence(Form.OTLP, body, piece.at, piece.room))


def _redacted(arrival: Arrival) -> Arrival:
    return replace(arrival, moments=tuple(moment.redacted() for moment in arrival.moments))


def _is_of(line: Line, forms: set[Form]) -> bool:
    """Whether a line is evidence in one of these forms; without any, what was polled."""
    found = {arrival.evidence.form for arrival in line if arrival.evidence}
    return bool(found & forms) if forms else not found


def shuffled(name: str) -> list[Line]:
    """The lines in any order."""
    lines = list(recorded(name))
    random.Random(name).shuffle(lines)  # noqa: S311  as above
    return lines


def doubled(name: str) -> list[Line]:
    """Each line twice."""
    return [*recorded(name), *reversed(recorded(name))]


def shifted(name: str, by: int) -> list[Line]:
    """Everything so many ns later."""
    return [[_shifted(arrival, by) for arrival in line] for line in recorded(name)]


IN_FACTS = (keys.SEEN_AFTER, keys.SEEN_BY, keys.SETUP_BEGAN)
"""Facts that are times."""


def skewed(name: str, by: int) -> list[Line]:
    """The agents' clocks so many ns ahead; of what a worker was offered the time is the server's."""
    return [[_skewed(arrival, by) for arrival in line] for line in recorded(name)]


def _skewed(arrival: Arrival, by: int) -> Arrival:
    late = _shifted(arrival, by)
    pairs = zip(arrival.moments, late.moments, strict=True)
    return replace(late, moments=tuple(new if old.clock == "agent" else old for old, new in pairs))


def _shifted(arrival: Arrival, by: int) -> Arrival:
    moments = tuple(
        replace(
            moment,
            earliest=moment.earliest + by,
            latest=moment.latest + by,
            time=moment.time + by,
            facts=tuple((key, str(int(value) + by) if key in IN_FACTS else value) for key, value in moment.facts),
        )
        for moment in arrival.moments
    )
    evidence = arrival.evidence
    if evidence and evidence.at != NEVER:
        evidence = evidence._replace(at=evidence.at + by)
    return replace(arrival, moments=moments, evidence=evidence)


CHOSEN = (
    keys.PARTICIPANT_IDENTITY,
    keys.PARTICIPANT_NAME,
    keys.LINKED_IDENTITY,
    keys.ROOM_NAME,
    keys.AGENT_NAME,
    keys.WORKER_HOST,
)
"""Facts that are names which somebody chose."""
OWN = re.compile(r"\b(RM_|PA_|AD_|AJ_|AW_|TR_[A-Z]{2})(\w{8,})")
"""LiveKit's SIDs and ids; of a track the letters after the prefix say what it is."""


def renamed(name: str) -> list[Line]:
    """Every SID, id, identity, name of a room, an agent and a host is another."""
    lines = recorded(name)
    moments = [moment for line in lines for arrival in line for moment in arrival.moments]
    told = {str(value) for moment in moments for key, value in moment.facts if key in CHOSEN if value}
    others = {one: f"other-{number}" for number, one in enumerate(sorted(told)) if not OWN.search(one)}
    return [[_renamed(arrival, others) for arrival in line] for line in lines]


def _renamed(arrival: Arrival, others: Mapping[str, str]) -> Arrival:
    def fact(key: str, value: Fact) -> Fact:
        if not isinstance(value, str):
            return value
        return others[value] if key in CHOSEN and value in others else _sids(value)

    moments = tuple(
        replace(
            moment,
            room=_sids(moment.room),
            subject=_sids(moment.subject),
            occurrence=_sids(moment.occurrence),
            facts=tuple((key, fact(key, value)) for key, value in moment.facts),
        )
        for moment in arrival.moments
    )
    return replace(arrival, moments=moments, traces=tuple((trace, _sids(room)) for trace, room in arrival.traces))


def _sids(text: str) -> str:
    """The text with each SID in it turned round."""
    return OWN.sub(lambda found: found[0][: -len(found[2])] + found[2][::-1], text)
