"""An OpenTelemetry backend as a process: python -m tests.chaos.backend PORT LEDGER

It writes what it accepts into the ledger, then answers 200; it keeps nothing else, so it can be killed at any time.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.ledger import Arrived
from tests.otlp_backend import ACCEPTED, OtlpBackend, Reply

if TYPE_CHECKING:
    from tests.otlp_backend import Spans


def main(port: int, ledger: Arrived) -> None:
    def accept(spans: Spans) -> Reply:
        ledger.note((span.trace_id.hex(), span.span_id.hex(), span.name) for span in spans)
        backend.requests.clear()
        backend.headers.clear()
        backend.got.clear()
        return ACCEPTED

    backend = OtlpBackend(accept, port)
    with backend:
        threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), Arrived(Path(sys.argv[2])))
