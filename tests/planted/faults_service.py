# SPDX-License-Identifier: MIT OR Apache-2.0
"""Faults of services."""

from faults import Fault, fault

SERVER = "channel/service/server.rs"
CLIENT = "channel/service/client.rs"
OWED = "channel/owed.rs"

FAULTS: list[Fault] = [
    # Who owes an answer.
    fault(
        "a server says that it has the question only after it has taken it",
        (
            SERVER,
            "                call.store(u64::from(header.call) << 32 | u64::from(me.0), Ordering::Release);\n",
            "                let _ = (call, me);\n",
        ),
        (
            SERVER,
            "        let Some((header, deadline, payload)) = beginning(",
            "        if let Some((header, _)) = Header::parse(&question.bytes)\n"
            "            && let Some(slot) = Ticket(header.client).slot(slots.len())\n"
            "        {\n"
            "            let call = &slots[slot].calls[usize::from(header.call) % CALLS];\n"
            "            call.store(u64::from(header.call) << 32 | u64::from(me.0), Ordering::Release);\n"
            "        }\n"
            "        let Some((header, deadline, payload)) = beginning(",
        ),
    ),
    fault(
        "who owes an answer is looked up before whether the question was taken",
        (
            CLIENT,
            "        // First whether",
            "        let owed = self.slot().calls[place].load(Ordering::Acquire);\n        //",
        ),
        (CLIENT, ">= end);\n        let owed = self.slot().calls[place].load(Ordering::Acquire);\n", ">= end);\n"),
    ),
    fault(
        "a question that was looked at passes for taken",
        (CLIENT, "        if !was_taken || server.0 == 0", "        if was_taken & false || server.0 == 0"),
    ),
    fault(
        "a dead server is not noticed while nothing comes",
        (
            CLIENT,
            "        if is_dead(&self.seat.memory.slots, server) {",
            "        if is_dead(&self.seat.memory.slots, server) && server.0 == 0 {",
        ),
    ),
    fault(
        "what a server has answered before it died is not looked for",
        (
            CLIENT,
            "                        match self.receive(Timeout::TRY) {",
            "                        match Err::<Option<u16>, _>(ErrorKind::WouldBlock) {",
        ),
    ),
    fault(
        "the room in a dead client's ring is waited for",
        (
            SERVER,
            "Err(ErrorKind::TimedOut | ErrorKind::WouldBlock) if is_dead(slots, client) => {",
            "Err(ErrorKind::TimedOut | ErrorKind::WouldBlock) if is_dead(slots, client) && slots.is_empty() => {",
        ),
    ),
    # Whose answer it is.
    fault(
        "an answer is not checked for the number of its call",
        (
            CLIENT,
            "        if header.client != self.seat.ticket.0 || !self.is_open(header.call) {",
            "        if header.client != self.seat.ticket.0 {",
        ),
    ),
    fault(
        "a call is known by its place alone",
        (
            CLIENT,
            "        self.open[usize::from(number) % CALLS].is_some_and(|(open, _)| open == number)",
            "        self.open[usize::from(number) % CALLS].is_some()",
        ),
    ),
    fault(
        "any answer passes for that of the call which is waited for",
        (
            CLIENT,
            "Ok(Some(answered)) if answered == number => {",
            "Ok(Some(answered)) if answered == number || !self.came.has_more() => {",
        ),
    ),
    fault(
        "what was meant for the client that had the place before is received",
        (CLIENT, "        if header.client != self.seat.ticket.0 || ", "        if "),
    ),
    fault(
        "an answer to another call is thrown away",
        (CLIENT, "        self.early.push((number, std::mem::take(&mut self.came)));\n", "        let _ = number;\n"),
    ),
    fault(
        "what came early of a call stays when it is given up",
        (CLIENT, "        self.early.retain(|(number, _)| *number != call.0);\n", ""),
    ),
    # Parts.
    fault(
        "a part passes for the last one",
        ("channel/service/message.rs", "self.what() == MORE", "self.what() == MORE && self.what() == FAILED"),
    ),
    fault(
        "a server forgets to say that more will follow",
        (
            SERVER,
            "        self.answer(question, MORE, part, timeout)",
            "        self.answer(question, LAST, part, timeout)",
        ),
    ),
    # Who waits for several things.
    fault("what is owed is not cleared", (CLIENT, "            self.owed.clear(number);\n", "")),
    fault(
        "who polls is not told of what came early",
        (CLIENT, "        self.owed.set_early(number, true);\n", ""),
    ),
    fault(
        "who polls is told of a dead server whatever became of the question",
        (OWED, "                && end <= taken\n", "                && (end <= taken || taken == taken)\n"),
    ),
    fault(
        "who polls is not told of a dead server",
        (
            OWED,
            "self.orphaned.store(self.is_orphaned(), Ordering::Relaxed);",
            "self.orphaned.store(self.is_orphaned() && self.is_over(), Ordering::Relaxed);",
        ),
    ),
]
