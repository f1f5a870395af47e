# SPDX-License-Identifier: MIT OR Apache-2.0
"""What channels are expected to reach, by number, and what a run gave."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

RT, OW, ASLEEP = "round trip", "one way", "asleep"
SPIN, WAIT, ROWS, LENT = "queue", "queue, default waiting", "queue, rows of 32", "queue, in place and untouched"
SEVERAL, TWO = "queue, several senders and receivers", "2 processes send and receive"
OURS = ("queue", "topic", "service", "Python: queue", "Python: asyncio, queue")

Case = dict[str, Any]


class MissingError(Exception):
    """Why a figure is not there."""


def moved(case: Case, other: Case) -> bool:
    """Whether the host has put the two processors elsewhere between two cases: the machine itself took another time."""
    return not 1 / 1.4 < case["limit"] / other["limit"] < 1.4


class Cases:
    """The cases of a run, in its order. What others are judged by is measured more than once."""

    def __init__(self, lines: list[Case]) -> None:
        self.measured = [case for case in lines if "metric" in case and "skipped" not in case]
        self.skipped = [case for case in lines if "skipped" in case]
        for place, case in enumerate(self.measured):
            case["place"] = place

    def all_of(self, name: str, metric: str, size: int) -> list[Case]:
        found = [case for case in self.measured if (case["name"], case["metric"], case["size"]) == (name, metric, size)]
        for case in self.skipped if not found else []:
            same = case.get("metric", metric) == metric and case.get("size", size) == size
            if same and name.startswith(case["name"]):
                raise MissingError(f"{case['name']}: {case['skipped']}")
        if not found:
            raise MissingError(f"{name}, {metric}, {size} bytes: not measured")
        return found

    def find(self, name: str, metric: str, size: int) -> Case:
        """The one in the middle."""
        found = sorted(self.all_of(name, metric, size), key=lambda case: case.get("ratio", 0))
        return found[len(found) // 2]

    def nearest(self, name: str, case: Case) -> Case:
        """Of what was measured beside a case, the nearest in time."""
        return min(
            self.all_of(name, case["metric"], case["size"]), key=lambda other: abs(other["place"] - case["place"])
        )

    def peers(self, metric: str, size: int) -> list[Case]:
        """Those in C, C++ and Rust. Memory that is handed over unread is another thing than a message."""
        found = [
            case
            for case in self.measured
            if (case["metric"], case["size"]) == (metric, size)
            and not case["name"].startswith((*OURS, "Python"))
            and "untouched" not in case["name"]
        ]
        if not found:
            raise MissingError("no peer could be measured")
        return found


# A figure, and perhaps what it was set beside.
Figure = Callable[[Cases], tuple[float, str]]


def ratio(name: str, metric: str, size: int) -> Figure:
    """In what the machine itself takes."""
    return lambda cases: (cases.find(name, metric, size)["ratio"], "")


def value(metric: str) -> Figure:
    return lambda cases: (cases.find(WAIT, metric, 64)["value"], "")


def within(name: str, metric: str, size: int, most: str, least: str) -> Figure:
    """One figure of a case in another one."""

    def figure(cases: Cases) -> tuple[float, str]:
        case = cases.find(name, metric, size)
        return case[most] / case[least], ""

    return figure


def beside(name: str, other: str, metric: str, size: int) -> Figure:
    """What one takes in what another one takes that was measured beside it."""

    def figure(cases: Cases) -> tuple[float, str]:
        pairs = [(case, cases.nearest(other, case)) for case in cases.all_of(name, metric, size)]
        steady = [pair for pair in pairs if not moved(*pair)]
        case, judge = min(steady or pairs, key=lambda pair: abs(pair[0]["place"] - pair[1]["place"]))
        # Where the processors have moved, what the machine took is a poor measure, but the only one.
        field = "nanoseconds" if steady else "ratio"
        return case[field] / judge[field], "" if steady else "the processors having moved"

    return figure


def faster(name: str, other: str, metric: str, size: int) -> Figure:
    """How many times the rate of another one."""

    def figure(cases: Cases) -> tuple[float, str]:
        times, note = beside(other, name, metric, size)(cases)
        return times, note

    return figure


def ahead(metric: str, size: int) -> Figure:
    """What ours takes in what the peer takes that stands best, each beside ours."""

    def figure(cases: Cases) -> tuple[float, str]:
        pairs = [(cases.nearest(SPIN, peer), peer) for peer in cases.peers(metric, size)]
        steady = [
            (ours["nanoseconds"] / peer["nanoseconds"], peer["name"]) for ours, peer in pairs if not moved(ours, peer)
        ]
        if not steady:
            raise MissingError("the processors moved between all pairs")
        times, name = max(steady)
        return times, f"{name}{f', of {len(steady)} peers in {len(pairs)}' if len(steady) < len(pairs) else ''}"

    return figure


def ahead_at_one_queue(cases: Cases) -> tuple[float, str]:
    """The contenders take turns, so that their nanoseconds are of the same minutes."""
    ours = cases.find(f"queue, {TWO}", "mixed", 64)
    best = min(cases.peers("mixed", 64), key=lambda case: case["nanoseconds"])
    return ours["nanoseconds"] / best["nanoseconds"], best["name"].removesuffix(f", {TWO}")


def records_in_a_second(cases: Cases) -> tuple[float, str]:
    return 1e3 / cases.find("Python: queue, numpy records", OW, 64)["nanoseconds"], ""


@dataclass
class Expectation:
    number: int
    what: str
    figure: Figure
    bound: float
    at_least: bool = False
    below: bool = False

    def verdict(self, cases: Cases) -> tuple[float | None, str]:
        try:
            figure, best = self.figure(cases)
        except MissingError as why:
            return None, f"skipped: {why}"
        met = figure >= self.bound if self.at_least else figure < self.bound if self.below else figure <= self.bound
        limit = f"{'at least' if self.at_least else 'below' if self.below else 'at most'} {self.bound:.4g}"
        return figure, f"{figure:.3g}{f', {best}' if best else ''} ({limit}) {'met' if met else 'missed'}"


def expectations() -> list[Expectation]:
    e = Expectation
    mp, pipe = "Python: multiprocessing.Queue", "Python: os.pipe"
    sizes = {8: "8 B", 64: "64 B", 1024: "1 KiB", 65536: "64 KiB"}
    small = list(sizes.items())[:2]
    return [
        e(1, "round trip 8 B, in raw ping-pongs", ratio(SPIN, RT, 8), 0.85),
        e(1, "round trip 48 B, in raw ping-pongs", ratio(SPIN, RT, 48), 1.0),
        e(1, "round trip 64 B, in raw ping-pongs", ratio(SPIN, RT, 64), 1.15),
        e(1, "p99 in p50 of 8 B", within(SPIN, RT, 8, "p99", "p50"), 1.6),
        e(1, "p99 in p50 of 64 B", within(SPIN, RT, 64, "p99", "p50"), 1.6),
        *(e(1, f"round trip {t}, in the best peer's", ahead(RT, s), 1, below=True) for s, t in sizes.items()),
        *(e(1, f"one way {t}, in the best peer's", ahead(OW, s), 1, below=True) for s, t in sizes.items()),
        e(2, "question and answer 8 B, in raw ping-pongs", ratio("service", RT, 8), 0.65),
        e(2, "question and answer 56 B, in raw ping-pongs", ratio("service", RT, 56), 0.65),
        e(2, "question and answer 1 KiB, in the queue's round trip", beside("service", SPIN, RT, 1024), 1.3),
        e(3, "one way 8 B, in lines of a stream", ratio(SPIN, OW, 8), 1.5),
        e(3, "one way 64 B, in lines of a stream", ratio(SPIN, OW, 64), 2.0),
        e(3, "one way 8 B, slowest in fastest of 15", within(SPIN, OW, 8, "most", "least"), 1.5),
        e(3, "one way 64 B, slowest in fastest of 15", within(SPIN, OW, 64, "most", "least"), 1.5),
        e(4, "rows of 32, 8 B, in lines of a stream", ratio(ROWS, OW, 8), 1.0),
        e(4, "rows of 32, 64 B, in lines of a stream", ratio(ROWS, OW, 64), 1.6),
        e(4, "rows of 32, 1 KiB, in copies", ratio(ROWS, OW, 1024), 1.2),
        e(5, "64 KiB read in place, in copies", ratio("queue, read in place", OW, 65536), 0.95),
        e(5, "64 KiB untouched, round trip in raw ping-pongs", ratio(LENT, RT, 65536), 1.2),
        e(5, "1 MiB untouched, round trip in raw ping-pongs", ratio(LENT, RT, 1 << 20), 1.2),
        e(
            5,
            "64 KiB untouched one way, times iceoryx2's rate",
            faster(LENT, "iceoryx2, in place and untouched", OW, 65536),
            50,
            at_least=True,
        ),
        e(6, "several senders and receivers, round trip 64 B, in raw ping-pongs", ratio(SEVERAL, RT, 64), 1.3),
        e(6, "the same one way in rows of 32, in lines", ratio(f"{SEVERAL}, rows of 32", OW, 64), 5.0),
        e(6, "two processes at one queue, in the best peer's time", ahead_at_one_queue, 0.9),
        e(
            6,
            "eight processes at one queue, in the rate of two",
            lambda cases: (1 / cases.find("queue, 8 processes send and receive", "mixed", 64)["ratio"], ""),
            0.7,
            at_least=True,
        ),
        e(7, "topic one way 64 B, in lines", ratio("topic", OW, 64), 2.0),
        e(7, "topic round trip 64 B, in raw ping-pongs", ratio("topic", RT, 64), 1.15),
        e(
            7,
            "topic with eight idle subscribers more, in the rate without",
            faster("topic, eight more subscribers that do not read", "topic that overwrites", OW, 64),
            0.9,
            at_least=True,
        ),
        *(e(8, f"default waiting, round trip {t}, in spinning", beside(WAIT, SPIN, RT, s), 1.1) for s, t in small),
        *(
            e(8, f"default waiting, one way {t}, in spinning's rate", faster(WAIT, SPIN, OW, s), 0.9, True)
            for s, t in small
        ),
        e(
            8,
            "system calls in 10,000 round trips of two that are awake",
            value("system calls in 10,000 round trips"),
            0,
        ),
        e(8, "both asleep, in raw futex round trips", ratio(WAIT, ASLEEP, 64), 1.1),
        e(8, "wake-ups for 1,000 sends to a sleeper", value("wake-ups for 1,000 sends"), 1),
        e(8, "percent of a processor while idle", value("percent of a processor while idle"), 0.1, below=True),
        e(9, "Python: round trip 64 B, in raw ping-pongs", ratio("Python: queue, spinning", RT, 64), 3.0),
        e(9, "Python: one way 1 KiB, times multiprocessing.Queue", faster("Python: queue", mp, OW, 1024), 20, True),
        e(9, "Python: the same in lists of 32", faster("Python: queue, lists of 32", mp, OW, 1024), 35, True),
        e(9, "Python: numpy records of 64 B, million a second", records_in_a_second, 50, True),
        e(
            9,
            "Python: one way 64 KiB in lent views, times multiprocessing.Queue",
            faster("Python: queue, lent views", mp, OW, 65536),
            20,
            at_least=True,
        ),
        e(
            9,
            "Python: both asleep, in os.pipe",
            beside("Python: queue", pipe, ASLEEP, 64),
            1.1,
        ),
        e(
            9,
            "Python: waking asyncio, in add_reader on an eventfd",
            beside("Python: asyncio, queue", "Python: asyncio, add_reader on an eventfd", ASLEEP, 64),
            1.2,
        ),
    ]
