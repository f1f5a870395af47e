# SPDX-License-Identifier: MIT OR Apache-2.0
"""What only System V has: status, owner, removal that waits, limits; and keys made of paths."""

import dataclasses
import errno
import os
import time
from pathlib import Path

import pytest
from conftest import Maker, in_fork

from unipc import RemovedError, SharedMemory, SystemV, SystemVStatus, ftok, page_size, shm_limits, shm_usage


def segment(shm: SharedMemory) -> SystemV:
    assert shm.system_v is not None
    return shm.system_v


def test_every_field_of_the_status(make: Maker) -> None:
    before = int(time.time()) - 1
    shm = make("sysv", 5000, mode=0o640)
    status = segment(shm).stat()
    assert status.id == shm.id == segment(shm).id
    assert f"sysv:{status.key & 0xFFFFFFFF:#x}" == shm.name
    assert (status.uid, status.gid, status.cuid, status.cgid) == (os.geteuid(), os.getegid()) * 2
    assert (status.mode, status.size, status.attached) == (0o640, 5000, 1)
    assert (status.creator_pid, status.last_pid) == (os.getpid(), os.getpid())
    assert status.detach_time is None
    assert before <= (status.change_time or 0) <= (status.attach_time or 0) <= int(time.time()) + 1
    assert (status.removed, status.locked) == (False, False)
    assert status.sequence >= 0

    assert in_fork(lambda: SharedMemory.open(shm.name).close()) == 0
    after = segment(shm).stat()
    assert (after.detach_time or 0) >= before
    assert after.last_pid != os.getpid()
    with pytest.raises(dataclasses.FrozenInstanceError):
        after.size = 1  # type: ignore[misc]
    assert len(dataclasses.fields(SystemVStatus)) == 17


def test_set_changes_what_is_given(make: Maker) -> None:
    shm = make("sysv")
    segment(shm).set(mode=0o400)
    assert segment(shm).stat().mode == 0o400
    segment(shm).set(uid=os.geteuid(), gid=os.getegid())
    status = segment(shm).stat()
    assert (status.uid, status.gid, status.mode) == (os.geteuid(), os.getegid(), 0o400)


def test_removal_waits_for_the_last_attachment(make: Maker) -> None:
    shm = make("sysv")
    shm.store_u32(0, 7)
    segment(shm).remove()
    status = segment(shm).stat()
    assert (status.removed, status.key, status.attached) == (True, 0, 1)
    by_id = f"sysv:id={shm.id}"
    with pytest.raises(RemovedError, match="allow_removed") as caught:
        SharedMemory.open(by_id)
    assert (caught.value.errno, caught.value.filename) == (errno.EIDRM, by_id)
    assert isinstance(caught.value, OSError)
    with SharedMemory.open(by_id, allow_removed=True) as other:
        assert other.load_u32(0) == 7
        assert segment(shm).stat().attached == 2
    shm.close()
    with pytest.raises(OSError) as gone:
        segment(shm).stat()
    assert gone.value.errno in (errno.EINVAL, errno.EIDRM)


def test_a_private_segment_is_named_by_its_identifier() -> None:
    with SharedMemory.create("sysv:private", 100, remove_on_close=True) as shm:
        assert shm.name == f"sysv:id={shm.id}"
        assert segment(shm).stat().key == 0
        with SharedMemory.open(shm.name) as other:
            assert other.id == shm.id
    with pytest.raises(OSError):
        SharedMemory.open(shm.name)


def test_lock_and_unlock_the_segment(make: Maker) -> None:
    shm = make("sysv")
    try:
        segment(shm).lock()
    except OSError as error:
        pytest.skip(f"may not lock memory: {error}")
    assert segment(shm).stat().locked
    segment(shm).unlock()
    assert not segment(shm).stat().locked


def test_list_limits_and_usage(make: Maker) -> None:
    before = shm_usage()
    shm = make("sysv", 3 * page_size() - 1)
    assert segment(shm).stat() in SystemV.list()
    limits, usage = shm_limits(), shm_usage()
    assert usage.segments >= 1
    assert usage.pages >= 3
    assert before.segments >= 0
    for name in ("shmmax", "shmmni", "shmall"):
        assert getattr(limits, name) == int(Path(f"/proc/sys/kernel/{name}").read_text())
    assert limits.shmmin == 1


def test_no_such_segment() -> None:
    nobody = SystemV(2**31 - 1)
    for call in (nobody.stat, nobody.remove, nobody.lock, nobody.unlock, nobody.set):
        with pytest.raises(OSError, match="no segment has this identifier") as caught:
            call()
        assert (caught.value.errno, caught.value.filename) == (errno.EINVAL, f"sysv:id={nobody.id}")
    assert nobody == SystemV(2**31 - 1)
    assert repr(nobody) == "SystemV(id=2147483647)"


def test_other_backings_have_no_segment(posix: SharedMemory) -> None:
    assert posix.system_v is None
    assert posix.id is None


def test_ftok_makes_the_key_of_the_name(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch()
    status = path.stat()
    key = ftok(path, 200)
    assert key & 0xFFFFFFFF == 200 << 24 | (status.st_dev & 0xFF) << 16 | status.st_ino & 0xFFFF
    assert key < 0  # key_t is signed
    assert ftok(str(path), 456, mask=True) == ftok(os.fsencode(path), 200) == ftok(path, -56, True) == key
    for odd in (256, -1):
        with pytest.raises(ValueError, match="0 to 255"):
            ftok(path, odd)
    with pytest.raises(FileNotFoundError) as caught:
        ftok(tmp_path / "absent", 1)
    assert caught.value.filename == str(tmp_path / "absent")
    with SharedMemory.create(f"sysv:{path},200", 8, remove_on_close=True) as shm:
        assert segment(shm).stat().key == key
