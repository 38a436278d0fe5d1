from __future__ import annotations

import pytest

from tracer.view.link import trace_link


@pytest.mark.parametrize(
    ("base", "link"),
    [
        ("http://127.0.0.1:16686", "http://127.0.0.1:16686/trace/0af7651916cd43dd8448eb211c80319c"),
        ("https://ops.example/jaeger/", "https://ops.example/jaeger/trace/0af7651916cd43dd8448eb211c80319c"),
    ],
)
def test_a_traces_page_is_below_jaegers_address(base: str, link: str) -> None:
    assert trace_link("0af7651916cd43dd8448eb211c80319c", base) == link
