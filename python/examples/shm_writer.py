# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes eight numbers into shared memory and waits until another program has answered in the same bytes.

Run `shm_writer.py`, then `shm_reader.py` in another terminal, in any language; then press Enter
here. It prints the first number, which the reader has replaced by the sum: `140.0`.
"""

from unipc import SharedMemory

shm = SharedMemory.open_or_create("/demo", 8 * 8)
numbers = shm.array("float64")
numbers[:] = [i * i for i in range(8)]
input("written; Enter when the reader has run\n")
print(numbers[0])
shm.remove()
