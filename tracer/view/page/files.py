"""The page's files, and the page as one file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["CONTENT_TYPES", "one_file", "static"]

CONTENT_TYPES = {
    "page.css": "text/css",
    "d3.min.js": "text/javascript",
    "scale.js": "text/javascript",
    "chart.js": "text/javascript",
    "room.js": "text/javascript",
    "rooms.js": "text/javascript",
    "page.js": "text/javascript",
}
"""The files beside ``index.html``, in the order in which the page loads them."""


@cache
def static(name: str) -> bytes:
    """One of the page's files."""
    return files("tracer.view.page").joinpath("static", name).read_bytes()


def one_file(rooms: list[dict[str, Any]], title: str) -> str:
    """The page with these rooms (``tracer.page/1``) in it: it opens without a server, and asks for nothing.

    Its Content-Security-Policy names what it runs by its hash, so that nothing in a name or an attribute can run.
    """
    html = static("index.html").decode()
    style = static("page.css").decode()
    scripts = [static(name).decode() for name in CONTENT_TYPES if name.endswith(".js")]
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_hash, scripts))}; style-src {_hash(style)};"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )
    # In a block of JSON only its end, which begins with <, means anything to a browser.
    data = json.dumps(rooms, separators=(",", ":")).replace("<", "\\u003c")
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<style>{style}</style>'
    body = f'<script type="application/json" id="data">{data}</script>\n'
    body += "\n".join(f"<script>{script}</script>" for script in scripts)
    begin, rest = html.split("<!-- style:begin -->")[0], html.split("<!-- style:end -->")[1]
    middle, end = rest.split("<!-- scripts:begin -->")[0], rest.split("<!-- scripts:end -->")[1]
    escaped = title.replace("&", "&amp;").replace("<", "&lt;")
    begin = begin.replace("<title>tracer</title>", f"<title>{escaped}</title>")
    return f"{begin}{head}{middle}{body}{end}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
