# SPDX-License-Identifier: MIT OR Apache-2.0
"""Block 6, the documents' programs with programs at the other end: pager_pipe, pager_popen, add2 and coproc.

Our ports print what the plain ones (party L) print, and drive each other's: coproc of one with add2 of the other.
"""

import os
import shutil
import signal
import subprocess

from parties import ENVIRONMENT

from .documents import program

TEXT = "".join(f"line {number}\n" for number in range(1, 3001))
ASKED = "1 2\n20 22\n-5 3\nhello\n1\n\n2147483647 0\n"


def show(scene, party, name, pager):
    """Exit status and output of a party's pager program on the text."""
    path = scene.path("text")
    path.write_text(TEXT)
    environment = {**ENVIRONMENT, "PAGER": pager}
    done = subprocess.run(
        [*program(party, name), str(path)], capture_output=True, text=True, env=environment, check=False
    )
    path.unlink()
    return done.returncode, done.stdout, done.stderr


def pager(scene, name, pagers):
    for _ in scene.repetitions():
        for chosen in pagers:
            theirs, ours = (show(scene, party, name, chosen) for party in ("L", scene.cell.first))
            scene.equal(theirs[:2], (0, theirs[1]), f"status of the plain program with {chosen}")
            scene.true(theirs[1], f"{chosen} must show something")
            scene.equal(ours, theirs, f"{name} with {chosen}")
        quits_early(scene, name)


def quits_early(scene, name):
    """The user leaves the pager: the plain program dies of SIGPIPE (or writes all before), ours just ends."""
    early = scene.path("early")
    early.write_text("#!/bin/sh\nread -r first\necho $first\n")
    early.chmod(0o755)
    status, output, _ = show(scene, "L", name, str(early))
    scene.true(status in (0, -signal.SIGPIPE) and output == "line 1\n", f"the plain program: {status}, {output}")
    ours = show(scene, scene.cell.first, name, str(early))
    scene.equal(ours, (0, "line 1\n", ""), "a pager that ends early")
    early.unlink()


def pager_pipe(scene):
    # A path, with no arguments: execl looks nowhere else.
    pager(scene, "pager_pipe", [shutil.which("cat"), shutil.which("tac")])
    for party in "L", scene.cell.first:
        _, output, errors = show(scene, party, "pager_pipe", "/no/such/pager")
        scene.equal(output, "", f"{party}: no pager")
        scene.true("No such file" in errors and "Traceback" not in errors, f"{party} must say why: {errors}")


def pager_popen(scene):
    # The shell takes the words apart.
    pager(scene, "pager_popen", ["cat", "sed s/line/LINE/", "tail -n 2"])


def coproc(scene):
    ours = scene.cell.first
    wanted = run(scene, "L", program("L", "add2"))
    scene.equal(wanted[:2], (0, "3\n42\n-2\ninvalid args\ninvalid args\ninvalid args\n2147483647\n"), "the plain pair")
    for _ in scene.repetitions():
        for driver, filter_party in (ours, "L"), ("L", ours), (ours, ours):
            got = run(scene, driver, program(filter_party, "add2"))
            scene.equal(got, wanted, f"coproc of {driver} with add2 of {filter_party}")
        status, output, errors = run(scene, ours, ["sh", "-c", "read x; echo first; exit 7"])
        scene.equal((status, output), (1, "first\n"), "a filter that dies")
        scene.true("exit status: 7" in errors and "Traceback" not in errors, f"{ours} must say how: {errors}")
        killed(scene, ours)


def run(scene, driver, command):
    command = [shutil.which(command[0]) or command[0], *command[1:]]
    done = subprocess.run(
        [*program(driver, "coproc"), *command],
        input=ASKED,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def killed(scene, ours):
    """add2 is killed between two lines: the plain driver says "SIGPIPE caught", ours that it was killed."""
    for driver in "L", ours:
        pid_file = scene.path("pid")
        line = f"echo $$ > {pid_file}; exec {' '.join(program('L', 'add2'))}"
        command = [*program(driver, "coproc"), "/bin/sh", "-c", line]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1, env=ENVIRONMENT
        ) as process:
            process.stdin.write("1 2\n")
            scene.equal(process.stdout.readline(), "3\n", f"{driver}: before the kill")
            pid = int(pid_file.read_text())
            os.kill(pid, signal.SIGKILL)
            while os.path.exists(f"/proc/{pid}") and "State:\tZ" not in status_of(pid):
                os.sched_yield()
            process.stdin.write("3 4\n")
            output, errors = process.stdout.read(), process.stderr.read()
        scene.equal(process.returncode, 1, f"{driver}: status")
        if driver == "L":
            scene.equal(output, "SIGPIPE caught\n", "the plain driver")
        else:
            scene.true("signal: 9" in errors and output == "", f"{driver} must say how: {output}{errors}")
        pid_file.unlink()


def status_of(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            return status.read()
    except (FileNotFoundError, ProcessLookupError):
        return "State:\tZ"


SCENARIOS = {"DOC.pager_pipe": pager_pipe, "DOC.pager_popen": pager_popen, "DOC.add2+coproc": coproc}
EXTENSIONS = []
