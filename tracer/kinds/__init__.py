"""Every kind of moment and what it means: wording, ``--help`` and the documentation are made from these tables."""

from __future__ import annotations

from tracer.kinds.info import KindInfo
from tracer.kinds.kind import Kind

__all__ = ["Kind", "KindInfo"]
