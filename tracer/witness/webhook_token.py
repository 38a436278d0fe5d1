"""The token that comes with a webhook: who signed it, and the SHA-256 of the body that it was made for."""

from __future__ import annotations

import hmac
import json
import time
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from livekit.api import TokenVerifier

from tracer.errors import BadSignatureError

if TYPE_CHECKING:
    from tracer.settings import LiveKit

__all__ = ["signed_digest"]

_USUAL = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
"""The header of each token that LiveKit makes, ``{"alg":"HS256","typ":"JWT"}`` (livekit/protocol, accesstoken.go)."""
_CLAIMED = {"iss", "sub", "iat", "nbf", "exp", "sha256"}
"""What LiveKit's server claims in a webhook's token."""


def signed_digest(authorization: str, server: LiveKit) -> bytes:
    """The SHA-256 of the body that a webhook's token was made for.

    Raises BadSignatureError when the token is missing, not signed with our key, or expired.
    """
    token = authorization.strip().removeprefix("Bearer ").strip()
    if not token:
        raise BadSignatureError("webhook without an Authorization header")
    if (digest := _if_usual(token, server)) is not None:
        return _decoded(digest)
    try:
        claims = TokenVerifier(server.api_key, server.api_secret).verify(token)
    except Exception as error:  # noqa: BLE001  the library names none; whatever fails, the token is not good
        if _was_good_once(token, server):
            raise BadSignatureError(
                f"webhook signed for another time ({error}): compare this machine's clock,"
                f" {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, with the LiveKit server's; or it came very late"
            ) from None
        # pyjwt's messages name the fault ("Signature has expired") and never hold the token.
        raise BadSignatureError(
            f"webhook not signed with the key {server.api_key!r} and its secret ({error}): in livekit.yaml,"
            " webhook.api_key must be the LIVEKIT_API_KEY of `tracer serve`, with the same secret"
        ) from None
    return _decoded(claims.sha256)


def _decoded(digest: Any) -> bytes:
    try:
        return b64decode(digest or "", validate=True)
    except (ValueError, TypeError):  # TypeError: a number, say
        return b""


def _if_usual(token: str, server: LiveKit) -> Any:
    """What a token that is as LiveKit's server makes them claims as the digest; None: LiveKit's own library decides.

    It takes a sixth of the library's time, and takes nothing that the library would refuse: so says a test.
    """
    if not token.startswith(_USUAL) or not token.isascii() or not server.api_secret:
        return None
    signed, _, signature = token.rpartition(".")
    mac = hmac.digest(server.api_secret.encode(), signed.encode(), "sha256")
    if not hmac.compare_digest(urlsafe_b64encode(mac).rstrip(b"="), signature.encode()):
        return None
    try:  # it is signed: nobody else's bytes are read here
        claims = json.loads(urlsafe_b64decode(signed[len(_USUAL) :] + "=="))
        is_usual = claims.keys() <= _CLAIMED and claims["iss"] == server.api_key
        times = [claims["exp"], claims.get("iat", 0), claims.get("nbf", 0)]
    except (ValueError, KeyError, AttributeError, RecursionError):
        return None
    is_usual = is_usual and isinstance(claims.get("sub", ""), str) and all(type(at) is int for at in times)
    return claims.get("sha256", "") if is_usual and max(times[1:]) <= time.time() < times[0] else None


def _was_good_once(token: str, server: LiveKit) -> bool:
    """Whether nothing is wrong with a token but the time."""
    try:
        TokenVerifier(server.api_key, server.api_secret, leeway=timedelta(days=36_500)).verify(token)
    except Exception:  # noqa: BLE001  as above
        return False
    return True
