# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the runner writes: results files for other programs, tables for people."""

from itertools import groupby

MARKS = {"PASS": "ok", "FAIL": "FAIL", "SKIP": "skip"}
COLUMN_ORDER = ("L", "C", "P", "R", "SV", "PX", "MP", "MM", "PS", "FC", "SG", "SH", "tool")


def write(path, machine, results):
    """One line a cell, `<id> PASS|FAIL|SKIP <seconds> <reason>`; lines about the machine start with #."""
    lines = [f"# {line}" for line in machine]
    for cell, (verdict, seconds, reason) in results.items():
        lines.append(f"{cell.id} {verdict} {seconds:.2f} {reason}".rstrip())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def tables(results):
    """A square for each group of pairs, from x to; a line for each group of one party."""
    lines = []
    in_order = sorted(results, key=lambda cell: (cell.block, cell.group))
    for group, members in groupby(in_order, key=lambda cell: cell.group):
        cells = list(members)
        marks = {cell.parties: MARKS[results[cell][0]] for cell in cells}
        title = f"{group}  {cells[0].title}"
        if not cells[0].second:
            lines.append(f"{title:64}" + "   ".join(f"{cell.first} {marks[cell.parties]}" for cell in cells))
            continue
        columns = order({to for _, to in marks})
        lines += ["", title, "  from \\ to" + "".join(f"{to:>6}" for to in columns)]
        for row in order({start for start, _ in marks}):
            lines.append(f"  {row:9}" + "".join(f"{marks.get((row, to), ''):>6}" for to in columns))
        lines.append("")
    return "\n".join(line for line, _ in groupby(lines))


def order(parties):
    return sorted(parties, key=COLUMN_ORDER.index)


def summary(results, matrix):
    """The last lines: how much of the whole matrix stands, what does not pass, and the counts."""
    goal = [cell for cell in matrix if not cell.extension]
    passing = sum(results.get(cell, ("",))[0] == "PASS" for cell in goal)
    own = [verdict for cell, (verdict, *_) in results.items() if cell.extension]
    lines = [f"{verdict} {cell.id}: {reason}" for cell, (verdict, _, reason) in results.items() if verdict != "PASS"]
    lines.append(f"of our own rows {own.count('PASS')} of {len(own)} pass")
    lines.append(f"{passing} of the {len(goal)} cells of the matrix pass")
    counts = [sum(verdict == wanted for verdict, *_ in results.values()) for wanted in ("PASS", "FAIL", "SKIP")]
    lines.append("{} passed, {} failed, {} skipped".format(*counts))
    return "\n".join(lines)
