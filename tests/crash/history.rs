// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who got which object when, and whether that can have happened.
//!
//! Each event has the time before and after the call, so an order between two calls is known only when one had
//! ended before the other began. What no order explains is a fault.

use std::collections::{BTreeMap, BTreeSet};

/// What a process asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Open,
    OpenOrCreate,
    Unlink,
}

impl Verb {
    pub(crate) const ALL: [Self; 4] = [Self::Create, Self::Open, Self::OpenOrCreate, Self::Unlink];
}

/// A call on the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) verb: Verb,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// 0 for success.
    pub(crate) errno: i32,
    /// Which object it got: inode or identifier; 0 when it got none.
    pub(crate) object: u64,
}

/// All faults in a history at whose beginning there was no object and at whose end there is one if `remains`.
/// `counts`: does each successful unlink remove exactly one object? System V removes a removed one again.
pub(crate) fn faults(events: &[Event], remains: bool, counts: bool) -> Vec<String> {
    let mut faults = wrong_errors(events);
    faults.extend(created_twice(events));
    faults.extend(attached_to_the_dead(events));
    let objects = got(events).map(|event| event.object).collect::<BTreeSet<_>>().len();
    let removed = of(events, Verb::Unlink).filter(|event| event.errno == 0).count();
    let accounted = removed + usize::from(remains);
    if objects > accounted || (counts && objects != accounted) {
        faults.push(format!(
            "{objects} objects have been, {removed} were removed, {} remains",
            u8::from(remains)
        ));
    }
    faults
}

fn of(events: &[Event], verb: Verb) -> impl Iterator<Item = &Event> {
    events.iter().filter(move |event| event.verb == verb)
}

fn got(events: &[Event]) -> impl Iterator<Item = &Event> {
    events.iter().filter(|event| event.object != 0)
}

/// Whoever loses a race is told so by the errno that the name would have given him alone.
fn wrong_errors(events: &[Event]) -> Vec<String> {
    let wrong = |event: &&Event| match event.verb {
        Verb::Create => !matches!(event.errno, 0 | libc::EEXIST),
        Verb::Open | Verb::Unlink => !matches!(event.errno, 0 | libc::ENOENT),
        Verb::OpenOrCreate => event.errno != 0,
    };
    let tell =
        |event: &Event| format!("{:?} fails with {}", event.verb, unipc::errname(event.errno));
    events.iter().filter(wrong).map(tell).collect()
}

/// `create` promises that the object is new: no two of them give the same one.
fn created_twice(events: &[Event]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    of(events, Verb::Create)
        .filter(|event| event.object != 0 && !seen.insert(event.object))
        .map(|event| format!("object {} was created twice", event.object))
        .collect()
}

/// Once a newer object has been created, its predecessor is unlinked, and nobody may get it any more.
fn attached_to_the_dead(events: &[Event]) -> Vec<String> {
    let mut first_seen = BTreeMap::<u64, u64>::new();
    for event in got(events) {
        let at = first_seen.entry(event.object).or_insert(event.end);
        *at = event.end.min(*at);
    }
    let mut creations: Vec<_> =
        of(events, Verb::Create).filter(|event| event.object != 0).collect();
    creations.sort_by_key(|event| event.end);
    let mut faults = Vec::new();
    for event in got(events) {
        // The last creation that had ended when this call began.
        let ended = creations.partition_point(|creation| creation.end < event.start);
        let Some(newer) = ended.checked_sub(1).map(|last| creations[last]) else { continue };
        let known_before_it = first_seen[&event.object] < newer.start;
        if newer.object != event.object && known_before_it {
            faults.push(format!(
                "{:?} got object {} though {} had replaced it",
                event.verb, event.object, newer.object
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(verb: Verb, start: u64, end: u64, errno: i32, object: u64) -> Event {
        Event { verb, start, end, errno, object }
    }

    #[test]
    fn an_ordinary_history_has_no_fault() {
        let events = [
            event(Verb::Create, 0, 10, 0, 1),
            event(Verb::Create, 5, 15, libc::EEXIST, 0),
            event(Verb::OpenOrCreate, 5, 12, 0, 1),
            event(Verb::Unlink, 20, 30, 0, 0),
            event(Verb::Open, 25, 28, 0, 1),
            event(Verb::Open, 40, 41, libc::ENOENT, 0),
            event(Verb::OpenOrCreate, 50, 51, 0, 2),
        ];
        assert_eq!(faults(&events, true, true), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_found() {
        let twice = [event(Verb::Create, 0, 1, 0, 1), event(Verb::Create, 2, 3, 0, 1)];
        assert!(faults(&twice, true, true)[0].contains("created twice"));

        let lost = [event(Verb::Create, 0, 1, 0, 1), event(Verb::Create, 2, 3, 0, 2)];
        assert!(faults(&lost, true, true)[0].contains("2 objects have been, 0 were removed"));

        let dead = [
            event(Verb::Create, 0, 1, 0, 1),
            event(Verb::Unlink, 2, 3, 0, 0),
            event(Verb::Create, 4, 5, 0, 2),
            event(Verb::Open, 6, 7, 0, 1),
        ];
        assert!(faults(&dead, true, true)[0].contains("2 had replaced it"));

        let odd = [event(Verb::OpenOrCreate, 0, 1, libc::EINVAL, 0)];
        assert!(faults(&odd, false, true)[0].contains("EINVAL"));
    }
}
