# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reads the eight numbers that shm_writer has written and answers with their sum, in place of the first one.

Run it while `shm_writer` waits. It prints `0.0 1.0 4.0 9.0 16.0 25.0 36.0 49.0`.
"""

from unipc import SharedMemory

shm = SharedMemory.open("/demo")
numbers = shm.array("float64")
print(*numbers)
numbers[0] = numbers.sum()
