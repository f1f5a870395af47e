# SPDX-License-Identifier: MIT OR Apache-2.0
"""Faults of channels."""

from faults import Fault, fault

FAULTS: list[Fault] = [
    # What is written when.
    fault(
        "what a dead one left beside the tail passes for what another commits",
        ("channel/ring.rs", "            front.last.store(0, Ordering::Relaxed);\n        }\n", "        }\n"),
    ),
    fault(
        "a message is committed before it is copied",
        (
            "channel/sender.rs",
            "        self.ring.write_after(self.tail, self.number, words, payload);\n"
            "        self.commit(record, words, Some(payload), 1);\n        Ok(())",
            "        let (at, number) = (self.tail, self.number);\n"
            "        self.commit(record, words, Some(payload), 1);\n"
            "        self.ring.write_after(at, number, words, payload);\n        Ok(())",
        ),
    ),
    fault(
        "the tail may be seen before what it commits",
        (
            "channel/ring.rs",
            "front.tail.store(end, Ordering::Release);",
            "front.tail.store(end, Ordering::Relaxed);",
        ),
    ),
    fault(
        "a fence is missing before the bytes beside the tail change",
        ("channel/ring.rs", "    fence(Ordering::Release);\n", ""),
    ),
    fault(
        "the bytes beside the tail change and nothing says so",
        ("channel/ring.rs", "    last.store(0, Ordering::Relaxed);\n", ""),
    ),
    fault(
        "the bytes beside the tail are not looked at again",
        (
            "channel/ring.rs",
            "|last: &AtomicU64| last.load(Ordering::Relaxed) == mark;",
            "|last: &AtomicU64| last.load(Ordering::Relaxed) | 1 != 0;",
        ),
    ),
    fault(
        "what is beside the tail passes for the next message though there are several",
        (
            "channel/ring.rs",
            "let is_next = head.wrapping_add(record) == tail;",
            "let is_next = head.wrapping_add(record) <= tail;",
        ),
    ),
    fault(
        "what is beside the tail passes for that of another tail",
        ("channel/ring.rs", "    tail << 32 | (length as u64 + 1)", "    (tail & 0) << 32 | (length as u64 + 1)"),
    ),
    fault(
        "a length is not checked",
        (
            "channel/ring.rs",
            "let is_inside = record <= ahead && ahead <= self.mirror.size();",
            "let is_inside = record > 0;",
        ),
    ),
    fault(
        "nobody is woken by a message",
        (
            "channel/sender.rs",
            "        wait::ring(&self.data, self.must_fence(), wake);\n",
            "        let _ = wake;\n",
        ),
    ),
    fault(
        "the turn to send is given back before the message is committed",
        (
            "channel/sender.rs",
            "        self.count(messages);\n        let last",
            "        self.turn.exit();\n        self.count(messages);\n        let last",
        ),
        (
            "channel/sender.rs",
            "        self.turn.exit();\n        let wake",
            "        let wake",
        ),
    ),
    fault(
        "who sends after another does not look where the tail is",
        (
            "channel/sender.rs",
            "        if !self.turn.enter(timeout)? {\n            self.refresh();\n        }\n        if !fits",
            "        if !self.turn.enter(timeout)? && self.sent == 0 {\n"
            "            self.refresh();\n        }\n        if !fits",
        ),
    ),
    fault(
        "the count of a topic's messages is written over itself",
        ("channel/sender.rs", "        self.count ^= 1;\n", ""),
    ),
    fault(
        "who gives up what it has reserved keeps the turn",
        (
            "channel/sender.rs",
            "            None => {\n                self.turn.exit();\n                return Ok(());",
            "            None => {\n                return Ok(());",
        ),
    ),
    # Receiving.
    fault(
        "a message is taken before it is copied",
        (
            "channel/receiver.rs",
            "        self.ring.read(found, &mut buffer[..found.length]);\n        self.take(found.end, 1);\n",
            "        self.take(found.end, 1);\n        self.ring.read(found, &mut buffer[..found.length]);\n",
        ),
    ),
    fault(
        "nobody is woken when there is room again",
        ("channel/receiver.rs", "        wait::ring(&self.room, fences, i32::MAX);\n", "        let _ = fences;\n"),
    ),
    fault(
        "what is left in the queue is taken",
        (
            "channel/receiver/several.rs",
            "        if taken {\n            self.take(found.end, 1);",
            "        if taken || found.length > 0 {\n            self.take(found.end, 1);",
        ),
    ),
    fault(
        "who receives after another does not look where the head is",
        (
            "channel/receiver.rs",
            "        if !self.turn.enter(timeout)? {\n            self.refresh();\n        }\n"
            "        let has_caught_up",
            "        if !self.turn.enter(timeout)? && self.received == 0 {\n            self.refresh();\n        }\n"
            "        let has_caught_up",
        ),
    ),
    # Turns.
    fault(
        "nobody makes the one who keeps the turn pass a barrier",
        (
            "channel/turn.rs",
            "            if !membarrier::everywhere() {",
            "            if membarrier::everywhere as usize == 0 {",
        ),
    ),
    fault(
        "a turn is taken from one who is at work",
        ("channel/turn.rs", "        word == wanted && !busy", "        word == wanted && (!busy || busy)"),
    ),
    fault(
        "who keeps the turn does not look again whether it is wanted",
        (
            "channel/turn.rs",
            "        if self.turn.word.load(Ordering::Acquire) == self.kept {",
            "        if self.turn.word.load(Ordering::Acquire) & HOLDER != 1 {",
        ),
    ),
    fault(
        "who gives back a turn that it kept wakes nobody",
        (
            "channel/turn.rs",
            "        if self.turn.word.load(Ordering::Relaxed) != self.kept {\n            ring(&self.turn);",
            "        if self.turn.word.load(Ordering::Relaxed) == 1 {\n            ring(&self.turn);",
        ),
    ),
    fault(
        "who gives back a shared turn wakes nobody",
        (
            "channel/turn.rs",
            "swap(SHARED, Ordering::Release) & WANTED != 0 {",
            "swap(SHARED, Ordering::Release) & WANTED == 1 {",
        ),
    ),
    fault(
        "who has slept for the turn forgets that others still do",
        ("channel/turn.rs", "            slept = WANTED;\n", "            slept = 0;\n"),
    ),
    fault(
        "the turn of the dead is nobody's",
        (
            "channel/turn.rs",
            "            if self.holder_is_dead(word) {",
            "            if self.holder_is_dead(word) && word == 0 {",
        ),
    ),
    fault(
        "a turn that was shared passes for one that nobody else can have had",
        ("channel/turn.rs", "        Some(same && word & SHARED != 0)", "        Some(same || word & SHARED != 0)"),
    ),
    fault(
        "a turn that is kept again looks like the time before",
        ("channel/turn.rs", "self.kept.wrapping_add(TIME)", "self.kept.wrapping_add(0)"),
    ),
    # Places.
    fault(
        "a place is taken from the living",
        (
            "channel/participant.rs",
            "if seen & PHASE != FREE && life(who, seen) != Life::Dead {",
            "if seen & PHASE == TAKING && life(who, seen) != Life::Dead {",
        ),
    ),
    fault(
        "two take one place",
        (
            "channel/participant.rs",
            "        if who.state.compare_exchange(seen, taking, Ordering::AcqRel, Ordering::Relaxed).is_err() {\n"
            "            continue;\n        }",
            "        who.state.store(taking, Ordering::Release);",
        ),
    ),
    fault(
        "the place of one who died while it took it is lost",
        (
            "channel/participant.rs",
            "        return if identity::exists(pid, pid) { Life::Unknown } else { Life::Dead };",
            "        return if identity::exists(pid, pid) { Life::Alive } else { Life::Unknown };",
        ),
    ),
    fault(
        "a dead subscriber is waited for",
        (
            "channel/participant.rs",
            "if seen != 0 && (!is_his || is_dead(slots, ticket)) {",
            "if seen != 0 && !is_his {",
        ),
    ),
    # Topics.
    fault(
        "a reliable topic does not wait for the slowest",
        (
            "channel/room.rs",
            "forget(credit, ring, tail, wanted.min(self.slowest(tail)))?;",
            "forget(credit, ring, tail, wanted)?;",
        ),
    ),
    fault(
        "a fence is missing between giving records up and writing over them",
        ("channel/room.rs", "    fence(Ordering::SeqCst);\n    Ok(())", "    Ok(())"),
    ),
    fault(
        "what is given up ends within a record",
        (
            "channel/room.rs",
            "        position = found.end;",
            "        position = wanted.max(found.payload);",
        ),
    ),
    fault(
        "what was written over while it was read passes for whole",
        (
            "channel/subscriber.rs",
            "        let is_whole = self.credit.load(Ordering::Relaxed) <= self.position;",
            "        let is_whole = self.credit.load(Ordering::Relaxed) <= self.position.max(1 << 40);",
        ),
    ),
    fault(
        "a subscriber does not say how far it has read",
        (
            "channel/subscriber.rs",
            "        self.half.position.store(end, Ordering::Release);\n        self.half.messages",
            "        self.half.messages",
        ),
    ),
    fault(
        "a publisher is not woken when a subscriber has read",
        (
            "channel/subscriber.rs",
            "        wait::ring(&self.bed, self.fences || self.memory.fences(), i32::MAX);\n",
            "",
        ),
    ),
    fault(
        "what was lost before a short message is not told",
        ("channel/subscriber.rs", "        self.astray = true;\n", ""),
    ),
    # Sleeping.
    fault(
        "a sleeper says nothing",
        ("channel/wait.rs", "Some(seen.wrapping_add(TIME) | ASLEEP)", "Some(seen.wrapping_add(TIME))"),
    ),
    fault(
        "who is about to sleep does not look again",
        ("channel/wait.rs", "    if ready() {\n        return Ok(());\n    }\n", "    let _ = &ready;\n"),
    ),
    fault(
        "the bell does not change when it rings",
        ("channel/wait.rs", "bed.bell.fetch_add(1, Ordering::SeqCst);", "bed.bell.fetch_add(0, Ordering::SeqCst);"),
    ),
    fault(
        "who lies down looks like one who did before",
        ("channel/wait.rs", "Some(seen.wrapping_add(TIME) | ASLEEP)", "Some(seen | ASLEEP)"),
    ),
    fault(
        "nobody passes a barrier before a sleeper looks again",
        (
            "channel/wait.rs",
            "    if !membarrier::everywhere() {\n        settings.fences",
            "    if membarrier::everywhere as usize == 0 {\n        settings.fences",
        ),
    ),
    fault(
        "who has woken one says that nobody sleeps",
        (
            "channel/wait.rs",
            "    if futex::wake(&bed.bell, count) < usize::try_from(count).unwrap_or(usize::MAX) {",
            "    if futex::wake(&bed.bell, count) <= usize::try_from(count).unwrap_or(usize::MAX) {",
        ),
    ),
    # Damage by others.
    fault(
        "a number of a place is not checked",
        ("channel/participant.rs", "        (slot < count).then_some(slot)", "        Some(slot + count * 0)"),
    ),
]
