# SPDX-License-Identifier: MIT OR Apache-2.0
"""The line protocol of an agent (see ../README.md), for the agents written in Python."""

import errno
import sys

# Two names of one number: the matrix has the one that the library documents.
NAMES = errno.errorcode | {errno.EOPNOTSUPP: "EOPNOTSUPP", errno.EDEADLK: "EDEADLK"}


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def waiting():
    """Says that this verb is about to wait for another process."""
    say("WAIT")


def perform(verbs, words):
    """Runs one verb: its function gets a dictionary and returns bytes or text. Returns the exit status."""
    arguments = dict(word.split("=", 1) for word in words[1:])
    if words[0] not in verbs:
        say("ERR ENOSYS")
        return 1
    try:
        value = verbs[words[0]](arguments)
    except OSError as error:
        say(f"ERR {NAMES.get(error.errno, type(error).__name__)}")
        return 3 if error.errno == errno.EAGAIN else 1
    except Exception as error:  # told to the runner, which is the judge
        say(f"ERR {type(error).__name__}:{error}")
        return 1
    say(f"OK {value.hex() if isinstance(value, bytes) else value}")
    return 0


def serve(verbs):
    say("READY")
    if len(sys.argv) > 1:
        sys.exit(perform(verbs, sys.argv[1:]))
    for line in sys.stdin:
        if line.strip():
            perform(verbs, line.rstrip("\n").split("\t"))


def number(arguments, key, otherwise=0):
    return int(arguments[key], 0) if key in arguments else otherwise


def repeated(arguments, size):
    """The block `hex`, repeated to `size` bytes."""
    block = bytes.fromhex(arguments["hex"])
    return (block * (size // len(block) + 1))[:size]
