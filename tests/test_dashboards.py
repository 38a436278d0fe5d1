"""The form of dashboards/jaeger-ui.json; Jaeger ignores in silence what it does not know.

Source: jaeger-ui v2.20.0, src/types/config.ts and src/model/link-patterns.ts. What it leads to is tested in
tests/live/test_dashboards.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from tracer import keys

TEXT = (Path(__file__).parents[1] / "dashboards" / "jaeger-ui.json").read_text(encoding="utf-8")
UI = json.loads(TEXT)
ITEMS = [item for group in UI["menu"] for item in group["items"]]
KEYS = {getattr(keys, name) for name in keys.__all__}


def test_settings_are_jaegers() -> None:
    assert UI.keys() <= {"menu", "search", "monitor", "topTagPrefixes", "linkPatterns"}
    assert UI["search"].keys() <= {"defaultLookback", "maxLookback", "maxLimit", "adjustEndTime"}
    assert UI["search"]["maxLookback"].keys() == {"label", "value"}
    assert UI["monitor"].keys() <= {"menuEnabled"}


def test_jaeger_can_put_it_into_its_page() -> None:
    assert "$" not in TEXT, "Jaeger's server would put something else in its place"


def test_the_menu_leads_into_jaeger_or_to_documentation() -> None:
    for item in ITEMS:
        assert item.keys() <= {"label", "url", "anchorTarget"}
        assert item["url"].startswith(("search?", "https://")), "relative: a proxy may put Jaeger under another path"


def test_links_are_from_tags_that_our_spans_have() -> None:
    for pattern in UI["linkPatterns"]:
        assert pattern.keys() == {"type", "key", "url", "text"}
        assert pattern["type"] == "tags"
        assert pattern["key"] in KEYS
        assert set(re.findall(r"#\{(.*?)\}", pattern["url"] + pattern["text"])) <= {pattern["key"]}
        assert pattern["url"].startswith(("search?", "trace/"))
