# SPDX-License-Identifier: MIT OR Apache-2.0
"""FIFOs: made, met at, refused."""

import errno
import os
import pickle
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import in_fork
from waiting import Storm, asleep, interrupt, others_run

from unipc import Fifo


@pytest.fixture
def name(tmp_path: Path) -> Iterator[str]:
    return f"file:{tmp_path}/fifo"


def path(name: str) -> str:
    return name.removeprefix("file:")


def test_a_fifo_is_made_with_its_mode(name: str) -> None:
    fifo = Fifo.create(name)
    assert stat.filemode(os.stat(path(name)).st_mode) == "prw-------"
    Fifo.create(name + "2", mode=0o666)
    assert stat.filemode(os.stat(path(name) + "2").st_mode) == "prw-rw-rw-"
    with pytest.raises(FileExistsError, match="open it, or use open_or_create") as error:
        Fifo.create(name)
    assert error.value.filename == name
    assert Fifo.open_or_create(name) == fifo == Fifo.open(name) != Fifo.open(name + "2")
    assert hash(Fifo.open(name)) == hash(fifo)
    assert fifo.name == name
    assert repr(fifo) == f"unipc.Fifo.open('{name}')"
    assert pickle.loads(pickle.dumps(fifo)) == fifo
    Fifo.unlink(name)
    with pytest.raises(FileNotFoundError):
        Fifo.open(name)
    with pytest.raises(FileNotFoundError, match=r"mkfifo\(1\)"):
        fifo.reader(timeout=0)


def test_what_is_no_fifo_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text")
    for refused in (Fifo.open, Fifo.unlink, Fifo.open_or_create):
        with pytest.raises(OSError, match="not a FIFO but a regular file") as error:
            refused(f"file:{tmp_path}/file")
        assert error.value.errno == errno.EMEDIUMTYPE
    with pytest.raises(OSError, match="file:PATH") as posix:
        Fifo.create("/demo")
    assert posix.value.errno == errno.EOPNOTSUPP
    with pytest.raises(OSError) as bits:
        Fifo.create(f"file:{tmp_path}/x", mode=0o4600)
    assert bits.value.errno == errno.EINVAL
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_opening_waits_no_longer_than_told(name: str) -> None:
    fifo = Fifo.create(name)
    with pytest.raises(OSError, match="nobody has it open for reading") as nobody:
        fifo.writer(timeout=0)
    assert nobody.value.errno == errno.ENXIO
    for opens in (fifo.reader, fifo.writer):
        with pytest.raises(TimeoutError, match="nobody opened it for"):
            opens(timeout=0.02)
    reader = fifo.reader(timeout=0)
    with pytest.raises(BlockingIOError):
        reader.read(timeout=0)
    with fifo.writer(timeout=0) as writer:
        writer.write(b"x")
        assert (reader.name, writer.name) == (name, name)
    assert (reader.read(), reader.read()) == (b"x", b"")


def test_two_processes_meet(name: str) -> None:
    fifo = Fifo.create(name)
    child = os.fork()
    if child == 0:
        try:
            fifo.writer().write(b"www.yanbinghu.com\0")
        finally:
            os._exit(0)
    asleep(child)
    with fifo.reader() as reader:
        assert reader.read() == b"www.yanbinghu.com\0"
        assert reader.read() == b""
    assert os.waitpid(child, 0)[1] == 0


def test_keep_open_serves_one_writer_after_another(name: str) -> None:
    fifo = Fifo.create(name)
    reader = fifo.reader(timeout=0)
    reader.keep_open()
    for number in range(3):
        assert in_fork(lambda number=number: fifo.writer().write(bytes([number]))) == 0
        assert reader.read() == bytes([number])
    with pytest.raises(TimeoutError):
        reader.read(timeout=0.01)


def test_the_shell_is_at_the_other_end(name: str) -> None:
    subprocess.run(["mkfifo", path(name)], check=True)
    fifo = Fifo.open(name)
    with subprocess.Popen(["sh", "-c", 'cat "$0"', path(name)], stdout=subprocess.PIPE) as cat:
        with fifo.writer(timeout=60) as writer:
            writer.write(b"to cat")
        assert cat.stdout is not None and cat.stdout.read() == b"to cat"
    with subprocess.Popen(["sh", "-c", 'echo from sh > "$0"', path(name)]), fifo.reader(timeout=60) as reader:
        assert reader.read_exact(8) == b"from sh\n"
        assert reader.read() == b""


@pytest.mark.parametrize(
    "wait", ["reader()", "writer()", "reader(timeout=60)", "writer(timeout=60)", "reader(0).read()"]
)
def test_ctrl_c_ends_every_wait(name: str, wait: str) -> None:
    Fifo.create(name)
    code = f"""
        from unipc import Fifo
        fifo = Fifo.open({name!r})
        print("READY", flush=True)
        fifo.{wait}
    """
    assert interrupt(code) < 30


def test_others_run_while_one_waits(name: str) -> None:
    fifo = Fifo.create(name)
    ends: dict[str, Any] = {}
    others_run(
        lambda: ends.update(reader=fifo.reader()) or True,
        lambda: ends.update(writer=fifo.writer()),
    )
    others_run(lambda: ends["reader"].read(), lambda: ends["writer"].write(b"x"))


def test_a_storm_of_signals_ends_no_wait(name: str) -> None:
    fifo = Fifo.create(name)
    with Storm() as storm:
        with pytest.raises(TimeoutError):
            fifo.reader(timeout=0.05)
        timer = threading.Timer(0.05, lambda: fifo.writer().write(b"late"))
        timer.start()
        assert fifo.reader().read() == b"late"
        assert storm.signals > 20
    timer.join()
