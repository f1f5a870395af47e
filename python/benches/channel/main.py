# SPDX-License-Identifier: MIT OR Apache-2.0
"""Channels in Python beside their peers: a line of JSON for each case, as the benchmark in C writes them.

UNIPC_BENCH_PAIR=LIBRARY main.py [PART OF A CASE'S NAME]
"""

import json
import sys

from pair import Skip, Transport, harness, title
from peers import PEERS, OsPipe
from transports import AddReader, Asyncio, Loans, Queue, Records, Rows, SpinningQueue


def case(kind: type[Transport], metric: str, size: int, *, ours: bool = True) -> None:
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    if chosen not in f"{title(kind)}/{metric}/{size}":
        return
    why = probe(kind, size) or harness.alone(kind, metric, size)
    if why and ours:
        sys.exit(f"{title(kind)}, {metric}, {size} bytes: {why}")
    if why:
        print(json.dumps({"name": title(kind), "metric": metric, "size": size, "skipped": why}), flush=True)


def probe(kind: type[Transport], size: int) -> str | None:
    """Why a transport cannot be had here."""
    try:
        kind().prepare(size)
    except Skip as why:
        return str(why)
    return None


def main() -> None:
    harness.library.come_first()
    for size in (64, 1024, 65536):
        for metric in ("round trip", "one way"):
            for kind in (SpinningQueue, Queue):
                case(kind, metric, size)
            if metric == "one way":
                case(Rows, metric, size)
            if metric == "one way" and size == 65536:
                case(Loans, metric, size)
            for kind in PEERS:
                case(kind, metric, size, ours=False)
    case(Records, "one way", 64)
    case(Queue, "asleep", 64)
    case(OsPipe, "asleep", 64)
    case(Asyncio, "asleep", 64)
    case(AddReader, "asleep", 64)


if __name__ == "__main__":
    main()
