"""Runs the soak, part by part, and writes each part's numbers to docs/soak.md.

python -m tests.soak [recordings] [scenarios] [healthy] [bursts] [--times 10] [--kinds 20] [--only NAME] [--keep FOLDER]

Exits 1 when `tracer why` was wrong anywhere. With --only nothing is written.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.soak import bursts, healthy, recordings, scenarios
from tests.soak.options import Options
from tests.soak.page import write

PARTS = {"recordings": recordings, "scenarios": scenarios, "healthy": healthy, "bursts": bursts}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; without any, all")
    parser.add_argument("--times", type=int, default=10, help="how often each healthy call is made")
    parser.add_argument("--kinds", type=int, default=0, help="so many kinds of healthy calls, taken evenly from all")
    parser.add_argument("--at-once", type=int, default=3, help="how many calls are made at the same time")
    parser.add_argument("--only", default="", help="only what has this in its name, and nothing is written")
    parser.add_argument("--keep", type=Path, help="a folder in which stores, recordings and logs stay")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}: there are {', '.join(PARTS)}")
    right = True
    with ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracer-soak-")))
        for name in given.parts or PARTS:
            own = folder / name
            own.mkdir(parents=True, exist_ok=True)
            report = PARTS[name].run(Options(given.times, given.at_once, given.kinds, given.only, own))
            print(f"\n{report.text}\n", flush=True)
            right &= report.right
            if not given.only:
                write(name, report)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
