# SPDX-License-Identifier: MIT OR Apache-2.0
"""Faults of locks in shared memory, each as someone might make it: what is wrong, and which text it changes to what."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """`edits` are (file below core/src, the text as it is, the text with the fault); each text is there once."""

    what: str
    edits: tuple[tuple[str, str, str], ...]


def fault(what: str, *edits: tuple[str, str, str]) -> Fault:
    return Fault(what, edits)


FAULTS = [
    # How a thread holds a cell.
    fault(
        "what is taken is not put into the kernel's list",
        ("map/cell.rs", "unsafe { thread.link(cell.link(), top) };", "let _ = top;"),
    ),
    fault(
        "the holder does not write who it is",
        ("map/cell.rs", "        cell.since.store(thread.since(), Ordering::Release);\n", ""),
    ),
    fault(
        "the word is given back without a word to the kernel",
        (
            "map/cell.rs",
            "        thread.pend(self.link());\n        thread.pop();\n",
            "        thread.pop();\n",
        ),
    ),
    fault(
        "a waiter is not woken",
        ("map/cell.rs", "if before & WAITERS != 0 {", "if before & WAITERS != 0 && wake < 0 {"),
    ),
    fault(
        "the dead that the kernel overlooked stay holders",
        ("map/cell.rs", "self.life(word) != Life::Dead {", "self.life(word) != Life::Dead || word != 0 {"),
    ),
    fault(
        "the living are taken for dead",
        ("map/cell.rs", "self.life(word) != Life::Dead {", "self.life(word) == Life::Unknown {"),
    ),
    fault(
        "a child of fork holds what its parent does",
        (
            "sys/robust.rs",
            "unsafe { super::madvise(start.as_ptr().cast(), size.get(), libc::MADV_WIPEONFORK) }?;",
            "unsafe { super::madvise(start.as_ptr().cast(), size.get(), libc::MADV_NORMAL) }?;",
        ),
    ),
    fault(
        "a number that is used again is the old holder",
        ("sys/identity.rs", "if start != since >> BOOT_BITS => Life::Dead", "if start == 0 => Life::Dead"),
    ),
    # Waiting.
    fault(
        "who has slept forgets that others still do",
        (
            "sync/hold.rs",
            "let bits = word & (OWNER_DIED | WAITERS) | others;",
            "let bits = word & (OWNER_DIED | WAITERS) | others & 0;",
        ),
    ),
    fault(
        "nobody is told that the holder died",
        (
            "sync/hold.rs",
            "if word & OWNER_DIED == 0 { Self::Clean }",
            "if word & OWNER_DIED == 0 || word != 0 { Self::Clean }",
        ),
    ),
    fault(
        "a sleeper leaves no mark",
        (
            "sync/hold.rs",
            "        if word != marked && exchange(marked).is_err() {",
            "        if word == 0 && exchange(marked).is_err() {",
        ),
        ("sync/hold.rs", "futex::wait(attempt.word(), marked, limit)", "futex::wait(attempt.word(), word, limit)"),
    ),
    fault("the gate is not marked", ("sync/gate.rs", "let marked = seen | SLEEPERS;", "let marked = seen;")),
    fault(
        "the gate opens for one where it should for all",
        ("sync/gate.rs", "open_slowly(word, all);", "open_slowly(word, all && false);"),
    ),
    fault(
        "an opening cannot be told from none",
        (
            "sync/gate.rs",
            "let opened = (seen.wrapping_add(1)) | SLEEPERS;",
            "let opened = seen | SLEEPERS;",
        ),
    ),
    # The mutex.
    fault(
        "data that nobody repaired pass for whole",
        ("sync/mutex/robust.rs", "lines.give_back(MAIN, RETIRED, i32::MAX)", "lines.give_back(MAIN, 0, i32::MAX)"),
    ),
    fault(
        "how often a dead holder had locked is kept",
        (
            "sync/mutex/robust.rs",
            "            cell.count.store(0, Ordering::Relaxed);",
            "            cell.count.load(Ordering::Relaxed);",
        ),
    ),
    # The read-write lock.
    fault(
        "a writer does not look for readers",
        (
            "sync/rwlock/robust.rs",
            "readers.iter().any(|cell| cell.word.load(Ordering::SeqCst) & HOLDER != 0)",
            "readers.iter().any(|cell| cell.word.load(Ordering::SeqCst) & HOLDER == HOLDER)",
        ),
    ),
    fault(
        "a writer that had to wait does not look for readers",
        (
            "sync/rwlock/wait.rs",
            "for index in HEAD..HEAD + self.used() {",
            "for index in HEAD..HEAD + self.used() * 0 {",
        ),
    ),
    fault(
        "a reader does not look for a writer",
        (
            "sync/rwlock/robust.rs",
            "line.main().cell().word.load(Ordering::SeqCst) == 0 && quick.is_whole();",
            "line.main().cell().word.load(Ordering::SeqCst) != 1 && quick.is_whole();",
        ),
    ),
    fault(
        "a reader's line does not count as used",
        (
            "sync/rwlock/robust.rs",
            "lines.cell(MAIN).count.fetch_max(more, Ordering::SeqCst);",
            "lines.cell(MAIN).count.fetch_max(more.min(1), Ordering::SeqCst);",
        ),
    ),
    # The semaphore.
    fault(
        "a permit that is added wakes nobody",
        ("sync/semaphore/robust.rs", "    if put {\n", "    if put && gate.load(Ordering::Relaxed) == 1 {\n"),
    ),
    fault(
        "a permit that is taken for good stays",
        (
            "sync/semaphore/robust.rs",
            "word_of.compare_exchange(word, ABSENT, Ordering::AcqRel, Ordering::Relaxed)",
            "word_of.compare_exchange(word, word, Ordering::AcqRel, Ordering::Relaxed)",
        ),
    ),
    fault(
        "nobody is told that a permit is that of a dead thread",
        (
            "sync/semaphore/robust.rs",
            "let died = word & OWNER_DIED != 0;",
            "let died = word & OWNER_DIED == HOLDER;",
        ),
    ),
    # The barrier.
    fault(
        "the last to arrive wakes nobody",
        (
            "sync/barrier/round.rs",
            "                if moved.is_ok() {\n                    futex::wake(state_word, i32::MAX);",
            "                if moved.is_ok() {\n                    futex::wake(state_word, 0);",
        ),
    ),
    fault(
        "the barrier waits for the dead",
        (
            "sync/barrier/round.rs",
            "                if is_dead(word) {\n                    break_it(self.object);",
            "                if is_dead(word) && arrived > lines.count() {\n                    break_it(self.object);",
        ),
    ),
    fault(
        "an arrival that was taken back still counts",
        (
            "sync/barrier/round.rs",
            "        cell.note.store(ABSENT, Ordering::SeqCst);\n        let state",
            "        let state",
        ),
        (
            "sync/barrier/round.rs",
            "        lines.cell(self.index).note.store(ABSENT, Ordering::SeqCst);\n        if !self.joined {",
            "        if !self.joined {",
        ),
    ),
    # The others.
    fault(
        "who waited for the first does it again",
        (
            "sync/once/work.rs",
            "    if is_done(lines) {\n        lines.give_back",
            "    if is_done(lines) && entered == Entered::OwnerDied {\n        lines.give_back",
        ),
    ),
    fault(
        "an event is set and nobody is woken",
        (
            "sync/event/flag.rs",
            "Gate::of(self.lines).open(!self.auto_reset);",
            "let _ = !self.auto_reset;",
        ),
    ),
    fault(
        "an event that lets one pass lets all pass",
        (
            "sync/event/flag.rs",
            "state.compare_exchange(1, 0, Ordering::SeqCst, Ordering::SeqCst)",
            "state.compare_exchange(1, 1, Ordering::SeqCst, Ordering::SeqCst)",
        ),
    ),
    fault(
        "a notice between the unlock and the sleep is lost",
        (
            "sync/condvar/robust.rs",
            "    let prepared = gate.prepare();\n    let mut waiting = None;\n    mutex.unlock()?;",
            "    let mut waiting = None;\n    mutex.unlock()?;\n    let prepared = gate.prepare();",
        ),
    ),
    fault(
        "an object is found before it is finished",
        (
            "sync/object.rs",
            "write().and_then(|()| publish(lines))",
            "publish(lines).and_then(|()| write())",
        ),
    ),
]
