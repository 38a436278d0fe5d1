"""Links in the terminal (OSC 8): a room's page and its trace, only where the terminal is known to show them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tracer.settings import jaeger_address, page_address, terminal_has_links

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["linked", "room_links"]


def linked(text: str, address: str) -> str:
    """The text as a link, where the terminal shows links; never in a pipe or a file. Both are harmless."""
    return f"\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\" if _shown() and _is_harmless(address) else text


def room_links() -> Callable[[str], str] | None:
    """What makes the address of a room, given by its SID: its page where ``TRACER_ENDPOINT`` is set, else its trace.

    None where neither is, or the terminal shows no links.
    """
    from tracer import ids
    from tracer.view.link import page_link, trace_link

    if not _shown():
        return None
    if (page := page_address()) and _is_harmless(page):
        return lambda sid: page_link(sid, page)
    if (jaeger := jaeger_address()) and _is_harmless(jaeger):
        return lambda sid: trace_link(f"{ids.trace_id(sid):032x}", jaeger)
    return None


def _shown() -> bool:
    return sys.stdout.isatty() and terminal_has_links()


def _is_harmless(address: str) -> bool:
    return address.startswith(("http://", "https://")) and address.isascii() and address.isprintable()
