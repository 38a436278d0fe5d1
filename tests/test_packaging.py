from __future__ import annotations

from pathlib import Path

from hatchling.builders.wheel import WheelBuilder


def test_the_wheel_says_that_the_package_is_typed() -> None:
    builder = WheelBuilder(str(Path(__file__).parent.parent))
    included = {file.distribution_path for file in builder.recurse_included_files()}
    assert {"tracer/py.typed", "tracer/__init__.py", "tracer/demo/call.jsonl"} <= included


def test_the_wheel_has_every_file_of_the_page() -> None:
    root = Path(__file__).parent.parent
    builder = WheelBuilder(str(root))
    included = {file.distribution_path for file in builder.recurse_included_files()}
    page = {path.relative_to(root).as_posix() for path in (root / "tracer/view/page/static").iterdir()}
    assert len(page) > 8
    assert page <= included
