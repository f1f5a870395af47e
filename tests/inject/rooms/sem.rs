// SPDX-License-Identifier: MIT OR Apache-2.0
//! Semaphores, POSIX and System V.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use libc::{
    SYS_fcntl, SYS_flock, SYS_linkat, SYS_madvise, SYS_newfstatat, SYS_openat, SYS_semctl,
    SYS_semget, SYS_semtimedop, SYS_statx,
};
use unipc::sem::{Operation, Options, limits, usage};
use unipc::sysv::Change;
use unipc::{Result, Semaphore, SemaphoreSet, Timeout};

use super::{ANY, Act, Case, Room, Yard};

const LONG: Timeout = Timeout::After(Duration::from_secs(20));
const SOON: Timeout = Timeout::After(Duration::from_millis(2));

/// Without the lock on the namespace creation goes on; see core/src/sem/birth.rs.
const NO_LOCK: &[(i64, i32)] = &[
    (SYS_openat, ANY),
    (SYS_flock, ANY),
    // A mode that does not let its owner operate, and somebody who was faster. (The C library makes all calls by this one.)
    (SYS_semtimedop, libc::EACCES),
    (SYS_semtimedop, libc::EAGAIN),
    (SYS_semtimedop, libc::ERANGE),
    // There, it seems, but nothing is found: it is tried again.
    (SYS_semget, libc::EEXIST),
    // The set seems to be gone, which is looked up for the text.
    (SYS_semctl, ANY),
];

/// The same, and a set that is looked for first.
const OPEN_OR_CREATE: &[(i64, i32)] = &[
    (SYS_openat, ANY),
    (SYS_flock, ANY),
    // A mode that does not let its owner operate, and somebody who was faster. (The C library makes all calls by this one.)
    (SYS_semtimedop, libc::EACCES),
    (SYS_semtimedop, libc::EAGAIN),
    (SYS_semtimedop, libc::ERANGE),
    // There, it seems, but nothing is found: it is tried again.
    (SYS_semget, libc::EEXIST),
    (SYS_semget, libc::ENOENT),
    // The set seems to be gone, which is looked up for the text.
    (SYS_semctl, ANY),
];

fn posix(yard: &Yard) -> Semaphore {
    let options = Semaphore::options().remove_on_drop(true);
    options.create(yard.posix("semaphore"), 1).expect("the name is free")
}

fn set(yard: &Yard) -> SemaphoreSet {
    let options = Options::new().remove_on_drop(true);
    options.create_set(yard.key(1), &[1, 0, 5]).expect("the key is free")
}

/// A creation: a failure must have left nothing, and success what it promises.
fn creating(yard: &mut Yard, name: String, create: fn(&str) -> Result<Semaphore>) -> Act {
    let (same, end) = (name.clone(), name.clone());
    yard.check(move |result| {
        let there = Semaphore::open(same.as_str());
        let value = there.as_ref().map(|semaphore| semaphore.value().ok());
        match (result, value) {
            (Ok(()), Ok(Some(3))) | (Err(_), Err(_)) => None,
            other => Some(format!("{other:?}")),
        }
    });
    yard.at_end(move || drop(Semaphore::unlink(end.as_str())));
    Box::new(move || create(&name).map(drop))
}

fn create(name: &str) -> Result<Semaphore> {
    Semaphore::create(name, 3)
}

fn open_or_create(name: &str) -> Result<Semaphore> {
    Semaphore::open_or_create(name, 3)
}

fn replace(name: &str) -> Result<Semaphore> {
    Semaphore::options().replace(true).create(name, 3)
}

/// Takes and gives back: whatever fails, no unit is lost and none comes twice.
fn pair(yard: &mut Yard, semaphore: Semaphore, timeout: Timeout) -> Act {
    let name = semaphore.name().to_string();
    yard.check(move |result| {
        let left = Semaphore::open(name.as_str()).ok()?.value().ok()?;
        (left > 1 || (result.is_ok() && left != 1)).then(|| format!("{left} units"))
    });
    let mut taken = false;
    Box::new(move || {
        if !taken {
            semaphore.acquire(timeout)?;
            taken = true;
        }
        semaphore.release()?;
        taken = false;
        Ok(())
    })
}

/// A wait that nobody ends must end by itself.
fn in_vain<T>(result: Result<T>) -> Result<()> {
    match result {
        Err(error) if error.errno() == libc::ETIMEDOUT => Ok(()),
        Err(error) => Err(error),
        Ok(_) => panic!("nothing could come"),
    }
}

pub(super) const ROOM: Room = Room {
    name: "sem",
    cases: &[
        Case::new("create POSIX", |yard| creating(yard, yard.posix("new"), create)).forgives(&[
            // Without O_TMPFILE there is a temporary name; without one way to give it, another.
            (SYS_openat, libc::EOPNOTSUPP),
            (SYS_linkat, libc::ENOENT),
            (libc::SYS_fallocate, libc::EOPNOTSUPP),
        ]),
        Case::new("open or create POSIX", |yard| creating(yard, yard.posix("new"), open_or_create))
            .forgives(&[
                (SYS_openat, libc::EOPNOTSUPP),
                (SYS_openat, libc::ENOENT),
                (SYS_linkat, libc::ENOENT),
                (SYS_linkat, libc::EEXIST),
                (libc::SYS_fallocate, libc::EOPNOTSUPP),
            ]),
        Case::new("replace POSIX", |yard| creating(yard, yard.posix("new"), replace)).forgives(&[
            (SYS_openat, libc::EOPNOTSUPP),
            (SYS_linkat, libc::ENOENT),
            (SYS_linkat, libc::EEXIST),
            (libc::SYS_fallocate, libc::EOPNOTSUPP),
        ]),
        Case::new("create by key", |yard| creating(yard, yard.key(2), create)).forgives(NO_LOCK),
        Case::new("open or create by key", |yard| creating(yard, yard.key(2), open_or_create))
            .forgives(OPEN_OR_CREATE),
        Case::new("replace by key", |yard| {
            let old = Semaphore::create(yard.key(2), 7).expect("the key is free");
            let name = yard.key(2);
            yard.at_end(move || drop((old, Semaphore::unlink(name))));
            let name = yard.key(2);
            Box::new(move || replace(&name).map(drop))
        })
        .forgives(&[
            (SYS_openat, ANY),
            (SYS_flock, ANY),
            (SYS_semtimedop, ANY),
            (SYS_semctl, ANY),
            (SYS_semget, libc::ENOENT),
            (SYS_semget, libc::EEXIST),
        ]),
        Case::new("create a private set", |yard| {
            let made = Rc::new(RefCell::new(Vec::new()));
            let ours = Rc::clone(&made);
            // Twice, should it have failed the first time.
            yard.at_end(move || {
                ours.take().iter().for_each(|set: &SemaphoreSet| drop(set.remove()));
            });
            Box::new(move || {
                let set = SemaphoreSet::create("sysv:private", &[1, 2])?;
                made.borrow_mut().push(set);
                Ok(())
            })
        })
        .forgives(NO_LOCK),
        Case::new("open POSIX", |yard| {
            let (semaphore, name) = (posix(yard), yard.posix("semaphore"));
            yard.at_end(move || drop(semaphore));
            Box::new(move || Semaphore::open(name.as_str()).map(drop))
        }),
        Case::new("open by key", |yard| {
            let (set, name) = (set(yard), yard.key(1));
            yard.at_end(move || drop(set));
            Box::new(move || Semaphore::open(name.as_str()).map(drop))
        })
        // Who may not read it looks it up in the list, and what has just gone is looked for again.
        .forgives(&[
            (SYS_semctl, libc::EACCES),
            (SYS_semctl, libc::EINVAL),
            (SYS_semctl, libc::EIDRM),
        ]),
        Case::new("open by identifier", |yard| {
            let set = set(yard);
            let name = format!("sysv:id={}", set.id());
            yard.at_end(move || drop(set));
            Box::new(move || SemaphoreSet::open(name.as_str()).map(drop))
        })
        .forgives(&[(SYS_semctl, libc::EACCES)])
        .translates(&[(SYS_semctl, libc::EIDRM, libc::EINVAL)]),
        Case::new("pair POSIX", |yard| {
            let semaphore = posix(yard);
            pair(yard, semaphore, LONG)
        }),
        Case::new("pair System V, a try", |yard| {
            let semaphore = first(yard);
            pair(yard, semaphore, Timeout::TRY)
        }),
        Case::new("pair System V, for ever", |yard| {
            let semaphore = first(yard);
            pair(yard, semaphore, Timeout::Forever)
        }),
        // A wait in vain at POSIX: the C library ends a program whose futex fails in a way that it does not know.
        Case::new("wait in vain at System V", |yard| {
            let set = set(yard);
            Box::new(move || in_vain(set.acquire(1, 1, SOON)))
        })
        .forgives(&[(SYS_semtimedop, libc::EAGAIN)]),
        Case::new("an array", |yard| {
            let set = set(yard);
            let both = [Operation::new(0, -1).undo(true), Operation::new(0, 1).undo(true)];
            Box::new(move || set.operate(&both, LONG))
        })
        .translates(&[(SYS_semtimedop, libc::EAGAIN, libc::ETIMEDOUT)]),
        Case::new("wait for zero", |yard| {
            let set = set(yard);
            Box::new(move || set.wait_zero(1, LONG))
        })
        .translates(&[(SYS_semtimedop, libc::EAGAIN, libc::ETIMEDOUT)]),
        Case::new("hold, value", |yard| {
            let semaphore = first(yard);
            Box::new(move || {
                drop(semaphore.hold(Timeout::Forever)?);
                semaphore.set_value(1)?;
                assert_eq!(semaphore.value()?, 1);
                Ok(())
            })
        })
        // What a guard gives back nobody can be told of; here the value is set afterwards.
        .forgives(&[(SYS_semtimedop, ANY)]),
        Case::new("values", |yard| {
            let set = set(yard);
            Box::new(move || {
                set.set_values(&[1, 0, 5])?;
                set.set_value(1, 2)?;
                set.values().map(drop)
            })
        })
        // Whoever may not read it learns elsewhere how many there are.
        .forgives(&[(SYS_semctl, libc::EACCES)]),
        Case::new("info and stat", |yard| {
            let set = set(yard);
            Box::new(move || set.info(0).and_then(|_| set.stat()).map(drop))
        }),
        Case::new("set", |yard| {
            let set = set(yard);
            let change = Change { mode: Some(0o640), ..Change::default() };
            Box::new(move || set.set(change))
        })
        .forgives(&[(SYS_semctl, libc::EACCES)]),
        Case::new("list", |yard| {
            let set = set(yard);
            yard.at_end(move || drop(set));
            Box::new(|| SemaphoreSet::list().map(drop))
        })
        // A set that goes away meanwhile; and how many slots there are to look at changes from run to run.
        .forgives(&[(SYS_semctl, ANY)]),
        Case::new("limits and usage", |_| Box::new(|| limits().and_then(|_| usage()).map(drop))),
        Case::new("unlink POSIX", |yard| {
            let (semaphore, name) = (posix(yard), yard.posix("semaphore"));
            yard.at_end(move || drop(semaphore));
            Box::new(move || Semaphore::unlink(name.as_str()))
        }),
        Case::new("unlink by key", |yard| {
            let (set, name) = (set(yard), yard.key(1));
            yard.at_end(move || drop(set));
            Box::new(move || Semaphore::unlink(name.as_str()))
        })
        // It was removed between the two calls, and is looked for again.
        .forgives(&[(SYS_semctl, libc::EINVAL), (SYS_semctl, libc::EIDRM)]),
        Case::new("remove POSIX", |yard| {
            let semaphore = posix(yard);
            Box::new(move || semaphore.remove())
        }),
        Case::new("remove System V", |yard| {
            let set = set(yard);
            Box::new(move || set.remove())
        }),
    ],
    // What is only looked up for a better text, and the page that remembers the process's number.
    forgives: &[(SYS_statx, ANY), (SYS_madvise, ANY), (libc::SYS_mmap, ANY)],
    translates: &[
        // A value, or what is to be undone, beyond the highest: one meaning for all kinds of semaphore.
        (SYS_semtimedop, libc::ERANGE, libc::EOVERFLOW),
        // posix_fallocate of the C library, where the file system cannot allocate.
        (SYS_fcntl, ANY, libc::EBADF),
        (SYS_newfstatat, ANY, libc::EBADF),
    ],
    impossible: &[],
};

/// The first of a set, which goes at the end.
fn first(yard: &mut Yard) -> Semaphore {
    let name = yard.key(1);
    let set = SemaphoreSet::create(name.as_str(), &[1, 0, 5]).expect("the key is free");
    yard.at_end(move || drop(SemaphoreSet::unlink(name)));
    set.semaphore(0).expect("it has three")
}
