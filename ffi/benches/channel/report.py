#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Says what the lines of JSON of a channel benchmark mean: tables, expectations, plots.

report.py LINES.json DIRECTORY
"""

import json
import pathlib
import sys
from dataclasses import dataclass

WIDTH, ROW, LEFT = 900, 22, 330


@dataclass
class Expectation:
    """`name` at `size` shall cost at most `most` times what the metric's limit does."""

    number: str
    what: str
    name: str
    metric: str
    size: int
    most: float
    field: str = "ratio"


ROUND_TRIP, ONE_WAY = "round trip", "one way"
EXPECTATIONS = [
    Expectation("1", "round trip 8 B, in raw ping-pongs", "queue", ROUND_TRIP, 8, 0.85),
    Expectation("1", "round trip 48 B, in raw ping-pongs", "queue", ROUND_TRIP, 48, 1.0),
    Expectation("1", "round trip 64 B, in raw ping-pongs", "queue", ROUND_TRIP, 64, 1.15),
    Expectation("1", "p99 in p50 of 8 B", "queue", ROUND_TRIP, 8, 1.6, "p99/p50"),
    Expectation("2", "question and answer 8 B, in raw ping-pongs", "service", ROUND_TRIP, 8, 0.65),
    Expectation("2", "question and answer 56 B, in raw ping-pongs", "service", ROUND_TRIP, 56, 0.65),
    Expectation("3", "one way 8 B, in lines of a stream", "queue", ONE_WAY, 8, 1.5),
    Expectation("3", "one way 64 B, in lines of a stream", "queue", ONE_WAY, 64, 2.0),
    Expectation("3", "one way 64 B, slowest in fastest", "queue", ONE_WAY, 64, 1.5, "most/least"),
    Expectation("4", "rows 8 B, in lines of a stream", "queue, rows of 32", ONE_WAY, 8, 1.0),
    Expectation("4", "rows 64 B, in lines of a stream", "queue, rows of 32", ONE_WAY, 64, 1.6),
    Expectation("4", "rows 1 KiB, in copies", "queue, rows of 32", ONE_WAY, 1024, 1.2),
    Expectation("5", "64 KiB read in place, in copies", "queue, read in place", ONE_WAY, 65536, 0.95),
    Expectation("5", "untouched, in raw ping-pongs", "queue, in place and untouched", ROUND_TRIP, 65536, 1.2),
    Expectation(
        "6",
        "8 processes at one queue, in the time of one",
        "queue, 8 processes send and receive",
        "mixed",
        64,
        1 / 0.7,
    ),
    Expectation("7", "topic one way 64 B, in lines", "topic", ONE_WAY, 64, 2.0),
    Expectation("7", "topic round trip 64 B, in raw ping-pongs", "topic", ROUND_TRIP, 64, 1.15),
    Expectation("8", "default waiting, awake, 8 B", "queue, default waiting", ROUND_TRIP, 8, 0.85 * 1.1),
    Expectation("8", "default waiting, asleep, in futexes", "queue, default waiting", "asleep", 64, 1.1),
]


def figure(case: dict, field: str) -> float:
    numerator, _, denominator = field.partition("/")
    return case[numerator] / (case[denominator] if denominator else 1)


def table(cases: list[dict]) -> None:
    for metric in dict.fromkeys(case["metric"] for case in cases):
        print(f"\n{metric:<46} {'bytes':>8} {'median':>11} {'of limit':>9} {'p50':>10} {'p99':>10} {'p99.9':>10}")
        for case in (case for case in cases if case["metric"] == metric):
            tail = "".join(f" {case[key]:>10.0f}" for key in ("p50", "p99", "p99.9") if key in case)
            line = f"{case['name']:<46} {case['size']:>8} {case['nanoseconds']:>8.1f} ns {case['ratio']:>8.2f}x"
            print(line + tail)


def expectations(cases: list[dict]) -> None:
    found = {(case["name"], case["metric"], case["size"]): case for case in cases}
    print("\nexpectations")
    for wanted in EXPECTATIONS:
        case = found.get((wanted.name, wanted.metric, wanted.size))
        if case is None:
            print(f"  {wanted.number}  {wanted.what}: not measured")
            continue
        got = figure(case, wanted.field)
        verdict = "met" if got <= wanted.most else "missed"
        print(f"  {wanted.number}  {wanted.what}: {got:.2f} (at most {wanted.most:.2f}) {verdict}")


def plot(cases: list[dict], metric: str) -> str:
    """Bars of each case of a metric, on a logarithmic scale, with the limit's own time as a mark."""
    chosen = [case for case in cases if case["metric"] == metric]
    most = max(max(case["nanoseconds"], case["limit"]) for case in chosen)

    def place(nanoseconds: float) -> float:
        # From 1 ns on; each decade is as wide as the next one.
        decades = len(str(int(most)))
        digits = len(str(int(max(nanoseconds, 1)))) - 1
        within = max(nanoseconds, 1) / 10**digits
        return LEFT + (WIDTH - LEFT - 90) * (digits + (within - 1) / 9) / decades

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{ROW * (len(chosen) + 2)}" '
        'font-family="sans-serif" font-size="12">',
        f'<text x="8" y="16" font-weight="bold">{metric}: nanoseconds; the mark is what the machine can do</text>',
    ]
    for row, case in enumerate(chosen, start=1):
        y = ROW * row + 6
        end, limit = place(case["nanoseconds"]), place(case["limit"])
        colour = "#2a6f97" if case["name"].startswith(("queue", "topic", "service")) else "#999999"
        parts += [
            f'<text x="8" y="{y + 13}">{case["name"]}, {case["size"]} B</text>',
            f'<rect x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{ROW - 6}" fill="{colour}"/>',
            f'<rect x="{limit:.1f}" y="{y - 2}" width="2" height="{ROW - 2}" fill="#c1121f"/>',
            f'<text x="{end + 4:.1f}" y="{y + 13}">{case["nanoseconds"]:.0f}</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])


def main() -> None:
    lines, directory = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    cases = [json.loads(line) for line in lines.read_text().splitlines() if line]
    directory.mkdir(parents=True, exist_ok=True)
    table(cases)
    for metric in dict.fromkeys(case["metric"] for case in cases):
        (directory / f"channel-{metric.replace(' ', '-')}.svg").write_text(plot(cases, metric))
    print(f"\nplots: {directory}/channel-*.svg")
    expectations(cases)


if __name__ == "__main__":
    main()
