"""What livekit-server does where its configuration sets nothing else."""

from __future__ import annotations

from typing import Final

__all__ = ["TARGET_LOAD"]

TARGET_LOAD: Final = 0.7
"""``agents.target_load``: where every AVAILABLE worker reports this load or more, no job is offered.
Source: livekit-server 1.13.5, pkg/agent/config.go and pkg/service/agentservice.go, ``JobRequestAffinity``."""
