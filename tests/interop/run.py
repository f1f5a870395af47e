#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs the interop matrix: every cell, each in a world of its own, and prints who can talk to whom.

    run.py                 every cell of the rooms in cells.ROOMS and our own rows
    run.py 'M03.*' SV1.*   only the cells whose id matches one of these patterns
    run.py --controls      only the cells without the library
    run.py --list          the ids, without running them

Exit status: 0 when no cell failed, 1 otherwise. Results: target/interop/results.txt (cells of the
matrix) and extensions.txt (our own rows). This program never imports the library; README.md
tells how cells, parties and scenarios fit together.
"""

import argparse
import contextlib
import fnmatch
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import time

import cells
import isolation
import mechanisms
import parties
import report
import scene

FORK = multiprocessing.get_context("fork")  # namespaces are entered by a child that has one thread
TIME_LIMIT = 4 * scene.WATCHDOG  # seconds for a whole cell; then it is killed, with all its processes


def work(cell, private, answer):
    """Runs one cell; this is a process of its own, and the leader of a process group."""
    os.setpgrp()
    scenario = mechanisms.SCENARIOS.get(cell.group)
    answer.send(scene.run(cell, scenario, private) if scenario else ("FAIL", 0.0, "no scenario for this cell"))


def run_all(todo, private, workers):
    """Yields (cell, result) as they end; `workers` cells run at a time."""
    todo, running = list(reversed(todo)), {}
    try:
        yield from run_some(todo, running, private, workers)
    finally:  # after an interrupt nothing goes on
        for _, process, _ in running.values():
            end(process)


def run_some(todo, running, private, workers):
    while todo or running:
        while todo and len(running) < workers:
            cell = todo.pop()
            receiver, sender = FORK.Pipe(duplex=False)
            process = FORK.Process(target=work, args=(cell, private, sender))
            process.start()
            sender.close()
            running[receiver] = (cell, process, time.monotonic())
        for receiver in multiprocessing.connection.wait(list(running), timeout=1):
            cell, process, _ = running.pop(receiver)
            try:
                yield cell, receiver.recv()
            except EOFError:
                yield cell, ("FAIL", 0.0, "the scenario's process died")
            process.join()
        for _, process, started in running.values():
            if time.monotonic() - started > TIME_LIMIT:
                end(process)


def end(process):
    with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
        os.killpg(process.pid, signal.SIGKILL)


def chosen(arguments):
    # Of a room that is not complete, those cells that have a scenario.
    there = [cell for cell in cells.matrix() if cell.room in cells.ROOMS or cell.group in mechanisms.SCENARIOS]
    everything = there + mechanisms.EXTENSIONS
    if arguments.controls:
        everything = [cell for cell in everything if cell.control]
    if arguments.patterns:
        everything = [cell for cell in everything if any(fnmatch.fnmatch(cell.id, p) for p in arguments.patterns)]
    return everything


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    parser.add_argument("--controls", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=min(4, len(os.sched_getaffinity(0))))
    arguments = parser.parse_args()
    todo = chosen(arguments)
    if arguments.list:
        print(*(cell.id for cell in todo), sep="\n")
        return 0

    # A shell gives what it runs in the background ignored SIGINT and SIGQUIT, which every agent would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    started = time.monotonic()
    private = os.environ.get("UNIPC_ISOLATE") != "none" and isolation.allowed(parties.USED)
    jobs = arguments.jobs if private else 1  # in a shared world some cells would meet
    results = {}
    for cell, result in run_all(todo, private, jobs):
        results[cell] = result
        if sys.stderr.isatty():
            print(f"\r{len(results)} of {len(todo)} cells", end="\r", file=sys.stderr)
    results = {cell: results[cell] for cell in todo}

    worlds = "private namespaces for each cell" if private else "no private namespaces: names of their own"
    choice = " ".join(arguments.patterns) or ("the controls" if arguments.controls else "all")
    machine = [*parties.describe(), worlds, f"cells: {choice}"]
    own = {cell: result for cell, result in results.items() if cell.extension}
    matrix = {cell: result for cell, result in results.items() if not cell.extension}
    report.write(parties.BUILT / "results.txt", machine, matrix)
    report.write(parties.BUILT / "extensions.txt", machine, own)
    print(report.tables(results))
    print(f"{worlds}; {jobs} at a time; {time.monotonic() - started:.0f} s")
    print(report.summary(results, list(cells.matrix())))
    return any(verdict == "FAIL" for verdict, *_ in results.values())


if __name__ == "__main__":
    sys.exit(main())
