# SPDX-License-Identifier: MIT OR Apache-2.0
"""One file per mechanism. Each has SCENARIOS, group id -> function(scene), and may have
EXTENSIONS, cells of our own that the matrix does not count."""

from . import (
    channel_call,
    channel_queue,
    channel_topic,
    documents,
    keys,
    lock_file,
    lock_tools,
    mq_posix,
    mq_sysv,
    mq_tools,
    pipe,
    pipe_documents,
    pipe_programs,
    record,
    sem_posix,
    sem_sysv,
    sem_tools,
    shm_file,
    shm_fork,
    shm_memfd,
    shm_posix,
    shm_sysv,
    shm_tools,
    signal,
    socket_exchange,
    sync,
)

MODULES = (
    shm_file, shm_fork, shm_sysv, shm_posix, shm_memfd, shm_tools,
    documents, keys,
    mq_sysv, mq_posix, mq_tools,
    lock_file, lock_tools,
    socket_exchange,
    pipe,
    sem_sysv, sem_posix, sem_tools,
    signal,
    pipe_programs, pipe_documents,
    sync,
    channel_call, channel_queue, channel_topic,
    record,
)  # fmt: skip
SCENARIOS = {group: scenario for module in MODULES for group, scenario in module.SCENARIOS.items()}
EXTENSIONS = [cell for module in MODULES for cell in getattr(module, "EXTENSIONS", ())]
