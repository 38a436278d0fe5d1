"""Where spans are sent and how, as OpenTelemetry's own variables (``OTEL_EXPORTER_OTLP_…``) say."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tracer.errors import ConfigurationError
from tracer.settings import address, otlp_endpoint, otlp_variable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Target"]

PATIENCE = 60.0
"""Seconds to wait for an answer. Longer than OpenTelemetry's 10: nobody waits for this export, and whoever gives up too
early sends the same spans again."""


@dataclass(frozen=True, slots=True)
class Target:
    """An OTLP/HTTP backend."""

    url: str = field(repr=False)
    """The whole address, path and all. It can hold a password."""
    shown: str
    """The address as it was set, without its secrets."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    compression: str = "none"
    patience: float = PATIENCE
    """Seconds to wait for an answer."""
    tls: ssl.SSLContext | bool = True

    @classmethod
    def from_env(cls) -> Target | None:
        """None when no endpoint is set. Raises ConfigurationError for a value that cannot be used."""
        endpoint = otlp_endpoint()
        if endpoint is None:
            return None
        own = otlp_variable("ENDPOINT", only_traces=True)
        url = own or endpoint.removesuffix("/") + "/v1/traces"
        return cls(
            url, address(endpoint), _headers(), otlp_variable("COMPRESSION").strip().lower(), _patience(), _tls()
        )


def _headers() -> dict[str, str]:
    """``name=value,name=value``, either of them percent-encoded or not."""
    found = {}
    for number, item in enumerate(otlp_variable("HEADERS").split(","), 1):
        if not item.strip():
            continue
        name, equals, value = (unquote(part).strip() for part in item.partition("="))
        sendable = (name + value).isascii() and (name + value).isprintable()
        if not name or not equals or not sendable:
            # The text itself is not shown: it can be a key.
            raise ConfigurationError(f"OTEL_EXPORTER_OTLP_HEADERS: header {number} must look like NAME=VALUE")
        found[name.lower()] = value
    return found


def _patience() -> float:
    """In seconds, as OpenTelemetry's exporter for Python has it."""
    told = otlp_variable("TIMEOUT")
    if not told:
        return PATIENCE
    try:
        seconds = float(told)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ConfigurationError(f"OTEL_EXPORTER_OTLP_TIMEOUT is {told!r}: it must be a number of seconds")
    return seconds


def _tls() -> ssl.SSLContext | bool:
    """What a certificate is checked against, and our own; True for what the system trusts."""
    trusted, own = otlp_variable("CERTIFICATE"), otlp_variable("CLIENT_CERTIFICATE")
    if not trusted and not own:
        return True
    try:
        context = ssl.create_default_context(cafile=trusted or None)
        if own:
            context.load_cert_chain(own, otlp_variable("CLIENT_KEY") or None)
    except (OSError, ssl.SSLError) as error:
        files = " and ".join(file for file in (trusted, own) if file)
        raise ConfigurationError(
            f"OTEL_EXPORTER_OTLP_CERTIFICATE or …_CLIENT_CERTIFICATE: cannot use {files}: {error}"
        ) from None
    return context
