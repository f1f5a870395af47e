# SPDX-License-Identifier: MIT OR Apache-2.0
"""Programs, shells, coprocesses and pseudoterminals."""

import copy
import errno
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import in_fork
from waiting import Storm, interrupt, others_run

import unipc
from unipc import Coprocess, Process, Pty, RawMode, Shell, TerminalModes, WindowSize, spawn
from unipc.process import is_terminal, set_terminal_modes, set_window_size, terminal_modes, window_size

WATCHDOG = 30
ADDER = (
    "while read -r a b; do case $a$b in quit) exit 7;; *[!0-9]*|'') echo invalid args;; *) echo $((a + b));; esac; done"
)


def adder() -> Coprocess:
    return Coprocess(ADDER, shell=True)


# Starting and waiting.


def test_how_it_ended_is_a_number_as_in_subprocess() -> None:
    for line, wanted in ("exit 0", 0), ("exit 3", 3), ("kill -9 $$", -9), ("kill -40 $$", -40):
        process = spawn(line, shell=True)
        assert process.wait(WATCHDOG) == wanted
        assert (process.poll(), process.returncode, process.wait(0)) == (wanted,) * 3


def test_words_and_lines() -> None:
    with Shell(["printf", "<%s>", "a b", "$HOME", b"\xff", Path("/x")]) as shell:
        assert shell.read() == b"<a b><$HOME><\xff></x>"
    with pytest.raises(TypeError, match="shell=True"):
        spawn("echo hello")
    with pytest.raises(TypeError, match="one string"):
        spawn(["echo", "hello"], shell=True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'shel'"):
        spawn(["true"], shel=True)  # type: ignore[call-arg]
    with pytest.raises(OSError) as none:
        spawn([])
    assert none.value.errno == errno.EINVAL


def test_what_cannot_be_started_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match="no folder of PATH"):
        spawn(["unipc-no-such-program"])
    with pytest.raises(PermissionError):
        spawn(["/etc/passwd"])
    with pytest.raises(FileNotFoundError):
        spawn(["true"], cwd="/unipc/no/such/folder")
    with pytest.raises(ValueError, match="mode"):
        Shell(["true"], "rw")


def test_the_program_gets_what_it_is_told(tmp_path: Path) -> None:
    with Shell("echo ${A-unset} ${B-unset}; pwd", shell=True, env={"A": "1"}, cwd=tmp_path) as shell:
        assert list(shell) == [b"1 unset", os.fsencode(tmp_path)]
    with Shell("echo out; echo err >&2", shell=True, stderr=subprocess.STDOUT) as shell:
        assert list(shell) == [b"out", b"err"]
    with Shell("read x || echo null", shell=True, stdin=subprocess.DEVNULL) as shell:
        assert list(shell) == [b"null"]
    with Shell("ps -o pgid= -p $$", shell=True, new_group=True) as shell:
        assert int(next(shell)) == shell.process.pid


def test_descriptors_are_handed_on_by_number_and_by_name() -> None:
    reader, writer = os.pipe()
    with open("/dev/null") as null:
        assert os.set_inheritable(null.fileno(), True) is None
        with Shell("exec ls /proc/self/fd", shell=True, pass_fds=[writer]) as shell:
            assert list(shell) == sorted([b"0", b"1", b"2", b"3", str(writer).encode()])
        with Shell("exec ls /proc/self/fd", shell=True, pass_fds={9: writer, 7: null}) as shell:
            assert list(shell) == [b"0", b"1", b"2", b"3", b"7", b"9"]
    with spawn(["echo", "hello"], stdout=writer):
        os.close(writer)
        assert os.read(reader, 100) == b"hello\n"
        assert os.read(reader, 100) == b"", "no stray writer is left"
    os.close(reader)


def test_it_lives_beside_subprocess() -> None:
    pipe = subprocess.PIPE
    with (
        Shell(["sort"], "w", stdout=subprocess.DEVNULL) as ours,
        subprocess.Popen(["cat"], stdin=pipe, stdout=pipe) as theirs,
    ):
        assert theirs.communicate(b"x")[0] == b"x"
        ours.write(b"y\n")
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as theirs:
        assert theirs.stdin is not None and theirs.stdout is not None
        with spawn(["echo", "through"], stdout=theirs.stdin):
            pass
        theirs.stdin.close()
        assert theirs.stdout.read() == b"through\n"


def test_python_ignores_sigpipe_and_programs_do_not() -> None:
    with Shell(["grep", "SigIgn", "/proc/self/status"]) as shell:
        ignored = int(next(shell).split()[1], 16)
    assert ignored & (1 << (signal.SIGPIPE - 1)) == 0
    shell = Shell(["yes"])
    assert shell.read_line() == b"y"
    assert shell.close(WATCHDOG) == -signal.SIGPIPE


def test_a_process_is_signalled_waited_for_and_polled() -> None:
    process = spawn(["sleep", "1000"])
    assert (process.poll(), process.returncode) == (None, None)
    with pytest.raises(BlockingIOError):
        process.wait(0)
    with pytest.raises(TimeoutError):
        process.wait(0.01)
    assert select.select([process], [], [], 0)[0] == []
    assert f"{process.pid} ['sleep', '1000'] runs" in repr(process)
    process.send_signal(0)
    process.terminate()
    assert select.select([process], [], [], WATCHDOG)[0] == [process]
    assert process.wait() == -signal.SIGTERM
    assert "ended with -15" in repr(process)
    with pytest.raises(ProcessLookupError):
        process.send_signal(0)
    process.terminate()
    process.kill()
    assert not os.get_inheritable(process.fileno())
    with pytest.raises(TypeError):
        Process()


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_no_zombie_is_left() -> None:
    process = spawn(["true"])
    pid = process.pid
    while state(pid) != "Z":
        pass
    del process
    assert state(pid) == ""
    coprocess = Coprocess(["cat"])
    pid = coprocess.process.pid
    del coprocess
    while state(pid):
        pass


def test_a_child_of_fork_cannot_wait() -> None:
    process = spawn(["sleep", "1000"])

    def lost() -> None:
        with pytest.raises(ChildProcessError):
            process.wait()

    assert in_fork(lost) == 0
    process.kill()
    assert process.wait(WATCHDOG) == -9


def test_handles_are_neither_copied_nor_pickled() -> None:
    with Coprocess(["cat"]) as coprocess, Shell(["true"]) as shell, Pty() as pty:
        for handle in coprocess, coprocess.process, shell, pty:
            with pytest.raises(TypeError):
                pickle.dumps(handle)
            with pytest.raises(TypeError):
                copy.copy(handle)


# Shells.


def test_a_shell_reads_lines_and_bytes_and_tells_its_status() -> None:
    shell = Shell("printf 'one\\n\\nlast'; exit 3", shell=True)
    assert shell.read_line() == b"one"
    assert shell.read(2) == b"\nl"
    assert shell.read_line() == b"ast"
    assert (shell.read_line(), shell.read()) == (None, b"")
    with pytest.raises(OSError) as wrong:
        shell.write(b"x")
    assert wrong.value.errno == errno.EBADF
    assert shell.mode == "r" and not shell.closed
    assert (shell.close(), shell.close()) == (3, 3)
    assert shell.closed
    with pytest.raises(ValueError, match="closed"):
        shell.read()
    with pytest.raises(ValueError, match="closed"), shell:
        pass


def test_a_shell_writes_and_a_dead_one_is_a_broken_pipe() -> None:
    shell = Shell("test $(wc -c) = 300000 && exit 4", "w", shell=True)
    shell.write(b"x" * 300_000)
    assert shell.close() == 4
    shell = Shell("exit 3", "w", shell=True)
    with pytest.raises(BrokenPipeError, match="exit status: 3"):
        while True:
            shell.write(bytes(4096))


def test_a_block_that_ends_with_an_exception_does_not_wait() -> None:
    with pytest.raises(ZeroDivisionError), Shell(["sleep", "1000"]) as shell:
        _ = 1 / 0
    with pytest.raises(ZeroDivisionError), Coprocess(["sleep", "1000"]) as coprocess:
        _ = 1 / 0
    for handle in shell, coprocess:
        handle.process.kill()
        assert handle.close(WATCHDOG) == -9


def test_time_limits_hold() -> None:
    silent = Shell(["sleep", "1000"])
    with pytest.raises(BlockingIOError):
        silent.read(timeout=0)
    with pytest.raises(TimeoutError):
        silent.read_line(timeout=0.01)
    deaf = Shell(["sleep", "1000"], "w")
    with pytest.raises(TimeoutError):
        deaf.write(bytes(1 << 20), timeout=0.01)
    for shell in silent, deaf:
        with pytest.raises(TimeoutError):
            shell.close(0.01)
        shell.process.kill()
        assert shell.close(WATCHDOG) == -9


# Coprocesses.


def test_a_line_goes_and_a_line_comes() -> None:
    with adder() as program:
        assert [program.exchange(line) for line in (b"1 2", b"20 22", b"x", bytearray())] == [
            b"3", b"42", b"invalid args", b"invalid args",
        ]  # fmt: skip
        with pytest.raises(OSError) as two:
            program.exchange(b"1\n2")
        assert two.value.errno == errno.EINVAL


def test_a_dead_filter_is_a_broken_pipe_with_how_it_ended() -> None:
    program = adder()
    with pytest.raises(BrokenPipeError, match="exit status: 7"):
        program.exchange(b"quit")
    with pytest.raises(BrokenPipeError, match="exit status: 7"):
        program.exchange(b"1 2")
    assert program.close() == 7
    program = adder()
    program.process.kill()
    program.process.wait()
    with pytest.raises(BrokenPipeError, match="signal: 9"):
        program.write_line(b"1 2")


def test_answers_of_any_length_come_whole() -> None:
    with Coprocess(["cat"]) as program:
        for length in 0, 1, 65535, 65536, 300_000, 10, 300_000:
            line = b"x" * length
            assert program.exchange(line) == line


def test_pieces_do_what_an_exchange_does() -> None:
    program = Coprocess(["cat"])
    program.write(b"one\ntw")
    assert program.read_line() == b"one"
    with pytest.raises(TimeoutError):
        program.read_line(timeout=0.01)
    assert program.has_buffered
    program.write_line(b"o")
    assert select.select([program], [], [], WATCHDOG)[0] == [program]
    program.end_input()
    assert list(program) == [b"two"]
    with pytest.raises(OSError) as ended:
        program.write(b"x")
    assert ended.value.errno == errno.EBADF
    assert program.close() == 0
    assert "cat" in repr(program) and "closed" in repr(program)


def test_full_pipes_do_not_block_for_ever() -> None:
    large = b"0123456789abcde\n" * 100_000
    program = Coprocess(["cat"])
    program.write(large)
    program.end_input()
    assert b"".join(iter(program.read, b"")) == large
    assert Coprocess(["sort"]).communicate(b"b\na\n") == b"a\nb\n"
    assert Coprocess(["cat"]).communicate(large) == large
    assert Coprocess(["head", "-n", "1"]).communicate(large) == large[:16]
    assert Coprocess(["true"]).communicate() == b""


def test_a_filter_that_keeps_its_output_back() -> None:
    with pytest.raises(TimeoutError):
        Coprocess(["sed", "s/^/</"]).exchange(b"kept", timeout=0.05)
    with Coprocess(["sed", "s/^/</"], terminal=True) as program:
        assert program.exchange(b"a\t\x01\x04\x7f") == b"<a\t\x01\x04\x7f"
        program.end_input()
        assert program.read_line() is None


def test_lines_have_a_limit() -> None:
    with Coprocess(["cat"], line_limit=5) as program:
        assert program.exchange(b"12345") == b"12345"
        with pytest.raises(OSError, match="limit of a line is 5") as long:
            program.exchange(b"123456")
        assert long.value.errno == errno.EMSGSIZE
        assert program.read() == b"123456\n"


def test_each_of_eight_threads_gets_its_own_answer() -> None:
    wrong: list[bytes] = []
    with adder() as program:

        def ask(thread: int) -> None:
            for turn in range(30):
                answer = program.exchange(b"%d %d" % (thread * 1000, turn))
                if answer != b"%d" % (thread * 1000 + turn):
                    wrong.append(answer)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WATCHDOG)
    assert wrong == []


def test_closing_while_another_thread_reads_lets_it_go_on() -> None:
    program = Coprocess(["cat"])
    outcome: list[object] = []

    def read() -> None:
        try:
            outcome.append(program.read_line())
        except (OSError, ValueError) as error:
            outcome.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    assert program.close(WATCHDOG) == 0
    reader.join(WATCHDOG)
    # The program saw the end of its input, so the reader sees the end; or it came when it was closed.
    assert outcome == [None] or "closed" in str(outcome) or "EBADF" in str(outcome)


# What every wait has to stand.


def test_other_threads_run_meanwhile() -> None:
    process = spawn(["sleep", "1000"])
    others_run(process.wait, process.kill)
    with Coprocess(["cat"]) as program:
        others_run(program.read_line, lambda: program.write_line(b"x"))
    pty = Pty()
    slave = pty.slave()
    others_run(pty.read, lambda: os.write(slave, b"x"))
    os.close(slave)


@pytest.mark.parametrize(
    "wait",
    [
        "unipc.spawn(sleep, stdout=null, stderr=null).wait()",
        "unipc.Shell(sleep, stderr=null).read_line()",
        "unipc.Shell(sleep, stderr=null).close()",
        "unipc.Shell(sleep, 'w', stdout=null, stderr=null).write(bytes(1 << 20))",
        "unipc.Coprocess(sleep, stderr=null).exchange(b'x')",
        "unipc.Coprocess(sleep, stderr=null).write(bytes(1 << 20))",
        "unipc.Coprocess(sleep, stderr=null).communicate(b'x')",
        "unipc.Pty(sleep).read()",
    ],
)
def test_control_c_ends_it(wait: str) -> None:
    # The program outlives it a little, and must not keep what `interrupt` reads.
    assert interrupt(f"import unipc\nsleep, null = ['sleep', '3'], -3\nprint('READY', flush=True)\n{wait}") < 2


def write_in_a_storm(writer: Shell | Pty, line: int, count: int) -> None:
    """Two threads write long lines, one of them while signals come."""

    def write(letter: bytes) -> None:
        for _ in range(count):
            writer.write(letter * line + b"\n", WATCHDOG)

    thread = threading.Thread(target=write, args=(b"b",))
    with Storm():
        thread.start()
        write(b"a")
        thread.join(WATCHDOG)


def test_what_one_call_writes_stays_together_through_signals(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with Shell(["dd", f"of={kept}", "bs=4k", "status=none"], "w") as shell:
        write_in_a_storm(shell, 300_000, 150)
    lines = kept.read_bytes().splitlines()
    assert sorted(line[:1] for line in lines) == [b"a"] * 150 + [b"b"] * 150
    assert all(len(set(line)) == 1 for line in lines)


def test_a_handler_in_the_midst_of_a_write_is_told(run) -> None:
    code = """
import errno, signal, unipc

def told(call):
    def handler(*_):
        for timeout in (0, 1, None):
            try:
                call(b"quit", timeout)
            except OSError as error:
                assert error.errno == errno.EDEADLK and "handler of a signal" in str(error), error
                seen.append(timeout)
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        call(bytes(200_000), 1)
    except TimeoutError:
        pass

seen = []
shell = unipc.Shell(["sleep", "100"], "w")
told(shell.write)
with unipc.Coprocess(["sleep", "100"]) as program:
    told(program.exchange)
    program.process.kill()
print(seen)
shell.process.kill()
"""
    assert run(code).stdout == "[0, 1, None, 0, 1, None]\n"


def test_a_storm_of_signals_loses_nothing() -> None:
    with Coprocess(["cat"]) as program, Storm() as storm:
        number = 0
        while storm.signals < 100:
            number += 1
            assert program.exchange(b"%d" % number) == b"%d" % number
        large = b"x" * 1_000_000
        assert Coprocess(["cat"]).communicate(large) == large
        assert spawn(["sleep", "0.05"]).wait() == 0
        shell = Shell("test $(wc -c) = 1000000", "w", shell=True)
        shell.write(large)
        assert shell.close() == 0


# Terminals.


def test_a_program_is_on_a_terminal_of_its_own() -> None:
    pty = Pty("tty; test -t 0 && test -t 1 && test -t 2 && echo all; stty size; exit 3", (30, 100), shell=True)
    lines = [pty.read_line() for _ in range(3)]
    assert lines == [os.fsencode(pty.name) + b"\r", b"all\r", b"30 100\r"]
    assert (pty.read_line(), pty.read()) == (None, b"")
    assert pty.process is not None and pty.process.wait() == 3
    assert (pty.close(), pty.close()) == (3, 3)
    assert "/dev/pts/" in repr(pty)


def test_the_line_discipline() -> None:
    with Pty("echo ready; read -r x; echo got $x; exec cat", shell=True) as pty:
        assert pty.read_line() == b"ready\r"
        assert pty.modes == TerminalModes(15)
        pty.write(b"ax\x7fb\n")
        assert pty.read_line() == b"ax\x08 \x08b\r"
        assert pty.read_line() == b"got ab\r"
        pty.set_modes(pty.modes & ~TerminalModes.ECHO)
        assert terminal_modes(pty) == TerminalModes(14)
        pty.write(b"x\n")
        assert pty.read_line() == b"x\r"
        pty.end_of_file()
        assert pty.read() == b""
        with pytest.raises(ValueError, match="TerminalModes"):
            pty.set_modes(16)


def test_signals_and_sizes_reach_the_program() -> None:
    line = "trap 'stty size' WINCH; trap 'echo caught; exit 6' INT; echo ready; while :; do sleep 0.01; done"
    pty = Pty(line, shell=True)
    assert pty.read_line() == b"ready\r"
    assert pty.window_size == WindowSize(24, 80)
    pty.set_window_size(50, 132)
    assert pty.read_line() == b"50 132\r"
    assert window_size(pty) == (50, 132, 0, 0)
    pty.write(b"\x03")
    assert pty.read_line() == b"^Ccaught\r"
    assert pty.process is not None and pty.process.wait(WATCHDOG) == 6


def test_hanging_up_ends_the_session() -> None:
    pty = Pty(["sleep", "1000"])
    assert pty.close(WATCHDOG) == -signal.SIGHUP
    with pytest.raises(ValueError, match="closed"):
        pty.read()
    assert Pty().close() is None


def test_a_terminal_without_a_program() -> None:
    pty = Pty()
    assert pty.process is None
    slave = pty.slave()
    assert is_terminal(slave) and os.isatty(slave) and os.ttyname(slave) == pty.name
    assert not os.get_inheritable(slave) and not os.get_inheritable(pty.fileno())
    raw = RawMode(slave)
    assert terminal_modes(slave) == TerminalModes(0)
    pty.write(bytes(range(256)))
    assert os.read(slave, 1000) == bytes(range(256))
    raw.restore()
    raw.restore()
    assert terminal_modes(slave) == TerminalModes(15)
    set_terminal_modes(slave, TerminalModes.ECHO | TerminalModes.CANONICAL)
    assert pty.modes == TerminalModes.ECHO | TerminalModes.CANONICAL
    set_window_size(slave, 10, 20)
    assert os.get_terminal_size(slave) == (20, 10)
    assert not pty.has_buffered
    with pytest.raises(BlockingIOError):
        pty.read(timeout=0)
    os.close(slave)
    with pytest.raises(TypeError, match="without a command"):
        Pty(shell=True)


def test_what_is_no_terminal_says_so() -> None:
    reader, writer = os.pipe()
    assert not is_terminal(reader)
    for ask in window_size, terminal_modes, RawMode, lambda fd: set_window_size(fd, 1, 1):
        with pytest.raises(OSError, match="no terminal") as error:
            ask(reader)
        assert error.value.errno == errno.ENOTTY
    os.close(reader)
    os.close(writer)
    with pytest.raises(OSError):
        is_terminal(-1)


def test_unipc_is_where_they_say_they_are() -> None:
    for public in Process, Shell, Coprocess, Pty, RawMode, TerminalModes, WindowSize:
        assert public.__module__ == "unipc" and getattr(unipc, public.__name__) is public
    assert sys.modules["unipc.process"].spawn is unipc.spawn
    started = time.monotonic()
    assert spawn(["true"]).wait(WATCHDOG) == 0 and time.monotonic() - started < WATCHDOG
