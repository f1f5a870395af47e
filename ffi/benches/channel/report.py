#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Says what the lines of JSON of a channel benchmark mean: tables, expectations, plots.

report.py LINES.json DIRECTORY
"""

import json
import pathlib
import sys

from expectations import OURS, Case, Cases, expectations

WIDTH, ROW, LEFT = 900, 22, 420


def table(cases: list[Case]) -> None:
    """Of what was measured more than once, beside several others, the one in the middle."""
    for metric in dict.fromkeys(case["metric"] for case in cases):
        print(f"\n{metric:<60} {'bytes':>8} {'median':>11} {'of limit':>9} {'p50':>10} {'p99':>10} {'p99.9':>10}")
        for case in (case for case in cases if case["metric"] == metric):
            tail = "".join(f" {case[key]:>10.0f}" for key in ("p50", "p99", "p99.9") if key in case)
            line = f"{case['name']:<60} {case['size']:>8} {case['nanoseconds']:>8.1f} ns {case['ratio']:>8.2f}x"
            print(line + tail)


def skipped(cases: list[Case]) -> None:
    print("\nskipped" if cases else "\nnothing was skipped")
    for case in cases:
        part = "".join(f", {case[key]}" for key in ("metric", "size") if key in case)
        print(f"  {case['name']}{part}: {case['skipped']}")


def judge(cases: Cases, path: pathlib.Path) -> None:
    """The last lines, by number; and the same as lines of JSON."""
    print("\nexpectations")
    lines = []
    for wanted in expectations():
        figure, verdict = wanted.verdict(cases)
        print(f"  {wanted.number}  {wanted.what}: {verdict}")
        lines.append(json.dumps({"number": wanted.number, "what": wanted.what, "figure": figure, "verdict": verdict}))
    path.write_text("\n".join(lines) + "\n")


def plot(cases: list[Case], metric: str) -> str:
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
        colour = "#2a6f97" if case["name"].startswith(OURS) else "#999999"
        parts += [
            f'<text x="8" y="{y + 13}">{case["name"]}, {case["size"]} B</text>',
            f'<rect x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{ROW - 6}" fill="{colour}"/>',
            f'<rect x="{limit:.1f}" y="{y - 2}" width="2" height="{ROW - 2}" fill="#c1121f"/>',
            f'<text x="{end + 4:.1f}" y="{y + 13}">{case["nanoseconds"]:.0f}</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])


def main() -> None:
    path, directory = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    lines = [json.loads(line) for line in path.read_text().splitlines() if line]
    cases = Cases(lines)
    keys = dict.fromkeys((case["name"], case["metric"], case["size"]) for case in cases.measured if "ratio" in case)
    timed = [cases.find(*key) for key in keys]
    for line in lines:
        if "conditions" in line:
            print(line["conditions"])
    table(timed)
    for metric in dict.fromkeys(case["metric"] for case in timed):
        (directory / f"channel-{metric.replace(' ', '-')}.svg").write_text(plot(timed, metric))
    print(f"\nplots: {directory}/channel-*.svg")
    skipped(cases.skipped)
    judge(cases, directory / "expectations.jsonl")


if __name__ == "__main__":
    main()
