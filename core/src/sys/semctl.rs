// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V semaphores: `semget`, `semop`, `semtimedop` and every command of `semctl`.

use std::mem::MaybeUninit;

use nix::errno::Errno;

/// `SEM_STAT_ANY`, which the libc crate lacks. A test holds it against <sys/sem.h>.
pub(crate) const SEM_STAT_ANY: i32 = 20;

/// What `semctl` takes last: `union semun`, which POSIX lets each program define for itself.
#[repr(C)]
#[derive(Clone, Copy)]
union Argument {
    value: libc::c_int,
    pointer: *mut libc::c_void,
}

unsafe extern "C" {
    // glibc and musl have it; the libc crate does not.
    fn semtimedop(
        id: libc::c_int,
        operations: *mut libc::sembuf,
        count: libc::size_t,
        timeout: *const libc::timespec,
    ) -> libc::c_int;
}

pub(crate) fn semget(key: i32, count: i32, flags: i32) -> nix::Result<i32> {
    // SAFETY: semget takes numbers only.
    Errno::result(unsafe { libc::semget(key, count, flags) })
}

/// [`semop(2)`](https://man7.org/linux/man-pages/man2/semop.2.html), for as long as it takes, with the bytes of
/// an array of `struct sembuf`.
#[inline]
pub(crate) fn semop(id: i32, operations: &[u8]) -> nix::Result<()> {
    let count = operations.len() / size_of::<libc::sembuf>();
    // SAFETY: the kernel copies as many operations as it is told, wherever they lie, and writes none.
    Errno::result(unsafe { libc::semop(id, start(operations), count) }).map(drop)
}

/// `semtimedop(2)`: at most for so long.
#[inline]
pub(crate) fn semop_within(id: i32, operations: &[u8], limit: libc::timespec) -> nix::Result<()> {
    let count = operations.len() / size_of::<libc::sembuf>();
    // SAFETY: as in `semop`, and the limit lives as long as the call.
    let result = unsafe { semtimedop(id, start(operations), count, &raw const limit) };
    Errno::result(result).map(drop)
}

/// Only the kernel reads through it, which asks for no alignment.
#[allow(clippy::cast_ptr_alignment)]
fn start(operations: &[u8]) -> *mut libc::sembuf {
    operations.as_ptr().cast_mut().cast()
}

/// A command that takes nothing and gives a number: `GETVAL`, `GETPID`, `GETNCNT`, `GETZCNT`, `IPC_RMID`.
pub(crate) fn get(id: i32, index: i32, command: i32) -> nix::Result<i32> {
    // SAFETY: these commands ignore the last argument.
    Errno::result(unsafe { libc::semctl(id, index, command, nothing()) })
}

pub(crate) fn set_value(id: i32, index: i32, value: i32) -> nix::Result<()> {
    // The rest of the union is zero, for machines that pass it in the other half.
    let mut argument = nothing();
    argument.value = value;
    // SAFETY: SETVAL takes a number.
    Errno::result(unsafe { libc::semctl(id, index, libc::SETVAL, argument) }).map(drop)
}

/// `GETALL`: the values of the whole set.
pub(crate) fn get_all(id: i32) -> nix::Result<Vec<u16>> {
    let mut values = vec![0_u16; count(id)?];
    // SAFETY: the kernel fills one place for each semaphore. The number in a set never changes, and an identifier comes
    // again only when its slot has seen tens of thousands of other sets.
    unsafe { with_pointer(id, libc::GETALL, values.as_mut_ptr()) }?;
    Ok(values)
}

/// `SETALL`. `EINVAL` when there are not as many values as semaphores.
pub(crate) fn set_all(id: i32, values: &[u16]) -> nix::Result<()> {
    if values.len() != count(id)? {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the kernel reads one value for each semaphore; as in `get_all`.
    unsafe { with_pointer(id, libc::SETALL, values.as_ptr().cast_mut()) }.map(drop)
}

/// How many semaphores the set has, whether or not this user may read it.
fn count(id: i32) -> nix::Result<usize> {
    look(id).map(|status| status.sem_nsems.try_into().unwrap_or(usize::MAX))
}

/// `IPC_STAT`, or what `SEM_STAT_ANY` shows of it to those who may not read the set.
pub(crate) fn look(id: i32) -> nix::Result<libc::semid_ds> {
    match stat(id) {
        Err(Errno::EACCES) => {
            let (last, _) = usage()?;
            let seen = |slot| stat_any(slot).ok();
            let found = (0..=last).filter_map(seen).find(|(found, _)| *found == id);
            found.map(|(_, status)| status).ok_or(Errno::EACCES)
        }
        other => other,
    }
}

pub(crate) fn stat(id: i32) -> nix::Result<libc::semid_ds> {
    // SAFETY: IPC_STAT fills a semid_ds.
    unsafe { filled(id, libc::IPC_STAT) }.map(|(_, status)| status)
}

/// `SEM_STAT_ANY`: the set in a slot of the kernel's table, with its identifier; `EINVAL` for an empty slot.
pub(crate) fn stat_any(slot: i32) -> nix::Result<(i32, libc::semid_ds)> {
    // SAFETY: SEM_STAT_ANY fills a semid_ds.
    unsafe { filled(slot, SEM_STAT_ANY) }
}

pub(crate) fn limits() -> nix::Result<libc::seminfo> {
    // SAFETY: IPC_INFO fills a seminfo.
    unsafe { filled(0, libc::IPC_INFO) }.map(|(_, limits)| limits)
}

/// The usage (in `semusz` and `semaem`), and the highest slot of the kernel's table in use.
pub(crate) fn usage() -> nix::Result<(i32, libc::seminfo)> {
    // SAFETY: SEM_INFO fills a seminfo.
    unsafe { filled(0, libc::SEM_INFO) }
}

pub(crate) fn set(id: i32, status: &libc::semid_ds) -> nix::Result<()> {
    let mut status = *status;
    // SAFETY: IPC_SET reads a semid_ds, which `status` is.
    unsafe { with_pointer(id, libc::IPC_SET, &raw mut status) }.map(drop)
}

pub(crate) fn remove(id: i32) -> nix::Result<()> {
    get(id, 0, libc::IPC_RMID).map(drop)
}

fn nothing() -> Argument {
    Argument { pointer: std::ptr::null_mut() }
}

/// # Safety
///
/// What the command reads or writes must be what the pointer is to.
unsafe fn with_pointer<T>(id: i32, command: i32, pointer: *mut T) -> nix::Result<i32> {
    let argument = Argument { pointer: pointer.cast() };
    // SAFETY: by contract.
    Errno::result(unsafe { libc::semctl(id, 0, command, argument) })
}

/// The call's value, and what it filled.
///
/// # Safety
///
/// `command` must write a `T`, entirely.
unsafe fn filled<T>(id: i32, command: i32) -> nix::Result<(i32, T)> {
    // Zeroed, since valgrind does not know that every command fills it.
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: the buffer has the size and alignment of what the command writes.
    let result = unsafe { with_pointer(id, command, value.as_mut_ptr()) }?;
    // SAFETY: the command succeeded, so by contract the kernel has filled all of it.
    Ok((result, unsafe { value.assume_init() }))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What libc's own headers say, asked through the C compiler.
    #[test]
    fn constants_and_sizes_are_those_of_the_c_headers() {
        let directory = std::env::temp_dir().join(format!("unipc-semctl-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a temporary directory");
        let source = directory.join("probe.c");
        let program = directory.join("probe");
        std::fs::write(
            &source,
            "#define _GNU_SOURCE\n#include <stdio.h>\n#include <stddef.h>\n#include <semaphore.h>\n#include <sys/sem.h>\n\
             int main(void) { printf(\"%d %d %zu %zu %zu %zu %zu %zu\\n\", SEM_STAT_ANY, SEM_INFO,\n\
             sizeof(struct seminfo), offsetof(struct seminfo, semaem), sizeof(struct semid_ds),\n\
             offsetof(struct semid_ds, sem_nsems), sizeof(struct sembuf), sizeof(sem_t)); }\n",
        )
        .expect("a probe");
        let compiled = Command::new("cc").arg(&source).arg("-o").arg(&program).status();
        assert!(compiled.expect("a C compiler").success());
        let output = Command::new(&program).output().expect("the probe runs");
        std::fs::remove_dir_all(&directory).expect("ours");
        let ours = format!(
            "{SEM_STAT_ANY} {} {} {} {} {} {} {}\n",
            libc::SEM_INFO,
            size_of::<libc::seminfo>(),
            std::mem::offset_of!(libc::seminfo, semaem),
            size_of::<libc::semid_ds>(),
            std::mem::offset_of!(libc::semid_ds, sem_nsems),
            size_of::<libc::sembuf>(),
            size_of::<libc::sem_t>(),
        );
        assert_eq!(String::from_utf8_lossy(&output.stdout), ours);
    }
}
