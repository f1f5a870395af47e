# SPDX-License-Identifier: MIT OR Apache-2.0
"""Creating, opening, closing: every backing, every option, every way to be refused."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import BACKINGS, NAMED, Maker, Namer, address_of, in_fork, mapped_at

import unipc
from unipc import Backing, SharedMemory


@pytest.mark.parametrize("backing", BACKINGS)
def test_a_new_object_is_zero_and_as_large_as_asked(make: Maker, backing: str) -> None:
    shm = make(backing, 4097)
    assert len(shm) == shm.size == 4097
    assert shm.mapped_size == 2 * unipc.page_size()
    assert shm.read_at(0, 4097) == bytes(4097)
    assert shm.backing == backing
    assert shm.backing is Backing(backing)
    assert not shm.read_only
    assert not shm.closed


@pytest.mark.parametrize("backing", NAMED)
def test_who_opens_sees_what_the_creator_wrote(make: Maker, backing: str) -> None:
    shm = make(backing)
    shm.write_at(100, b"hello")
    with SharedMemory.open(shm.name) as other:
        assert other.name == shm.name
        assert len(other) == 4096
        assert other.read_at(100, 5) == b"hello"
        other.write_at(0, b"back")
    assert shm.read_at(0, 4) == b"back"


@pytest.mark.parametrize("backing", BACKINGS)
def test_the_repr_tells_name_backing_and_size(make: Maker, backing: str) -> None:
    shm = make(backing)
    assert repr(shm) == f"<unipc.SharedMemory '{shm.name}' {backing} 4096 bytes>"
    shm.close()
    assert repr(shm) == f"<unipc.SharedMemory '{shm.name}' {backing} closed>"


def test_a_name_is_text_bytes_or_a_path(make: Maker, tmp_path: Path) -> None:
    shm = make("file")
    path = Path(shm.name)  # "file:/…" is a string that a path can hold
    for name in (shm.name, shm.name.encode(), path):
        with SharedMemory.open(name) as other:
            assert other.name == shm.name
    odd = os.fsencode(f"file:{tmp_path}/") + b"\xff"
    with SharedMemory.create(odd, 8) as other:
        assert os.fsencode(other.name) == odd
        assert other.name.endswith("\udcff")
        SharedMemory.open(other.name).close()
    SharedMemory.unlink(odd)
    with pytest.raises(TypeError, match="PathLike"):
        SharedMemory.open(17)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "plain", "/a/b", "/", "nothing:x", "sysv:0x0", "anon:x", "/nul\0"])
def test_a_bad_name_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(OSError, match="not a name: ") as caught:
        SharedMemory.open(name)
    assert caught.value.errno == errno.EINVAL
    assert caught.value.filename is not None


def test_there_is_no_constructor() -> None:
    for arguments in ((), ("/x",), (None,)):
        with pytest.raises(TypeError, match=r"use SharedMemory\.create"):
            SharedMemory(*arguments)


def test_a_subclass_gets_objects_of_itself(make: Maker, name_of: Namer) -> None:
    class Frames(SharedMemory):
        pass

    name = name_of("posix")
    with Frames.create(name, 4096) as frames, Frames.open(name) as other, Frames.from_fd(frames) as third:
        assert type(frames) is type(other) is type(third) is Frames
        assert repr(frames).startswith("<unipc.Frames ")
    with Frames.open_or_create(name, 4096) as frames:
        assert type(frames) is Frames


@pytest.mark.parametrize("backing", NAMED)
def test_errors_are_oserrors_with_errno_and_filename(make: Maker, name_of: Namer, backing: str) -> None:
    shm = make(backing)
    with pytest.raises(FileExistsError, match="open_or_create") as exists:
        SharedMemory.create(shm.name, 4096)
    assert (exists.value.errno, exists.value.filename) == (errno.EEXIST, shm.name)
    absent = name_of(backing)
    with pytest.raises(FileNotFoundError) as missing:
        SharedMemory.open(absent)
    assert (missing.value.errno, missing.value.filename) == (errno.ENOENT, absent)
    # The name stands once, in the place where Python puts it.
    assert str(missing.value).count(absent) == 1


@pytest.mark.parametrize("backing", NAMED)
def test_open_or_create_does_either(name_of: Namer, backing: str) -> None:
    name = name_of(backing)
    with SharedMemory.open_or_create(name, 100) as first, SharedMemory.open_or_create(name, 50) as second:
        first.store_u32(0, 7)
        assert second.load_u32(0) == 7
    with pytest.raises(OSError, match="100 bytes, 200 were asked for") as caught:
        SharedMemory.open_or_create(name, 200)
    assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize("backing", ["memfd", "anon"])
def test_what_has_no_name_cannot_be_opened_or_unlinked(name_of: Namer, backing: str) -> None:
    for verb in (SharedMemory.open, SharedMemory.unlink):
        with pytest.raises(OSError) as caught:
            verb(name_of(backing))
        assert caught.value.errno == errno.EOPNOTSUPP


def test_odd_sizes_are_refused(name_of: Namer) -> None:
    with pytest.raises(OSError) as caught:
        SharedMemory.create(name_of("posix"), 0)
    assert caught.value.errno == errno.EINVAL
    with pytest.raises(OverflowError):
        SharedMemory.create(name_of("posix"), -1)
    with pytest.raises(OSError) as caught:
        SharedMemory.create(name_of("posix"), 1 << 60)
    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG, errno.ENOMEM)


@pytest.mark.parametrize("backing", ["posix", "file"])
def test_the_mode_is_exact(name_of: Namer, backing: str) -> None:
    before = os.umask(0o777)
    try:
        for options, mode in (({}, 0o600), ({"mode": 0o644}, 0o644)):
            with SharedMemory.create(name_of(backing), 8, **options) as shm:  # type: ignore[arg-type]
                assert stat.S_IMODE(os.fstat(shm.fileno()).st_mode) == mode
    finally:
        os.umask(before)
    with pytest.raises(OSError, match="0 to 0777"):
        SharedMemory.create(name_of(backing), 8, mode=0o1777)


def test_replace_gives_a_new_object(posix: SharedMemory) -> None:
    posix.store_u32(0, 1)
    with SharedMemory.create(posix.name, 8, replace=True) as new:
        assert new.load_u32(0) == 0
        assert posix.load_u32(0) == 1


def test_remove_on_close(name_of: Namer) -> None:
    name = name_of("posix")
    with SharedMemory.create(name, 8, remove_on_close=True) as shm:
        # A child's handle is not the one that was asked to remove.
        assert in_fork(shm.close) == 0
        SharedMemory.open(name).close()
    with pytest.raises(FileNotFoundError):
        SharedMemory.open(name)
    SharedMemory.create(name, 8).close()
    SharedMemory.open(name, remove_on_close=True).close()
    with pytest.raises(FileNotFoundError):
        SharedMemory.unlink(name)


def test_read_only(make: Maker) -> None:
    shm = make("posix")
    with SharedMemory.open(shm.name, read_only=True) as reader:
        assert reader.read_only
        for store in (
            lambda: reader.write_at(0, b"x"),
            lambda: reader.fill(0, 1, 1),
            lambda: reader.store_u32(0, 1),
            lambda: reader.add_u64(0, 1),
        ):
            with pytest.raises(PermissionError) as caught:
                store()
            assert (caught.value.errno, caught.value.filename) == (errno.EACCES, shm.name)
        shm.write_at(0, b"new")
        assert reader.read_at(0, 3) == b"new"


@pytest.mark.parametrize("backing", NAMED)
def test_permission_is_denied_by_the_mode(make: Maker, backing: str) -> None:
    shm = make(backing)
    if shm.system_v is None:
        os.chmod(shm.fileno(), 0o000)
    else:
        shm.system_v.set(mode=0o000)

    def refused() -> None:
        if os.geteuid() == 0:
            os.setegid(65534)
            os.seteuid(65534)
        with pytest.raises(PermissionError):
            SharedMemory.open(shm.name)

    # The directory of the test's file is closed to others, which is as good a reason.
    assert in_fork(refused) == 0


def test_part_of_an_object(make: Maker) -> None:
    shm = make("file", 10_000)
    shm.write_at(5000, b"middle")
    with SharedMemory.open(shm.name, offset=5000, size=6) as part:
        assert len(part) == 6
        assert bytes(part) == b"middle"
    with SharedMemory.open(shm.name, offset=9_990, size=4096) as tail:
        assert len(tail) == 10
    with pytest.raises(OSError, match="lies behind") as caught:
        SharedMemory.open(shm.name, offset=10_000)
    assert caught.value.errno == errno.EINVAL


def test_private_changes_stay_private(posix: SharedMemory) -> None:
    with SharedMemory.open(posix.name, private=True) as mine:
        mine.write_at(0, b"mine")
        assert posix.read_at(0, 4) == bytes(4)


def test_slack_reaches_the_end_of_the_page(make: Maker) -> None:
    shm = make("file", 40)
    with SharedMemory.open(shm.name, slack=True) as whole:
        assert len(whole) == unipc.page_size()
        whole.write_at(40, b"beyond")
        assert os.fstat(whole.fileno()).st_size == 40


def test_populate_and_locked(make: Maker) -> None:
    def locked_kilobytes() -> int:
        line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmLck"))
        return int(line.split()[1])

    make("memfd", 1 << 16, populate=True)
    before = locked_kilobytes()
    try:
        make("memfd", 1 << 16, locked=True)
    except OSError as error:
        pytest.skip(f"may not lock memory: {error}")
    assert locked_kilobytes() == before + 64


def test_executable_and_guard_pages_are_seen_in_the_maps(make: Maker) -> None:
    address, page = address_of(make("posix", executable=True, guard_pages=True)), unipc.page_size()
    assert [mapped_at(address + step * page) for step in (-1, 0, 1)] == ["---p", "rwxs", "---p"]


def test_huge_pages_are_given_or_refused_with_advice(make: Maker) -> None:
    with pytest.raises(OSError, match="12345 bytes do not exist"):
        make("memfd", 4096, huge_pages=12345)
    try:
        assert len(make("memfd", 2 << 20, huge_pages=2 << 20)) == 2 << 20
    except OSError as error:
        assert "huge pages" in str(error)


def test_own_only_refuses_what_belongs_to_others(make: Maker) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving a file away needs root")
    shm = make("posix")
    os.chown(shm.fileno(), 12345, -1)
    with pytest.raises(PermissionError, match="belongs to user 12345"):
        SharedMemory.open(shm.name, own_only=True)


def test_an_empty_object_is_no_data(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(OSError) as caught:
        SharedMemory.open(f"file:{tmp_path}/empty")
    assert caught.value.errno == errno.ENODATA
    with pytest.raises(OSError, match="a directory") as caught:
        SharedMemory.open(f"file:{tmp_path}")
    assert caught.value.errno == errno.EMEDIUMTYPE


@pytest.mark.parametrize("backing", ["posix", "file", "memfd"])
def test_from_fd_duplicates(make: Maker, backing: str) -> None:
    shm = make(backing)
    for source in (shm.fileno(), shm):
        with SharedMemory.from_fd(source, size=100) as other:
            assert other.backing == backing
            assert other.fileno() != shm.fileno()
            assert not os.get_inheritable(other.fileno())
            assert len(other) == 100
            other.add_u32(0, 1)
    os.fstat(shm.fileno())
    assert shm.load_u32(0) == 2


def test_from_fd_refuses_what_it_cannot_map(tmp_path: Path) -> None:
    for number in (-1, 1 << 20):
        with pytest.raises(OSError) as caught:
            SharedMemory.from_fd(number)
        assert caught.value.errno == errno.EBADF
    with open(tmp_path / "log", "wb") as log:
        log.write(b"x")
        log.flush()
        with pytest.raises(PermissionError):
            SharedMemory.from_fd(log)
    with open(tmp_path / "log", "rb") as file, SharedMemory.from_fd(file, read_only=True) as shm:
        assert bytes(shm) == b"x"
    with pytest.raises(TypeError):
        SharedMemory.from_fd("1")  # type: ignore[arg-type]


@pytest.mark.parametrize("backing", BACKINGS)
def test_the_descriptor_is_there_or_the_error_says_why(make: Maker, backing: str) -> None:
    shm = make(backing)
    if backing in ("sysv", "anon"):
        with pytest.raises(OSError, match="no descriptor") as caught:
            shm.fileno()
        assert caught.value.errno == errno.EOPNOTSUPP
    else:
        assert os.fstat(shm.fileno()).st_size == 4096
        assert not os.get_inheritable(shm.fileno())


@pytest.mark.parametrize("backing", BACKINGS)
def test_close_unmaps_and_never_removes(make: Maker, backing: str) -> None:
    shm = make(backing)
    address, descriptors = address_of(shm), len(os.listdir("/proc/self/fd"))
    assert mapped_at(address) == "rw-s"
    if backing in NAMED:
        shm.close()
        SharedMemory.open(shm.name).close()
    shm.close()
    shm.close()
    assert shm.closed
    if backing in ("posix", "file", "memfd"):
        assert len(os.listdir("/proc/self/fd")) == descriptors - 1
    assert mapped_at(address) != "rw-s"


def test_after_close_everything_says_so(make: Maker) -> None:
    shm = make("posix")
    shm.close()
    calls: list[Callable[[], object]] = [
        lambda: len(shm),
        lambda: shm.size,
        lambda: shm.fileno(),
        lambda: shm.read_at(0, 1),
        lambda: shm.write_at(0, b"x"),
        lambda: shm.load_u32(0),
        lambda: shm.resize(10),
        lambda: shm.refresh(),
        lambda: shm.flush(),
        lambda: shm.remove(),
        lambda: memoryview(shm),
        lambda: shm.array("B"),
        lambda: shm.__enter__(),
        lambda: shm.guarded().__enter__(),
        lambda: shm.__reduce__(),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="is closed"):
            call()
    assert shm.name.startswith("/")
    assert (shm.backing, shm.read_only, shm.id, shm.system_v) == ("posix", False, None, None)


def test_with_closes_at_its_end(name_of: Namer) -> None:
    name = name_of("posix")
    with SharedMemory.create(name, 8) as shm:
        assert not shm.closed
    assert shm.closed
    with pytest.raises(KeyError), SharedMemory.open(name) as shm:
        raise KeyError
    assert shm.closed
    SharedMemory.open(name).close()


def test_a_forgotten_handle_is_closed_when_it_is_collected(make: Maker) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    shm = make("posix")
    for _ in range(10):
        SharedMemory.open(shm.name)
    assert len(os.listdir("/proc/self/fd")) == descriptors + 1
