"""The short way to verify a token takes nothing that LiveKit's own library refuses, and what LiveKit's server makes."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from livekit.api import TokenVerifier

from tests.signed import EVENTS, KEY, SECRET, SERVER, body, token
from tracer.witness import webhook_token
from tracer.witness.webhook_token import signed_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = int(time.time())
DIGEST = "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE="
AS_THE_SERVER = {"iss": KEY, "iat": NOW, "nbf": NOW, "exp": NOW + 86_400, "sha256": DIGEST}
"""livekit/protocol, auth/accesstoken.go, as livekit-server 1.13.5 has it; a webhook's token names nobody."""


def signed(claims: Mapping[str, Any], secret: str = SECRET, head: str = webhook_token._USUAL[:-1]) -> str:
    said = f"{head}.{packed(json.dumps(claims).encode())}"
    return f"{said}.{packed(hmac.digest(secret.encode(), said.encode(), 'sha256'))}"


def packed(what: bytes) -> str:
    return urlsafe_b64encode(what).rstrip(b"=").decode()


def by_the_library(made: str) -> Any:
    """The digest that LiveKit's library finds in a token; None where it refuses it."""
    try:
        return TokenVerifier(KEY, SECRET).verify(made).sha256
    except Exception:  # noqa: BLE001  it names none
        return None


@pytest.mark.parametrize(
    "made", [signed(AS_THE_SERVER), token(body(EVENTS[0]), ttl=timedelta(days=1))], ids=["server", "library"]
)
def test_what_livekit_makes_takes_the_short_way(made: str) -> None:
    found = webhook_token._if_usual(made, SERVER)
    assert found
    assert found == by_the_library(made)
    assert signed_digest(f"Bearer {made}", SERVER) == webhook_token._decoded(found)


def test_a_long_way_is_as_good() -> None:
    """An unusual token that LiveKit's library takes."""
    made = signed({**AS_THE_SERVER, "name": "somebody"})
    assert webhook_token._if_usual(made, SERVER) is None
    assert signed_digest(made, SERVER) == signed_digest(signed(AS_THE_SERVER), SERVER)


times: st.SearchStrategy[Any] = st.one_of(
    st.integers(NOW - 500, NOW + 500), st.sampled_from([None, True, "soon", str(NOW), 2**70, -1, NOW + 0.5, [], {}])
)
texts: st.SearchStrategy[Any] = st.sampled_from([KEY, "APIother", "", None, 5, True, [KEY], DIGEST, {}, "\ud800"])
claims = st.fixed_dictionaries(
    {},
    optional={
        "iss": st.just(KEY) | texts,
        "sub": texts,
        "iat": times,
        "nbf": times,
        "exp": st.just(NOW + 86_400) | times,
        "sha256": st.just(DIGEST) | texts,
        "aud": texts,
        "video": texts,
        "jti": texts,
    },
)


@settings(max_examples=1000, deadline=None)
@given(claims, st.sampled_from([SECRET, "another secret of thirty-two characters"]))
def test_it_takes_nothing_that_the_library_refuses(claimed: dict[str, Any], secret: str) -> None:
    made = signed(claimed, secret)
    found = webhook_token._if_usual(made, SERVER)
    if found is not None:
        assert found == by_the_library(made)


@pytest.mark.parametrize(
    "made",
    [
        signed(AS_THE_SERVER, secret="another secret of thirty-two characters"),  # noqa: S106  # of no server
        signed(AS_THE_SERVER, head=packed(b'{"alg":"HS512","typ":"JWT"}')),
        signed(AS_THE_SERVER, head=packed(b'{"alg":"none","typ":"JWT"}')),
        signed(AS_THE_SERVER).rpartition(".")[0] + ".",
        signed(AS_THE_SERVER) + "=",
        signed(AS_THE_SERVER)[:-1],
        signed(AS_THE_SERVER) + ".e30",
        webhook_token._USUAL,
        webhook_token._USUAL + "e30",
        webhook_token._USUAL + ".",
    ],
    ids=[
        "other secret",
        "HS512",
        "no algorithm",
        "no signature",
        "padded",
        "cut off",
        "four parts",
        "a header",
        "no claims",
        "empty claims",
    ],
)
def test_another_signature_or_header_is_the_librarys_to_judge(made: str) -> None:
    assert webhook_token._if_usual(made, SERVER) is None
