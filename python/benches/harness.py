# SPDX-License-Identifier: MIT OR Apache-2.0
"""A small harness: the sides of a comparison take turns in short batches, and what counts is the median of the
ratios of neighbours, in time of the processor.  So a machine that is busy with other things, or changes its clock,
slows all sides alike."""

import os
import platform
import statistics
import time
import timeit
from pathlib import Path
from typing import Any

BATCH = 200e-6  # seconds: short beside a time slice, long beside reading the clock
BUDGET = 0.9  # seconds that a comparison takes
LEAST, MOST = 25, 1001  # rounds

HUGE_PAGE = 2 << 20


def compare(title: str, sides: dict[str, str], names: dict[str, Any], *, elapsed: bool = False) -> None:
    """Times statements on `names`, and prints how long each takes and how the first, ours, stands to the others.

    `elapsed`: in the time that passes, where others work for the sides."""
    clock = time.perf_counter if elapsed else time.thread_time
    timers = [timeit.Timer(statement, timer=clock, globals=names) for statement in sides.values()]
    counts = [calibrate(timer) for timer in timers]
    round_time = sum(timer.timeit(count) for timer, count in zip(timers, counts, strict=True))
    order = list(range(len(timers)))
    times: list[list[float]] = [[] for _ in timers]
    for _ in range(min(max(int(BUDGET / round_time), LEAST), MOST)):
        for side in order:
            times[side].append(timers[side].timeit(counts[side]) / counts[side])
        # The next round goes the other way: nobody always finds the caches that the same other left behind.
        order.reverse()
    print(f"\n{title}")
    for side, what in enumerate(sides):
        print(f"  {what:<52}{duration(statistics.median(times[side]))}{standing(times[0], times[side], side > 0)}")


def calibrate(timer: timeit.Timer) -> int:
    """Warms up, and finds how many calls make a batch."""
    timer.timeit(1)
    count = 1
    while timer.timeit(count) < BATCH:
        count *= 2
    return count


def standing(ours: list[float], theirs: list[float], wanted: bool) -> str:
    if not wanted:
        return ""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    first, median, third = statistics.quantiles(ratios, n=4)
    return f"{median:>9.2f} x  ({first:.2f} .. {third:.2f})"


def duration(seconds: float) -> str:
    for unit, scale in (("ns", 1e9), ("us", 1e6)):
        if seconds * scale < 1000:
            return f"{seconds * scale:>8.{1 if unit == 'ns' else 2}f} {unit}"
    return f"{seconds * 1e3:>8.2f} ms"


def print_head(version: str) -> None:
    """The facts of the machine without which a measurement means nothing."""
    print(f"unipc {version}, the Python face; Python {platform.python_version()}")
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else "unknown"
    print(f"Linux {platform.release()}; {model}; {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.2f}")
    print(
        f"pages of {os.sysconf('SC_PAGESIZE')} bytes, huge pages free: {free_huge_pages()} of {HUGE_PAGE} bytes; "
        f"transparent ones: {chosen('enabled')}, for shared memory: {chosen('shmem_enabled')}"
    )
    print(
        "Median processor times of one run; N x: what unipc takes as a multiple of what the line names "
        "(median and quartiles of paired ratios)."
    )


def share_a_processor() -> None:
    """From now on this process and those that it starts run on one processor: what it takes to wake somebody on another
    one differs from run to run, and from one side to the next."""
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])


def free_huge_pages() -> int:
    pool = Path(f"/sys/kernel/mm/hugepages/hugepages-{HUGE_PAGE >> 10}kB/free_hugepages")
    return int(pool.read_text()) if pool.exists() else 0


def chosen(setting: str) -> str:
    """The word in brackets: what of `always [madvise] never` is in force."""
    path = Path("/sys/kernel/mm/transparent_hugepage") / setting
    return path.read_text().partition("[")[2].partition("]")[0] if path.exists() else "unknown"
