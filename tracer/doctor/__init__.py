"""`tracer doctor`: whether a set-up can be traced, found out before anything is traced; one check a file."""

from __future__ import annotations

__all__: list[str] = []
