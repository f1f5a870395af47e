# SPDX-License-Identifier: MIT OR Apache-2.0
"""The mechanisms of Linux beside each other, as data."""

from dataclasses import dataclass

from . import _native


@dataclass(frozen=True, kw_only=True)
class Mechanism:
    """A mechanism and what it gives; None where the question does not arise.

    name              what it is called
    room              the part of this library that has it
    connectionless    one can send without opening or connecting anything first
    reliable          everything arrives that was accepted, and in order
    flow_control      a sender that is too fast waits for the receiver
    records           what is sent at once is received at once
    selection         what besides the order of sending decides what comes next: "type", "priority", "number" or None
    consumed          what one reader has read is gone for the others
    persistence       how long it stays: with the "process", the "kernel" or the "file system"
    remark            what else there is to know
    """

    name: str
    room: str
    connectionless: bool
    reliable: bool | None
    flow_control: bool | None
    records: bool | None
    selection: str | None
    consumed: bool
    persistence: str
    remark: str


def mechanisms() -> list[Mechanism]:
    """All mechanisms, by family.

    >>> import unipc
    >>> [it.name for it in unipc.mechanisms() if it.selection == "priority"]
    ['POSIX message queue']
    """
    return [Mechanism(**row) for row in _native.mechanism_table()]
