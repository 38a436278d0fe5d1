"""The sample agent as a worker of its own, on a machine that may be busy with the rest of the demo.

python worker.py AGENT_FILE start
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

# Job processes are given this module's path and import the agent's functions by the agent's own name.
_file = Path(sys.argv[1] if len(sys.argv) > 1 else "agent.py")
if __name__ == "__main__":
    sys.argv.pop(1)
    sys.path.insert(0, str(_file.parent))


def load() -> float:
    """A worker refuses jobs above a load of 0.7, and here server and caller load the machine too.

    So the load is 0, or that of AGENT_LOAD.
    """
    return float(os.environ.get("AGENT_LOAD", "0"))


def main() -> None:
    """Run the agent's server."""
    from livekit.agents import AgentServer, cli

    server = import_module(_file.stem).server
    if not isinstance(server, AgentServer):
        raise SystemExit(f"{_file}: no AgentServer named server")
    server.load_fnc = load
    if threshold := os.environ.get("AGENT_LOAD_THRESHOLD"):
        server.update_options(load_threshold=float(threshold))
    if idle := os.environ.get("AGENT_IDLE_PROCESSES"):
        server.update_options(num_idle_processes=int(idle))
    cli.run_app(server)


if __name__ == "__main__":
    main()
