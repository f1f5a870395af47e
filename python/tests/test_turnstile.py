# SPDX-License-Identifier: MIT OR Apache-2.0
"""Parent and child take turns."""

import errno
import os
import pickle
import signal

import pytest
from waiting import asleep, interrupt, others_run

from unipc import Turnstile
from unipc.pipe import pipe


def rounds(parent_first: bool) -> bytes:
    log, entries = pipe()
    with Turnstile() as turnstile:
        child = os.fork()
        if child == 0:
            try:
                for _ in range(5):
                    if parent_first:
                        turnstile.wait_parent(30)
                    entries.write(b"c")
                    turnstile.tell_parent()
                    if not parent_first:
                        turnstile.wait_parent(30)
            except BaseException:
                os._exit(1)
            os._exit(0)
        for _ in range(5):
            if not parent_first:
                turnstile.wait_child(30)
            entries.write(b"p")
            turnstile.tell_child()
            if parent_first:
                turnstile.wait_child(30)
    assert os.waitpid(child, 0)[1] == 0
    return log.read()


def test_five_rounds_with_either_side_first() -> None:
    assert rounds(True) == b"pcpcpcpcpc"
    assert rounds(False) == b"cpcpcpcpcp"


def test_a_killed_child_is_noticed() -> None:
    turnstile = Turnstile()
    child = os.fork()
    if child == 0:
        turnstile.choose("child")
        turnstile.tell_parent()
        signal.pause()
    turnstile.wait_child(30)
    asleep(child)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with pytest.raises(BrokenPipeError, match="the child has ended"):
        turnstile.wait_child()
    with pytest.raises(BrokenPipeError):
        turnstile.tell_child()


def test_each_side_has_its_own_verbs_and_times() -> None:
    turnstile = Turnstile()
    with pytest.raises(OSError, match="this process is the parent") as error:
        turnstile.wait_parent()
    assert error.value.errno == errno.EINVAL
    hear, tell = turnstile.fds("child") or (-1, -1)
    child = Turnstile.from_fds("child", hear, tell)
    turnstile.choose("parent")
    assert turnstile.fds("child") is None
    with pytest.raises(BlockingIOError):
        turnstile.wait_child(timeout=0)
    with pytest.raises(TimeoutError):
        turnstile.wait_child(timeout=0.01)
    child.tell_parent()
    turnstile.wait_child()
    child.close()
    with pytest.raises(BrokenPipeError):
        turnstile.wait_child()
    turnstile.close()
    turnstile.close()
    with pytest.raises(ValueError, match="the turnstile is closed"):
        turnstile.tell_child()
    with pytest.raises(ValueError, match="a side is 'parent' or 'child'"):
        turnstile.choose("both")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        pickle.dumps(turnstile)


def test_ctrl_c_ends_a_wait_and_others_run() -> None:
    code = """
        from unipc import Turnstile
        turnstile = Turnstile()
        child = Turnstile.from_fds("child", *turnstile.fds("child"))
        print("READY", flush=True)
        turnstile.wait_child()
    """
    assert interrupt(code) < 30
    turnstile = Turnstile()
    child = Turnstile.from_fds("child", *(turnstile.fds("child") or ()))
    others_run(lambda: turnstile.wait_child(60) or True, child.tell_parent)


def test_a_handler_may_close_what_is_waited_for() -> None:
    turnstile = Turnstile()
    child = Turnstile.from_fds("child", *(turnstile.fds("child") or ()))

    def handler(*_: object) -> None:
        turnstile.close()

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    try:
        with pytest.raises(ValueError, match="closed"):
            turnstile.wait_child()
    finally:
        child.close()
        signal.signal(signal.SIGALRM, before)
