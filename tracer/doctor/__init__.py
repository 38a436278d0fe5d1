"""`tracer doctor`: checks that a setup can be traced, before anything is traced; one check a file."""

from __future__ import annotations

__all__: list[str] = []
