"""Sends what waits in the store to the backend: the spans in its outbox, and what agents sent, from the evidence.

A span leaves the outbox when the backend has accepted it. One that it refuses is set aside, so that it holds up no
other, and is sent again when tracer is started anew: by then the backend or its address may be another. Agents'
requests go on whole, many as one; of those that it refuses the spans go by the outbox, which finds the bad ones.
"""

from __future__ import annotations

import asyncio
import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from tracer.export.answer import Verdict
from tracer.export.requests import LARGEST, next_requests
from tracer.units import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracer.export.answer import Answer
    from tracer.export.backend import Backend
    from tracer.export.requests import Requests
    from tracer.store import Writer

__all__ = ["TURN", "Outbox"]

log = logging.getLogger("tracer")

Item = tuple[int, bytes]
"""A span in the outbox: its number and its serialized ``ResourceSpans``."""

BATCH = 512
"""Spans in one request."""
LARGEST_BATCH = 4 * 1024 * 1024
"""Bytes of spans in one request, unless it is one span: the collector refuses 20 MiB, and so slowly that it looks as if
it were away."""
SMALLEST_BATCH = 64 * 1024
"""Bytes of spans in one request of a backend that finds larger ones too large."""
FRUITLESS = 128
"""Requests refused in a row after which a batch is no longer divided to find the spans that the backend refuses."""
SAY_EVERY = 60.0
"""Seconds between two lines about refused spans."""
TURN = 5.0
"""Seconds after which it is asked again whether this process is the one that exports."""
TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Outbox:
    """Empties the outbox into the backend, one request at a time."""

    def __init__(self, store: Writer, backend: Backend, *, redact: bool = False) -> None:
        """``redact``: leave personal data out of what was kept when it was not yet left out."""
        self.store = store
        self.backend = backend
        self.redact = redact
        self.sent = 0
        """Spans that the backend accepted since the start."""
        self.refused = 0
        """Spans that it refused for good."""
        self.failed = 0
        """Times that what waits could not be sent."""
        self._accepted_only: list[int] = []
        """Numbers of spans that the backend has accepted, and the store does not know of yet: it may be away."""
        self._passed_only: Requests | None = None
        """Agents' requests of which the same is true."""
        self._largest = LARGEST_BATCH
        self._stopped = False
        self._sending = asyncio.Lock()
        self._unsaid: dict[tuple[str, str], int] = {}
        """Of how many spans something was not said yet, by the sentence and the kind of answer."""
        self._said: dict[tuple[str, str], float] = {}
        """When that was said last, s, monotonic."""

    async def send(self) -> Answer | None:
        """Send what waits, for a turn or until nothing does; an answer for which sending has to pause ends it."""
        async with self._sending:
            end = time.monotonic() + TURN
            while not self._stopped and time.monotonic() < end:
                await self._strike_off()
                # By turns: neither waits for the other.
                batch = self._within_limit(await asyncio.to_thread(self.store.unsent, BATCH))
                answer = await self._deliver(batch) if batch else None
                if answer is None and not self._stopped:
                    requests = await asyncio.to_thread(self._next_requests)
                    if not batch and requests is None:
                        break
                    answer = await self._pass_on(requests) if requests else None
                if answer:
                    self.failed += 1
                    return answer
        return None

    def _next_requests(self) -> Requests | None:
        """The newest of agents' that wait, as one; None when none does."""
        return next_requests(self.store, min(self._largest, LARGEST), redact=self.redact)

    async def _pass_on(self, requests: Requests) -> Answer | None:
        """Send these; where the backend refuses them, their spans go by the outbox. An answer when it has to pause."""
        if requests.body:
            answer = await self.backend.send_request(requests.body)
            if answer.verdict is Verdict.ACCEPTED:
                self._note(requests.count, answer)
            elif await self._is_about_spans(answer):
                await asyncio.to_thread(self.store.queue, requests.apart(), [])
                requests = requests.without_keys()
            else:
                return answer
        self._passed_only = requests
        await self._strike_off()
        return None

    def stop(self) -> None:
        """Begin no other request."""
        self._stopped = True

    async def _deliver(self, batch: Sequence[Item]) -> Answer | None:
        """Send these; what is refused is divided until it is one span, and that is set aside.

        An answer when it has to pause: the backend accepted none of them.
        """
        waiting, fruitless, accepted = [batch], 0, False
        while waiting and not self._stopped:
            part = waiting.pop()
            answer = await self.backend.send([body for _, body in part])
            if answer.verdict is Verdict.ACCEPTED:
                fruitless, accepted = 0, True
                await self._accepted(part, answer)
            elif not await self._is_about_spans(answer):
                return answer
            else:
                fruitless += 1
                if len(part) == 1 or fruitless > FRUITLESS:
                    await self._set_aside(part, answer)
                    continue
                if answer.status == TOO_LARGE:
                    self._largest = max(sum(len(body) for _, body in part) // 2, SMALLEST_BATCH)
                half = len(part) // 2
                waiting += [part[half:], part[:half]]
        return None if accepted or self._stopped else answer

    async def _is_about_spans(self, answer: Answer) -> bool:
        """Whether it is these spans that the backend refuses: it accepts a request without any."""
        if answer.verdict is Verdict.NOT_HERE:
            return (await self.backend.send([])).verdict is Verdict.ACCEPTED
        return answer.verdict is Verdict.REFUSED

    async def _accepted(self, part: Sequence[Item], answer: Answer) -> None:
        self._accepted_only += [number for number, _ in part]
        await self._strike_off()
        self._note(len(part), answer)

    def _note(self, count: int, answer: Answer) -> None:
        """Count, and say, what became of so many spans that were accepted."""
        rejected = min(answer.rejected, count)
        self.sent += count - rejected
        if rejected:
            self._say("rejected {} of those it accepted: {}", rejected, answer)
        elif answer.text:
            self._say("accepted {} and says: {}", count, answer, refused=False)

    async def _strike_off(self) -> None:
        """Have the store know what was accepted; else it would be sent again."""
        if self._accepted_only:
            await asyncio.to_thread(self.store.sent, self._accepted_only)
            self._accepted_only = []
        if self._passed_only:
            await asyncio.to_thread(self.store.evidence_sent, self._passed_only.numbers, self._passed_only.keys)
            self._passed_only = None

    async def _set_aside(self, part: Sequence[Item], answer: Answer) -> None:
        await asyncio.to_thread(self.store.refused, [number for number, _ in part])
        self._say("refused {}: {}; they are kept, and sent again when tracer is started anew", len(part), answer)

    def _say(self, sentence: str, number: int, answer: Answer, *, refused: bool = True) -> None:
        """Say what became of spans, now and then, with how many there were since it was said last."""
        self.refused += number if refused else 0
        self._unsaid[sentence, answer.kind] = count = self._unsaid.get((sentence, answer.kind), 0) + number
        now = time.monotonic()
        if now - self._said.get((sentence, answer.kind), -SAY_EVERY) >= SAY_EVERY:
            spans = f"{count} {plural(count, 'span')}"
            log.warning("%s %s", self.backend.target.shown, sentence.format(spans, answer.text or "without a reason"))
            self._unsaid[sentence, answer.kind], self._said[sentence, answer.kind] = 0, now

    def _within_limit(self, batch: Sequence[Item]) -> Sequence[Item]:
        """The first of these, as many as one request may hold."""
        size = 0
        for count, (_, body) in enumerate(batch):
            size += len(body)
            if count and size > self._largest:
                return batch[:count]
        return batch
