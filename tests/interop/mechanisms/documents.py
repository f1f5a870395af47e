# SPDX-License-Identifier: MIT OR Apache-2.0
"""Block 6, the documents' programs: our ports print what the plain ones print, and mix with them.

The plain ones (party L) are the stand-ins in documents/. Besides the cells of the matrix there are rows
of our own: PORT.map_normalfile and PORT.testwrite, each writer with each reader, and PORT.removal.
"""

import pathlib
import signal
import subprocess

from cells import Cell, square
from parties import BUILT, ENVIRONMENT, ROOT, TARGET, VENV, core_program, python
from scene import PEOPLE, Failure, Skip

from .shm_file import HALF, loses_the_tail, write_back
from .shm_sysv import DESTROYED_LATER, rows

PROMPT = " initialize over \n"
REMOVAL_KEY = 0x12345678
MEETING_PLACE = pathlib.Path("/dev/shm/myshm2")
PAUSES = {**ENVIRONMENT, "UNIPC_PAUSE_SCALE": "0.05"}
# map_anon's child and parent know of each other only by the clock: its pauses must outlast a busy machine.
LONG_PAUSES = {**ENVIRONMENT, "UNIPC_PAUSE_SCALE": "0.15"}


def program(party, name):
    """The command line of a party's version of a document's program."""
    command = {
        "L": [BUILT / "documents" / name],
        "C": [TARGET / "examples-c" / name],
        "P": python(VENV, ROOT / "python" / "examples" / f"{name}.py"),
        "R": [core_program("examples", name)],
    }[party]
    missing = [part for part in command if isinstance(part, pathlib.Path) and not part.exists()]
    if missing:
        raise Failure(f"party {party}: {missing[0]} does not exist")
    return [str(part) for part in command]


def run(party, name, *arguments):
    """Runs to the end: (exit status, standard output, standard error)."""
    command = [*program(party, name), *map(str, arguments)]
    pauses = LONG_PAUSES if name == "map_anon" else PAUSES
    done = subprocess.run(command, capture_output=True, text=True, env=pauses, check=False)
    return done.returncode, done.stdout, done.stderr


def prints(scene, party, wanted, name, *arguments):
    status, output, errors = run(party, name, *arguments)
    scene.equal(output.splitlines(), wanted.splitlines(), f"{party}: {name} {errors.strip()}")
    scene.equal(status, 0, f"{party}: status of {name}")


def map_anon(scene):
    status, wanted, _ = run("L", "map_anon")
    scene.equal(status, 0, "status of the plain program")
    scene.true("parent read: the first people,s age is 100" in wanted, "the plain parent must see the child's 100")
    for _ in scene.repetitions():
        prints(scene, scene.cell.first, wanted, "map_anon")


def map_pages(scene):
    """Both versions, up to where the plain program dies of SIGBUS and ours says why it stops; the same file."""
    for _ in scene.repetitions():
        for version in ("1", "2"):
            theirs, ours = scene.path(), scene.path()
            status, wanted, _ = run("L", "map_pages", theirs, version)
            scene.equal(status, -signal.SIGBUS, "status of the plain program")
            status, output, errors = run(scene.cell.first, "map_pages", ours, version)
            scene.equal(output.splitlines(), wanted.splitlines(), f"map_pages, version {version}")
            scene.equal(status, 1, f"status of map_pages, version {version}")
            scene.true(errors.strip() and "Traceback" not in errors, f"the port must say why it stops: {errors}")
            scene.equal(ours.read_bytes(), theirs.read_bytes(), f"the file of version {version}")
            theirs.unlink()
            ours.unlink()


def file_lines(memory):
    """What map_normalfile2 prints for ten records."""
    return "".join(f"name: {name} age {age};\n" for name, age in records(memory))


def segment_lines(memory):
    """What testread prints for ten records."""
    return "".join(f"name:{name}\nage {age}\n" for name, age in records(memory))


def records(memory):
    for at in range(0, len(memory), 8):
        yield memory[at : at + 4].rstrip(b"\0").decode(), int.from_bytes(memory[at + 4 : at + 8], "little")


def map_normalfile(scene):
    """Ten records while the writer has the file mapped and after; five when the page was written back."""
    writer, reader = scene.cell.parties
    for _ in scene.repetitions():
        reader_alone(scene, reader)
        path = scene.path("test_shm")
        with subprocess.Popen(
            [*program(writer, "map_normalfile1"), str(path)], stdout=subprocess.PIPE, text=True, env=PAUSES
        ) as process:
            scene.equal(process.stdout.readline(), PROMPT, f"{writer}: map_normalfile1")
            prints(scene, reader, file_lines(PEOPLE), "map_normalfile2", path)
            scene.equal(process.stdout.read(), " umap ok \n", f"{writer}: map_normalfile1")
        scene.equal(process.returncode, 0, f"{writer}: status of map_normalfile1")
        scene.equal(path.stat().st_size, HALF, "size of the file")
        prints(scene, reader, file_lines(PEOPLE), "map_normalfile2", path)
        write_back(path)
        left = PEOPLE[:HALF] + bytes(HALF) if loses_the_tail(scene) else PEOPLE
        prints(scene, reader, file_lines(left), "map_normalfile2", path)
        path.unlink()


def reader_alone(scene, reader):
    """Before any writer, on a file without a byte: the plain reader dies of SIGBUS, ours says what is wrong."""
    path = scene.path("empty")
    path.touch()
    status, output, errors = run(reader, "map_normalfile2", path)
    scene.equal((status, output), (-signal.SIGBUS if reader == "L" else 1, ""), f"{reader}: map_normalfile2 alone")
    scene.true(reader == "L" or (errors.strip() and "Traceback" not in errors), f"{reader} must say why: {errors}")
    path.unlink()


def testwrite(scene):
    writer, reader = scene.cell.parties
    if "L" in scene.cell.parties:
        scene.root("the plain programs make and attach a segment of mode 0")
    if MEETING_PLACE.exists():
        raise Skip(f"needs {MEETING_PLACE} for itself")
    for _ in scene.repetitions():
        MEETING_PLACE.touch()
        status = MEETING_PLACE.stat()
        key = (status.st_dev & 0xFF) << 16 | status.st_ino & 0xFFFF
        try:
            prints(scene, writer, "", "testwrite")
            segment = next((row for row in rows().values() if row["key"] == key), {})
            scene.equal((segment.get("size"), segment.get("nattch")), (4096, 0), "size and nattch of the segment")
            scene.equal(segment["perms"], 0 if writer == "L" else 0o600, "mode of the segment")
            prints(scene, reader, segment_lines(PEOPLE), "testread")
            scene.tool("ipcrm", "-M", hex(key))
        finally:
            MEETING_PLACE.unlink()


def removal(scene):
    """The key becomes 0 at once, ipcs shows `dest`, and the plain program prints the same lines."""
    if any(row["key"] == REMOVAL_KEY for row in rows().values()):
        raise Skip(f"needs the key {REMOVAL_KEY:#x} for itself")
    for _ in scene.repetitions():
        status, wanted, errors = run("L", "removal")
        scene.equal(status, 0, f"status of the plain program {errors}")
        with subprocess.Popen(
            program(scene.cell.first, "removal"), stdout=subprocess.PIPE, text=True, env=PAUSES
        ) as process:
            before_pause = "".join(process.stdout.readline() for _ in range(4))
            shown = [row for row in rows().values() if row["cpid"] == process.pid]
            output = before_pause + process.stdout.read()
        scene.equal(output.splitlines(), wanted.splitlines(), "removal")
        scene.equal(process.returncode, 0, "status of removal")
        marks = [(row["key"], row["perms"] & DESTROYED_LATER, row["nattch"]) for row in shown]
        scene.equal(marks, [(0, DESTROYED_LATER, 2)], "key, mark and nattch in /proc/sysvipc/shm")


SCENARIOS = {
    "DOC.map_anon": map_anon, "DOC.map_pages": map_pages,
    "PORT.map_normalfile": map_normalfile, "PORT.testwrite": testwrite,
    "PORT.removal": removal,
}  # fmt: skip
EXTENSIONS = [
    *square("PORT.map_normalfile", "map_normalfile1 to map_normalfile2", 6, "shm", extension=True),
    *square("PORT.testwrite", "testwrite to testread", 6, "shm", extension=True),
    *(Cell("PORT.removal", "removal while attached", party, "", 6, "shm", True) for party in "CPR"),
]
