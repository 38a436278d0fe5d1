"""From a timeline to OpenTelemetry spans, and from there to any OTLP backend."""
