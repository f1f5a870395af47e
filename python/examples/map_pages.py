# SPDX-License-Identifier: MIT OR Apache-2.0
"""How far a mapped file may be touched: to the end of its last page, and not a byte further.

Run `map_pages.py FILE` (maps the file from its beginning) or `map_pages.py FILE 2` (from its second
page on). The file is 99 bytes short of two pages. The last line tells of the first page that it
does not reach, where a plain store would be SIGBUS: the third page of the mapping, in version 2 the
second.
"""

import struct

from common import PEOPLE, run, say

from unipc import SharedMemory, page_size


def experiment(path: str, version: str = "1") -> None:
    page = page_size()
    say(f"pagesize is {page}")
    SharedMemory.create(f"file:{path}", 2 * page - 99, replace=True).close()
    offset = page if version == "2" else 0
    with SharedMemory.open(f"file:{path}", size=3 * page, offset=offset, slack=True) as shm:

        def set_age(record: int) -> None:
            # The age is the second half of a record.
            shm.write_at(record * PEOPLE.size + 4, struct.pack("i", 100))

        for i in range(1, 10):
            following = page // PEOPLE.size * i
            set_age(following - 2)
            say(f"access page {i} over")
            set_age(following - 1)
            say(f"access page {i} edge over, now begin to access page {i + 1}")
            set_age(following)
            say(f"access page {i + 1} over")


run(experiment, "map_pages.py FILE [1|2]")
