# SPDX-License-Identifier: MIT OR Apache-2.0
"""All examples: the same in the three languages, each with its usage; and the C programs under valgrind."""

import shutil
import subprocess
from pathlib import Path

import pytest
from programs import ENVIRONMENT, LANGUAGES, ROOT, command, each_language, run

PROGRAMS = {
    *("map_normalfile1", "map_normalfile2", "map_anon", "map_pages", "testwrite", "testread", "removal"),
    *("lock_holder", "lock_waiter"),
    *("shm_server", "shm_client", "shm_writer", "shm_reader"),
    *("pipe_demo", "fifo_write", "fifo_read", "fifo_server", "fifo_client", "tellwait"),
    *("mq_sender", "mq_receiver", "sem_holder", "sem_waiter"),
    *("signal_sender", "signal_receiver"),
    *("pager_pipe", "pager_popen", "add2", "coproc"),
    *("socket_server", "socket_client", "datagram_server", "datagram_client", "handover_server", "handover_client"),
    *("sync_counter", "sync_holder", "sync_repair", "sync_producer", "sync_consumer"),
    *("sync_library", "sync_philosophers"),
    *("record_writer", "record_reader"),
    *("queue_sender", "queue_receiver", "topic_publisher", "topic_subscriber"),
    *("calculator_server", "calculator_client", "worker", "dispatcher", "wait_any"),
}


def test_the_three_languages_have_the_same_examples() -> None:
    for folder, pattern, _ in LANGUAGES.values():
        found = {file.stem for file in (ROOT / folder).glob(pattern.format("*"))}
        assert found - {"common", "demo", "demo_writer", "demo_observer", "asyncio_consumer"} == PROGRAMS


@each_language
@pytest.mark.parametrize(
    "name",
    [
        "map_normalfile1",
        "map_normalfile2",
        "map_pages",
        "shm_client",
        "mq_sender",
        "mq_receiver",
        "sem_holder",
        "sem_waiter",
        "lock_holder",
        "lock_waiter",
        "socket_server",
        "socket_client",
        "datagram_server",
        "datagram_client",
        "handover_server",
        "handover_client",
        "queue_sender",
        "queue_receiver",
        "topic_publisher",
        "topic_subscriber",
        "calculator_server",
        "calculator_client",
        "worker",
        "dispatcher",
        "wait_any",
    ],
)
def test_a_call_without_arguments_shows_the_usage(language: str, name: str) -> None:
    done = run(language, name)
    assert done.returncode == 1
    assert done.stderr.startswith("usage: ")


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not here")
@pytest.mark.parametrize(
    ("name", "status"), [("map_normalfile1", 0), ("map_pages", 1), ("map_anon", 0), ("removal", 0), ("testread", 0)]
)
def test_the_c_programs_under_valgrind(name: str, status: int, path: Path, myshm2: None) -> None:
    valgrind = ["valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full"]
    arguments = [path] if name in ("map_normalfile1", "map_pages") else []
    whole = [*valgrind, *command("C", name, *arguments)]
    done = subprocess.run(whole, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert "==" not in done.stderr
