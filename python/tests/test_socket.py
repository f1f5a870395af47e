# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sockets as Python sees them: arguments, exceptions, what it returns; and beside the standard `socket`."""

import array
import copy
import errno
import gc
import multiprocessing
import os
import pickle
import socket
import stat
import sys
from collections.abc import Iterator
from multiprocessing import reduction
from pathlib import Path

import pytest
from conftest import in_fork

import unipc
from unipc import Credentials, DescriptorKind, Listener, Seals, SharedMemory, Socket, SocketKind

KINDS = ["stream", "datagram", "seqpacket"]
ME = (os.getpid(), os.geteuid(), os.getegid())

Pair = tuple[Socket, Socket]


@pytest.fixture(params=KINDS)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    one, other = Socket.pair(request.param)
    with one, other:
        yield one, other


@pytest.fixture
def stream() -> Iterator[Pair]:
    one, other = Socket.pair()
    with one, other:
        yield one, other


@pytest.fixture
def packets() -> Iterator[Pair]:
    one, other = Socket.pair("seqpacket")
    with one, other:
        yield one, other


@pytest.fixture
def place(tmp_path: Path) -> str:
    """The name of a socket that is short enough, whatever the temporary directory is called."""
    os.chdir(tmp_path)
    return "unipc.socket"


def descriptors() -> int:
    gc.collect()  # what earlier tests have left to the collector goes now, not in between
    return len(os.listdir("/proc/self/fd"))


def test_boundaries(pair: Pair) -> None:
    one, other = pair
    assert one.send(b"first") == 5
    one.send_all(bytearray(b"second"))
    got = [other.recv(timeout=5)]
    if one.kind != "stream":
        got.append(other.recv(timeout=5))
    assert got == ([b"firstsecond"] if one.kind == SocketKind.STREAM else [b"first", b"second"])
    assert one.kind is SocketKind(one.kind)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_message_that_does_not_fit_is_an_error(kind: str) -> None:
    one, other = Socket.pair(kind)
    with one, other:
        for receive in (other.recv, other.recv_from, other.recv_message):
            one.send(b"12345")
            assert other.next_size() == 5
            with pytest.raises(OSError, match="5 bytes are more than the 4") as caught:
                receive(4)
            assert caught.value.errno == errno.EMSGSIZE
        one.send(b"12345")
        with pytest.raises(OSError, match="5 bytes"):
            other.recv_into(bytearray(4))


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 200_000])
def test_messages_of_any_size(packets: Pair, size: int) -> None:
    one, other = packets
    data = os.urandom(size)
    assert one.send(data) == size
    message = other.recv_message()
    assert message is not None and message.data == data
    one.send(memoryview(data))
    assert other.recv() == data


def test_large_streams_go_whole(stream: Pair) -> None:
    one, other = stream
    data = os.urandom(5_000_000)
    child = in_background(lambda: other.recv_exact(len(data)) == data)
    one.send_all(data)
    assert child()
    child = in_background(lambda: other.recv_exact(len(data)) == data)
    assert one.send(data) == len(data)
    assert child()


def in_background(work):  # type: ignore[no-untyped-def]
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return future.result


def test_any_buffer_is_sent_and_filled(packets: Pair) -> None:
    one, other = packets
    one.send(array.array("i", [1, 2]))
    room = array.array("i", [0, 0, 7])
    assert other.recv_into(room) == 8 and room.tolist() == [1, 2, 7]
    with pytest.raises(BufferError):
        other.recv_into(b"constant")
    with pytest.raises(TypeError):
        one.send("text")  # type: ignore[arg-type]


def test_exceptions_say_how_far_it_came(stream: Pair) -> None:
    one, other = stream
    one.send(b"123")
    with pytest.raises(TimeoutError) as caught:
        other.recv_exact(8, timeout=0.01)
    assert caught.value.partial == b"123"  # type: ignore[attr-defined]
    one.send(b"45")
    one.shutdown("send")
    with pytest.raises(OSError, match="ended after 2 of 8") as ended:
        other.recv_exact(8)
    assert ended.value.errno == errno.EBADMSG and ended.value.partial == b"45"  # type: ignore[attr-defined]
    with pytest.raises(OSError, match="has ended") as ended:
        other.recv_exact(8)
    assert ended.value.errno == errno.ENODATA
    with pytest.raises(TimeoutError, match="bytes") as partial:
        other.send_all(bytes(10_000_000), timeout=0.01)
    assert 0 < partial.value.characters_written < 10_000_000  # type: ignore[attr-defined]
    assert len(one.recv(20_000_000)) == partial.value.characters_written  # type: ignore[attr-defined]


def test_ends_and_broken_pipes(pair: Pair) -> None:
    one, other = pair
    if one.kind == "datagram":
        other.close()
        with pytest.raises(ConnectionRefusedError):
            one.send(b"x")
        return
    one.shutdown("send")
    assert other.recv() == b"" and other.recv_message() is None
    other.send(b"half")
    assert one.recv() == b"half"
    other.close()
    for send in (one.send, one.send_all, one.send_message):
        with pytest.raises(BrokenPipeError):
            send(b"x")


def test_an_empty_message_is_no_end(packets: Pair) -> None:
    one, other = packets
    one.send(b"")
    message = other.recv_message()
    assert message is not None and message.data == b""
    one.close()
    assert other.recv_message() is None


def test_names_and_answers() -> None:
    with Socket.bind("unix:@") as server, Socket.connect(server.local_name or "", kind="datagram") as client:
        assert client.peer_name == server.local_name and client.kind is SocketKind.DATAGRAM
        client.send(b"question")
        data, sender = server.recv_from()
        assert data == b"question" and sender == client.local_name and sender
        server.send_to(b"answer", sender)
        assert server.send_message(b"again", to=sender) == 5
        assert (client.recv(), client.recv()) == (b"answer", b"again")
        with Socket.connect(server.local_name or "", kind="datagram", local=f"unix:@own-{os.getpid()}") as named:
            named.send(b"x")
            assert server.recv_from()[1] == f"unix:@own-{os.getpid()}"
    with Socket.pair("datagram")[0] as nameless:
        assert nameless.local_name is None and nameless.peer_name is None


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_tcp(host: str) -> None:
    try:
        listener = Listener.bind(f"tcp:{host}:0")
    except OSError as error:
        pytest.skip(f"no {host} here: {error}")
    with listener, Socket.connect(listener.local_name, 5) as client, listener.accept(5) as server:
        assert client.peer_name == listener.local_name and server.peer_name == client.local_name
        assert not client.delay and not server.delay
        client.delay = True
        assert client.delay
        client.send_all(b"over")
        assert server.recv_exact(4) == b"over"
        with pytest.raises(OSError, match="only UNIX") as caught:
            client.peer_credentials  # noqa: B018
        assert caught.value.errno == errno.EOPNOTSUPP
    with pytest.raises(ConnectionRefusedError):
        Socket.connect(listener.name.replace(":0", ":1"), 5)
    with pytest.raises(OSError, match="no-such-host") as unknown:
        Socket.connect("tcp:no-such-host.invalid:1", 5)
    assert unknown.value.errno == errno.EHOSTUNREACH


def test_credentials(pair: Pair) -> None:
    one, other = pair
    if one.kind != "datagram":
        assert one.peer_credentials == Credentials(*ME) == ME
    other.pass_credentials()
    one.send(b"x")
    message = other.recv_message()
    assert message is not None and message.credentials == ME
    other.pass_credentials(False)
    one.send(b"x")
    message = other.recv_message()
    assert message is not None and message.credentials is None


def test_files(place: str) -> None:
    name = f"unix:{place}"
    with Listener.bind(name, mode=0o640) as listener:
        status = os.stat(place)
        assert stat.S_ISSOCK(status.st_mode) and status.st_mode & 0o777 == 0o640
        assert listener.name == listener.local_name == name
        with pytest.raises(OSError, match="a living socket") as caught:
            Listener.bind(name)
        assert caught.value.errno == errno.EADDRINUSE
        with Socket.connect(name, own_only=True):
            listener.accept().close()
    assert os.path.exists(place), "closing never removes"
    with pytest.raises(OSError, match="EADDRINUSE"):
        Listener.bind(name, keep_stale=True)
    with Listener.bind(name, kind="seqpacket") as listener:
        assert listener.kind == "seqpacket"
        listener.remove()
    assert not os.path.exists(place)
    Listener.bind(name, remove_on_close=True).close()
    Socket.bind(name, remove_on_close=True).close()
    assert not os.path.exists(place)
    with Socket.bind(name) as datagrams:
        datagrams.remove()
        with pytest.raises(FileNotFoundError):
            Socket.unlink(name)
    Path(place).write_text("precious")
    with pytest.raises(FileExistsError):
        Listener.bind(name)


def test_arguments() -> None:
    for wrong in (lambda: Socket.pair("raw"), lambda: Socket.connect("unix:@x", kind="raw")):
        with pytest.raises(ValueError, match="stream, datagram, seqpacket"):
            wrong()
    one, other = Socket.pair()
    with one, other:
        with pytest.raises(ValueError, match="send, receive, both"):
            one.shutdown("none")
        with pytest.raises(ValueError, match="memfd, file"):
            one.recv_message(max_fds=1, fd_kind="thing")
        with pytest.raises(TypeError, match="fileno"):
            one.send_message(b"x", ["name"])  # type: ignore[list-item]
        with pytest.raises(OSError, match="names no socket"):
            Socket.connect("/demo")
        with pytest.raises(OSError, match="at most 107"):
            Socket.connect("unix:/" + "x" * 107)
    with pytest.raises(TypeError):
        Socket()
    with pytest.raises(ValueError, match="closed"):
        one.recv()
    with pytest.raises(ValueError, match="closed"):
        one.fileno()
    one.close()
    assert one.closed and repr(one) == "<unipc.Socket stream closed>"


def test_reprs() -> None:
    with Listener.bind("tcp:127.0.0.1:0") as listener, Socket.connect(listener.local_name) as client:
        assert repr(listener) == "<unipc.Listener stream 'tcp:127.0.0.1:0'>"
        assert repr(client).startswith(f"<unipc.Socket stream fd {client.fileno()} at 'tcp:127.0.0.1:")
        assert repr(client).endswith(f"to {listener.local_name!r}>")
    assert repr(listener) == "<unipc.Listener stream 'tcp:127.0.0.1:0' closed>"


def test_buffers_and_queues(stream: Pair) -> None:
    one, other = stream
    assert one.set_send_buffer(10_000) == one.send_buffer == 20_000
    assert one.set_receive_buffer(10_000) == one.receive_buffer == 20_000
    one.send(b"12345")
    assert other.waiting == other.next_size() == 5 and one.unsent >= 5
    with Socket.pair(send_buffer=5000)[0] as small:
        assert small.send_buffer == 10_000


def test_descriptors_travel(pair: Pair) -> None:
    one, other = pair
    reader, writer = os.pipe()
    os.write(writer, b"in the pipe")
    with SharedMemory.create("memfd:frame", 100) as memory, open("/dev/null") as null:
        memory.write_at(0, b"in memory")
        assert one.send_message(b"three", [memory, reader, null.fileno()]) == 5
    for fd in (reader, writer):
        os.close(fd)
    one.close()
    before = descriptors()
    with other.recv_message(max_fds=3) as message:  # type: ignore[union-attr]
        assert message.data == b"three" and len(message.fds) == 3
        assert not any(os.get_inheritable(fd) for fd in message.fds)
        with SharedMemory.from_fd(message.fds[0]) as memory:
            assert memory.read_at(0, 9) == b"in memory"
        assert os.read(message.fds[1], 99) == b"in the pipe"
    assert descriptors() == before and message.fds == ()


def test_a_message_closes_what_nobody_took(packets: Pair) -> None:
    one, other = packets
    before = descriptors()
    one.send_message(b"x", [0, 0])
    message = other.recv_message(max_fds=2)
    assert message is not None
    fds = message.take()
    del message
    assert descriptors() == before + 2
    for fd in fds:
        os.close(fd)
    one.send_message(b"x", [0, 0])
    message = other.recv_message(max_fds=2)
    assert descriptors() == before + 2 and "fds=" in repr(message)
    del message
    assert descriptors() == before


def test_wrong_descriptors_are_closed(packets: Pair) -> None:
    one, other = packets
    before = descriptors()
    with SharedMemory.create("memfd:frame", 100) as memory:
        wrong = [
            ({"max_fds": 1}, [0, 0], "asked for"),
            ({"max_fds": 0}, [0], "asked for"),
            ({"max_fds": 2, "min_fds": 2}, [0], "1 descriptors came, 2"),
            ({"max_fds": 1, "fd_kind": "pipe"}, [memory], "is a memfd, not a pipe"),
            ({"max_fds": 1, "fd_kind": DescriptorKind.SOCKET}, [memory], "not a socket"),
            ({"max_fds": 1, "require_seals": Seals.WRITE}, [memory], "lacks the seals"),
            ({"max_fds": 1, "fd_size": 101}, [memory], "100 bytes"),
            ({"max_fds": 1, "writable": True}, [memory.read_only_fd()], "not open for writing"),
        ]
        for arguments, fds, reason in wrong:
            one.send_message(b"x", fds)  # type: ignore[arg-type]
            held = descriptors()
            with pytest.raises(PermissionError, match=reason):
                other.recv_message(**arguments)  # type: ignore[arg-type]
            assert descriptors() == held
        os.close(wrong[-1][1][0])  # type: ignore[call-overload]
        one.send_message(b"x", [memory])
        good = other.recv_message(max_fds=1, fd_kind="memfd", require_seals=Seals.SHRINK, fd_size=100, readable=True)
        assert good is not None and len(good.fds) == 1
        good.close()
    assert descriptors() == before


def test_with_the_standard_socket(tmp_path: Path) -> None:
    one, other = socket.socketpair()
    with one, other:
        unipc.send_fds(one, [0, 1])
        data, fds, flags, _ = socket.recv_fds(other, 10, 5)
        assert data == b"\x02" and len(fds) == 2 and not flags & socket.MSG_CTRUNC
        socket.send_fds(other, [b"x"], fds)
        for fd in fds + (got := unipc.recv_fds(one, 2)):
            os.close(fd)
        assert len(got) == 2
        reduction.sendfds(one, [0])
        [fd] = unipc.recv_fds(other)
        unipc.send_fds(one, [fd])
        os.close(fd)
        [fd] = reduction.recvfds(other, 1)
        os.close(fd)
        one.send(b"bytes")
        with pytest.raises(PermissionError, match="no descriptor"):
            unipc.recv_fds(other)
        with Socket.from_fd(one) as same:
            assert same.fileno() != one.fileno()
            same.send_all(b" more")
        back = socket.socket(fileno=Socket.from_fd(one).detach())
        with back:
            back.sendall(b"!")
        assert other.recv(100) == b"ytes more!"
        one.settimeout(0.01)  # makes it non-blocking
        with Socket.from_fd(one) as patient, pytest.raises(TimeoutError):
            patient.recv(timeout=0.05)
        other.close()
        assert unipc.recv_fds(one) == []
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        with pytest.raises(OSError, match="listens"):
            Socket.from_fd(listening)
        with Listener.from_fd(listening) as listener, socket.create_connection(listening.getsockname()) as client:
            client.sendall(b"x")
            with listener.accept(5) as server:
                assert server.recv() == b"x"
    with pytest.raises(OSError, match="ENOTSOCK"):
        Socket.from_fd(0 if not stat.S_ISSOCK(os.fstat(0).st_mode) else os.open("/dev/null", os.O_RDONLY))


def child_answers(server: Socket) -> None:
    with server:
        server.send_all(server.recv_exact(4)[::-1])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_socket_goes_to_a_process(stream: Pair, method: str) -> None:
    one, other = stream
    process = multiprocessing.get_context(method).Process(target=child_answers, args=(other,))
    process.start()
    one.send_all(b"abcd")
    assert one.recv_exact(4, timeout=30) == b"dcba"
    process.join(30)
    assert process.exitcode == 0


def test_pickle_and_copy_are_refused(stream: Pair) -> None:
    for handle in (*stream, Listener.bind("unix:@")):
        with pytest.raises(TypeError, match="multiprocessing"):
            pickle.dumps(handle)
        with pytest.raises(TypeError, match="multiprocessing"):
            copy.copy(handle)


def test_a_child_of_fork_shares_it(stream: Pair) -> None:
    one, other = stream

    def child() -> None:
        other.send_all(b"from the child")
        other.close()

    assert in_fork(child) == 0
    assert one.recv() == b"from the child"
    other.send_all(b"the parent's is open")
    assert one.recv() == b"the parent's is open"


def test_asyncio(packets: Pair) -> None:
    import asyncio

    one, other = packets

    async def receive() -> bytes:
        loop, came = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(other, came.set)
        loop.call_later(0.01, one.send, b"later")
        await asyncio.wait_for(came.wait(), 30)
        loop.remove_reader(other)
        return other.recv(timeout=0)

    assert asyncio.run(receive()) == b"later"
    assert sys.getrefcount(other) < 10


def test_the_descriptors_of_a_message_are_closed_once_and_in_this_process() -> None:
    one, other = Socket.pair()
    reader, writer = os.pipe()
    one.send_message(b"x", [reader, writer])
    message = other.recv_message(1, max_fds=2)
    assert message is not None
    for copied in copy.copy, copy.deepcopy, pickle.dumps:
        with pytest.raises(TypeError, match="send_fds"):
            copied(message)  # type: ignore[operator]
    first, second = message.fds
    os.close(first)
    with pytest.raises(OSError, match="Bad file descriptor"):
        message.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(second)
    message.close()
    same = pickle.loads(pickle.dumps(message))
    assert (same.data, same.fds, same.credentials, same.sender) == (b"x", (), None, None)
    for fd in reader, writer:
        os.close(fd)
