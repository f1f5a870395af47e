# SPDX-License-Identifier: MIT OR Apache-2.0
"""Shared memory: the programs of the experiments, alone and each language with each other, line by line."""

import errno
import os
from pathlib import Path

import pytest
from programs import MYSHM2, each_language, each_pair, lines, run, started

from unipc import SystemV

PEOPLE = [(letter, 20 + number) for number, letter in enumerate("bcdefghijk")]
TEN = [f"name: {name} age {age};" for name, age in PEOPLE]
RECORDS = [line for name, age in PEOPLE for line in (f"name:{name}", f"age {age}")]
PAGES = [
    "access page 1 over",
    "access page 1 edge over, now begin to access page 2",
    "access page 2 over",
    "access page 2 over",
    "access page 2 edge over, now begin to access page 3",
]
REMOVAL = [
    "in use: key 0x12345678, attached 2",
    "removed: key 0x00000000, attached 2, marked for removal",
    "the data are still there: name b age 20",
    "open by key: ENOENT",
    "one detached: key 0x00000000, attached 1, marked for removal",
    "the last one detached: the segment is gone",
]


@each_pair
def test_ten_records_through_a_file_of_five(one: str, other: str, path: Path) -> None:
    with started(one, "map_normalfile1", path) as writer:
        assert writer.stdout and writer.stdout.readline() == " initialize over \n"
        assert lines(other, "map_normalfile2", path) == TEN
        assert writer.stdout.read() == " umap ok \n"
    assert lines(other, "map_normalfile2", path) == TEN
    assert path.stat().st_size == 40


@each_language
def test_reading_before_anybody_wrote_is_an_error(language: str, path: Path) -> None:
    for create, words in (False, "No such file"), (True, "empty"):
        if create:
            path.touch()
        done = run(language, "map_normalfile2", path)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr


@each_language
def test_parent_and_child_share_what_has_no_name(language: str) -> None:
    children = [f"child read: the {number} people's age is {19 + number}" for number in range(1, 6)]
    parent = ["parent read: the first people,s age is 100", "umap", "umap ok"]
    assert lines(language, "map_anon") == children + parent


@each_language
@pytest.mark.parametrize(("version", "reached"), [("1", 5), ("2", 2)])
def test_pages_may_be_touched_to_the_end_of_the_last(language: str, version: str, reached: int, path: Path) -> None:
    done = run(language, "map_pages", path, version)
    size = os.sysconf("SC_PAGESIZE")
    assert done.stdout.splitlines() == [f"pagesize is {size}", *PAGES[:reached]]
    # Where the plain program gets SIGBUS.
    first = size * (3 - int(version)) + 4
    assert f"bytes {first}..{first + 4} lie outside" in done.stderr
    assert done.returncode == 1


@each_pair
def test_a_segment_outlives_its_writer(one: str, other: str, myshm2: None) -> None:
    assert lines(one, "testwrite") == []
    assert lines(other, "testread") == RECORDS
    assert lines(other, "testread") == RECORDS


@each_pair
def test_reading_first_makes_an_empty_segment(one: str, other: str, myshm2: None) -> None:
    assert lines(one, "testread") == ["name:", "age 0"] * 10
    assert lines(other, "testwrite") == []
    assert lines(one, "testread") == RECORDS


@each_language
@pytest.mark.parametrize("name", ["testwrite", "testread"])
def test_a_missing_key_path_says_what_to_do(language: str, name: str) -> None:
    if MYSHM2.exists():
        pytest.skip(f"{MYSHM2} is somebody else's")
    done = run(language, name)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"touch {MYSHM2}" in done.stderr


@each_language
def test_removal_of_a_segment_in_use(language: str) -> None:
    if any(segment.key == 0x12345678 for segment in SystemV.list()):
        pytest.skip("somebody else has the key 0x12345678")
    assert lines(language, "removal") == REMOVAL


@each_pair
def test_a_server_tells_the_identifier(one: str, other: str) -> None:
    with started(one, "shm_server") as server:
        assert server.stdout
        word, number = server.stdout.readline().split()
        assert word == "id"
        assert lines(other, "shm_client", number) == ["name b age 20"]
        assert server.stdout.read() == "the client made the age 21\n"
    with pytest.raises(OSError) as gone:
        SystemV(int(number)).stat()
    assert gone.value.errno in (errno.EINVAL, errno.EIDRM)


@each_pair
def test_two_programs_answer_each_other(one: str, other: str) -> None:
    if Path("/dev/shm/demo").exists():
        pytest.skip("/demo is somebody else's")
    with started(one, "shm_writer") as writer:
        assert writer.stdout and writer.stdin
        assert writer.stdout.readline() == "written; Enter when the reader has run\n"
        assert lines(other, "shm_reader") == ["0.0 1.0 4.0 9.0 16.0 25.0 36.0 49.0"]
        print(file=writer.stdin)
        assert writer.stdout.read() == "140.0\n"
    assert not Path("/dev/shm/demo").exists()


@each_language
def test_reading_what_nobody_has_made_is_an_error(language: str) -> None:
    if Path("/dev/shm/demo").exists():
        pytest.skip("/demo is somebody else's")
    done = run(language, "shm_reader")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nobody has created it" in done.stderr
