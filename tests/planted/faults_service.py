# SPDX-License-Identifier: MIT OR Apache-2.0
"""Faults of services."""

from faults import Fault, fault

SERVER = "channel/service/server.rs"
CLIENT = "channel/service/client.rs"
OWED = "channel/owed.rs"
LINE = "channel/service/direct/line.rs"
LINES = "channel/service/direct/lines.rs"
RECEIVER = "channel/receiver.rs"
BESIDE = "channel/receiver/beside.rs"
SENDER = "channel/sender.rs"

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
            OWED,
            "        let was_taken = taken() >= self.end;\n",
            "",
        ),
        (
            OWED,
            '        #[allow(clippy::cast_possible_truncation, reason = "the two halves")]\n',
            "        let was_taken = taken() >= self.end;\n",
        ),
    ),
    fault(
        "a question that was looked at passes for taken",
        (OWED, "        (was_taken && server", "        ((was_taken || !was_taken) && server"),
    ),
    fault(
        "a dead server is not noticed while nothing comes",
        (
            CLIENT,
            "            Some(server) if is_dead(&self.seat.memory.slots, server) => {",
            "            Some(server) if is_dead(&self.seat.memory.slots, server) && server.0 == 0 => {",
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
            "        self.open[usize::from(number) % CALLS].is_some_and(|open| open.number() == number)",
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
        (OWED, "open.taken_by(|| taken, ", "open.taken_by(|| taken | u64::MAX, "),
    ),
    fault(
        "who polls is not told of a dead server",
        (
            OWED,
            "self.orphaned.store(self.is_orphaned(), Ordering::Relaxed);",
            "self.orphaned.store(self.is_orphaned() && self.is_over(), Ordering::Relaxed);",
        ),
    ),
    # The direct line.
    fault(
        "an answer in the line is told of before it is there",
        (
            LINES,
            "        fill(&line.body, [], payload);\n        let state",
            "        let state",
        ),
        (
            LINES,
            "        line.word.store(word.0 & WHOSE | (payload.len() as u64) << 8 | state, Ordering::Release);\n",
            "        line.word.store(word.0 & WHOSE | (payload.len() as u64) << 8 | state, Ordering::Release);\n"
            "        fill(&line.body, [], payload);\n",
        ),
    ),
    fault(
        "a question in the line is told of before it is there",
        (
            LINE,
            "        let (before, has_moment) = if let Some(moment) = moment {\n"
            "            fill(&self.own.body, [moment], question);\n",
            "        let (before, has_moment) = if moment.is_some() {\n",
        ),
        (LINE, "            fill(&self.own.body, [], question);\n", ""),
        (
            LINE,
            "        self.own.word.store(word.0, Ordering::Release);\n",
            "        self.own.word.store(word.0, Ordering::Release);\n"
            "        match moment {\n"
            "            Some(moment) => fill(&self.own.body, [moment], question),\n"
            "            None => fill(&self.own.body, [], question),\n"
            "        }\n",
        ),
    ),
    fault(
        "a server answers in the line without having claimed it",
        (
            LINES,
            "line.word.compare_exchange(word.0, next.0, success, failure).is_ok();",
            "line.word.swap(next.0, success) == word.0 || success != failure;",
        ),
    ),
    fault(
        "who sleeps is not woken by what comes by the line",
        (SENDER, "        wait::ring(&self.data, self.must_fence(), self.audience);\n", ""),
    ),
    fault(
        "a question in the line is received and not taken",
        (LINES, "        line.taken.store(taken, Ordering::Release);\n", "        let _ = taken;\n"),
    ),
    fault(
        "a client takes a question back that nobody has taken",
        (
            LINE,
            "        let Some(server) = Taken::of(&self.own).by(word.question()) else { return false };",
            "        let server = Taken::of(&self.own).by(word.question()).unwrap_or(self.ticket);",
        ),
    ),
    fault(
        "a client takes the line back while it is being answered there",
        (
            LINE,
            "        if word.state() == ANSWERING && !is_dead(&self.slots, server) {",
            "        if word.state() == ANSWERING && is_dead(&self.slots, server) {",
        ),
    ),
    fault(
        "a client does not see that its line is no longer looked at",
        (LINE, "            self.watch.fetch_add(ALL, Ordering::AcqRel);\n", ""),
    ),
    fault(
        "servers turn to another line without looking at all",
        (LINES, "wrapping_add(if may_be { ALL } else { 0 })", "wrapping_add(if may_be { 0 } else { 0 })"),
    ),
    fault(
        "the line is looked at before the ring",
        (
            RECEIVER,
            "        self.tail = self.ring.tail();\n        // After the ring: who",
            "        let early = self.aside.look();\n"
            "        self.tail = self.ring.tail();\n        // After the ring: who",
        ),
        (RECEIVER, "older here.\n        let aside = self.aside.look();", "older here.\n        let aside = early;"),
    ),
    fault(
        "what is in the ring waits as long as there is something in the line",
        (BESIDE, "        if !self.was_aside || ", "        if !self.was_aside || self.was_aside || "),
    ),
    fault(
        "what is older in the ring is passed over at a glance",
        (
            BESIDE,
            "        if !is_alone() {\n            self.turn.exit();",
            "        if false {\n            self.turn.exit();",
        ),
    ),
    fault(
        "what is seen at a glance is taken without the turn",
        (BESIDE, "|| !self.turn.enter_kept().is_ok_and(|it| it)", ""),
    ),
    fault(
        "what is in the ring goes before an older question in the line",
        (
            LINES,
            "        asked.word.asker(asked.slot).0 == word as u32\n",
            "        asked.word.asker(asked.slot).0 == word as u32 && word == 0\n",
        ),
    ),
]
