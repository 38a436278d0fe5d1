"""Puts real processes under fire, part by part, and writes what came of it to docs/chaos.md.

python -m tests.chaos [kills] [shared] [webhooks] [disk] [strangers] [--rounds 200] [--seed N] [--keep FOLDER]

Exits 1 when anything was lost, exported twice, or took too long. With parts named, nothing is written.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.chaos import disk, kills, shared, strangers, webhooks
from tests.chaos.options import Options
from tests.chaos.page import rows_of, write

PARTS = {"kills": kills, "shared": shared, "webhooks": webhooks, "disk": disk, "strangers": strangers}
ROUNDS = 200


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; without any, all")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often the receiver is killed")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of what is left to chance")  # noqa: S311
    parser.add_argument("--keep", type=Path, help="a folder in which stores, ledgers and logs stay")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}: there are {', '.join(PARTS)}")
    print(f"seed {given.seed}", flush=True)
    rows = []
    with ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracer-chaos-")))
        for name in given.parts or PARTS:
            own = folder / name
            own.mkdir(parents=True)
            made = asyncio.run(PARTS[name].run(Options(given.rounds, random.Random(given.seed), own)))  # noqa: S311
            print(rows_of(made), flush=True)
            rows += made
    if not given.parts:
        write(rows)
    return 0 if all(row.right for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
