"""Why a server was not reached, in words."""

from __future__ import annotations

import errno

import aiohttp

__all__ = ["UNREACHED", "in_words"]

UNREACHED = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""What aiohttp raises when there is no answer; ValueError: the address is not valid."""


def in_words(error: BaseException, limit: float) -> str:
    """A few words that follow "at URL: ". ``limit`` is how many seconds were waited."""
    match error:
        case TimeoutError():
            return f"no answer within {limit:g} s"
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not trusted"
        case aiohttp.ClientSSLError():
            return "it does not speak TLS"
        case aiohttp.ClientConnectorDNSError():
            return "no such host"
        case aiohttp.ClientConnectorError() if error.os_error.errno == errno.ECONNREFUSED:
            return "nothing listens there"
        case aiohttp.ClientConnectorError():
            return str(error.os_error.strerror or "it cannot be reached")
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
            return "it closed the connection without an answer"
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return "it does not speak HTTP"
        case _:
            return type(error).__name__
