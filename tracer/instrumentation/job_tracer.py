"""livekit-agents' tracer, observed: what the user's provider records is heard, what it does not is recorded beside it.

Nothing of the user's is replaced: every span is first made by the tracer that would have made it. What that one records
is reported by a span processor; for what it does not, because no provider is set, or none yet, or its sampler drops
it, livekit-agents gets an ``UnseenSpan``.
"""

from __future__ import annotations

import inspect
import logging
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from livekit.agents import telemetry
from opentelemetry import context, trace
from opentelemetry.context import Context

from tracer.instrumentation.guard import guarded
from tracer.instrumentation.unseen_span import BEHIND, UnseenSpan, kept, unseen_above

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextvars import Token

    from tracer.instrumentation.reporter import Reporter

__all__ = ["JobTracer"]

log = logging.getLogger("tracer")

_START = inspect.signature(trace.Tracer.start_span)
_START_AS_CURRENT = inspect.signature(trace.Tracer.start_as_current_span)
_ROOT = "job_entrypoint"
DROPPED = (
    "tracer: your sampler drops spans; livekit-agents' own are reported to `tracer serve` all the same, without what"
    " people said, and yours are not"
)
MOST_TRIES = 100
"""How often one provider is given the processor: some lose it when they are configured again."""


class JobTracer:
    """Has the spans of this process's jobs reported, whoever makes them, now or later."""

    def __init__(self, reporter: Reporter, own: trace.TracerProvider) -> None:
        self._reporter = reporter
        self._own = own.get_tracer("livekit-agents")
        self._told: set[str] = set()
        self._unseen: WeakValueDictionary[int, UnseenSpan] = WeakValueDictionary()
        """By the span id that all others see."""

    def listen(self) -> None:
        """From now on. livekit-agents has one tracer, and whoever gives it a provider does so by ``set_provider``."""
        tracer: Any = telemetry.tracer
        set_provider, use_span = tracer.set_provider, getattr(tracer, "use_span", None)

        @wraps(set_provider)
        def set_provider_observed(provider: trace.TracerProvider) -> None:
            set_provider(provider)
            guarded(self._observe)

        tracer.set_provider = set_provider_observed
        if use_span:  # older ones have none
            tracer.use_span = lambda span, *args, **kwargs: _current(span, use_span(span, *args, **kwargs))
        self._observe()

    def _observe(self) -> None:
        """The tracer that livekit-agents has been given."""
        tracer: Any = telemetry.tracer
        users = tracer._tracer  # noqa: SLF001  see private_names
        if not isinstance(users, _ObservedTracer):
            tracer._tracer = _ObservedTracer(users, self)  # noqa: SLF001
        provider = _provider()
        if not isinstance(provider, trace.ProxyTracerProvider):
            self._reporter.listen_to(provider)

    def started(self, span: trace.Span, where: Context, how: dict[str, Any]) -> UnseenSpan | None:
        """The user's tracer has made this span there. What livekit-agents gets instead, or None: that very one."""
        if span.is_recording():
            if not self._reporter.has_heard(span):
                self._listen_late(span, where)
            return None
        seen, current = span.get_span_context(), trace.get_current_span(where)
        above = self._unseen.get(current.get_span_context().span_id) or unseen_above(where)
        if seen.is_valid:
            self._tell("dropped", DROPPED)
        own = self._own.start_span(
            how["name"],
            trace.set_span_in_context(above.own if above else current, Context()),
            attributes=kept(how.get("attributes"), seen.is_valid),
            **{key: how[key] for key in ("kind", "links", "start_time") if key in how},
        )
        unseen = UnseenSpan(seen, own)
        if seen.is_valid:
            self._unseen.setdefault(
                seen.span_id, unseen
            )  # where nothing is sampled at all, a child can have its parent's
        return unseen

    def _listen_late(self, span: trace.Span, where: Context) -> None:
        """A provider that nobody gave to livekit-agents: set for all of OpenTelemetry since, or configured again."""
        provider = _provider()
        if self._reporter.listen_to(provider, MOST_TRIES):
            self._reporter.on_start(span, where)  # type: ignore[arg-type]  # SDKs have classes of their own
            return
        name = f"{type(provider).__module__}.{type(provider).__qualname__}"
        self._tell(name, f"tracer: {name} takes no span processor: timelines omit what livekit-agents traces in a job")

    def _tell(self, about: str, line: str) -> None:
        """Once, and no warning: the user chose it."""
        if about not in self._told:
            self._told.add(about)
            log.info(line)


class _ObservedTracer(trace.Tracer):
    """The tracer that livekit-agents would have had, and an ``UnseenSpan`` for what it does not record."""

    def __init__(self, users: trace.Tracer, jobs: JobTracer) -> None:
        self._users = users
        self._jobs = jobs

    def start_span(self, *args: Any, **kwargs: Any) -> trace.Span:
        """As the user's tracer does."""
        span = self._users.start_span(*args, **kwargs)
        return guarded(self._started, _START, span, None, args, kwargs) or span

    @contextmanager
    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Iterator[trace.Span]:  # type: ignore[override]
        """As the user's tracer does."""
        above = guarded(context.get_current)
        with self._users.start_as_current_span(*args, **kwargs) as span:
            unseen = guarded(self._started, _START_AS_CURRENT, span, above, args, kwargs)
            if unseen is None:
                yield span
                return
            how = {key: kwargs[key] for key in _OF_USE_SPAN if key in kwargs}
            with _current(unseen, trace.use_span(unseen, **{"end_on_exit": True, **how})):
                yield unseen

    def _started(
        self, signature: inspect.Signature, span: trace.Span, above: Context | None, args: Any, kwargs: Any
    ) -> UnseenSpan | None:
        how = dict(signature.bind(self, *args, **kwargs).arguments)
        return self._jobs.started(span, how.pop("context", None) or above or context.get_current(), how)

    def __getattr__(self, name: str) -> Any:
        """What else the user's tracer has."""
        return getattr(self._users, name)


_OF_USE_SPAN = ("end_on_exit", "record_exception", "set_status_on_exception")


@contextmanager
def _current(span: trace.Span, used: Any) -> Iterator[trace.Span]:
    """``used``, which makes this span the current one; an unseen one is also found behind spans that nobody records.

    The root of a job without a provider is found there only: its entrypoint, where a provider may be set, must find no
    current span, as it would without tracer.
    """
    with used:
        if not isinstance(span, UnseenSpan):
            yield span
            return
        token = guarded(_put_behind, span)
        try:
            yield span
        finally:
            if token is not None:
                guarded(context.detach, token)


def _put_behind(span: UnseenSpan) -> Token[Context]:
    above = context.set_value(BEHIND, span)
    if span.name == _ROOT and not span.dropped:
        above = trace.set_span_in_context(trace.INVALID_SPAN, above)
    return context.attach(above)


def _provider() -> trace.TracerProvider:
    """The provider whose tracer livekit-agents has: its own, or that of all of OpenTelemetry."""
    own: trace.TracerProvider = telemetry.tracer._tracer_provider  # noqa: SLF001  see private_names
    return trace.get_tracer_provider() if isinstance(own, trace.ProxyTracerProvider) else own
