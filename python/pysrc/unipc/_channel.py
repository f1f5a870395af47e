# SPDX-License-Identifier: MIT OR Apache-2.0
"""How a pickled end of a channel comes to life."""

from typing import Any

from . import _native


def _reopen(what: str, place: Any, offset: int, spin: bool) -> Any:
    """Opens the channel in the process to which an end of it was pickled: a handle of that process's own."""
    return getattr(_native, what).open(place, offset, spin=spin)
