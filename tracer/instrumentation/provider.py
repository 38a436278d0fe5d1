"""A tracer provider of tracer's own, for spans that no provider of the user's makes."""

from __future__ import annotations

import os
import socket

from opentelemetry.sdk.environment_variables import OTEL_SDK_DISABLED
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from tracer import ids
from tracer.errors import ConfigurationError
from tracer.instrumentation.current_job import current_job
from tracer.instrumentation.guard import guarded
from tracer.settings import service_name

__all__ = ["RoomIds", "own_provider"]

_LIMITS = SpanLimits(
    max_span_attributes=128,
    max_span_attribute_length=SpanLimits.UNSET,
    max_attribute_length=SpanLimits.UNSET,
    max_events=128,
    max_event_attributes=128,
    max_links=128,
    max_link_attributes=128,
)
"""OpenTelemetry's defaults, whatever ``OTEL_…_LIMIT`` is set to: an id that is cut is another one."""


def own_provider(id_generator: IdGenerator | None = None) -> TracerProvider:
    """A new provider. It ignores the user's variables for sampling and limits: they are for the user's backend.

    Raises ConfigurationError where OpenTelemetry is turned off altogether.
    """
    if os.environ.get(OTEL_SDK_DISABLED, "").strip().lower() == "true":
        raise ConfigurationError(
            f"{OTEL_SDK_DISABLED} is set, so nothing is reported: timelines will show neither this worker nor what its"
            " jobs do; unset it to have them"
        )
    resource = Resource.create({"service.name": service_name("livekit-agent"), "host.name": socket.gethostname()})
    return TracerProvider(ALWAYS_ON, resource, False, id_generator=id_generator, span_limits=_LIMITS)


class RoomIds(RandomIdGenerator):
    """Starts the traces of a job in its room's trace: what names them leads there, and not to where nothing is."""

    def generate_trace_id(self) -> int:
        """The room's trace id within a job, a random one elsewhere."""
        return guarded(_trace_id_of_room) or super().generate_trace_id()


def _trace_id_of_room() -> int | None:
    """None outside a job."""
    job = current_job()
    return ids.trace_id(job.job.room.sid) if job else None
