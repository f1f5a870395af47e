// SPDX-License-Identifier: MIT OR Apache-2.0
//! Channels in memory that holds other things as well, and in huge pages.

mod support;

use std::fs;
use std::sync::Barrier;
use std::time::Duration;

use support::posix_name;
use unipc::channel::{Client, Options, Queue, Service, Start, Subscriber, Topic};
use unipc::record::{Array, Directory, Layout};
use unipc::sync::Mutex;
use unipc::{Error, SharedMemory, Timeout};

const SOON: Timeout = Timeout::After(Duration::from_secs(20));
const PAGE: usize = 64 << 10;

fn memory() -> SharedMemory {
    SharedMemory::create("memfd:plant", 4 << 20).unwrap()
}

fn errno<T>(result: Result<T, Error>) -> i32 {
    result.map(drop).unwrap_err().errno()
}

#[test]
fn a_directory_holds_channels_beside_locks_and_arrays() {
    let name = posix_name("plant");
    let plant = Directory::create(name.as_str(), 4 << 20).unwrap();
    let lock = Mutex::create(plant.place("lock", Mutex::SIZE).unwrap()).unwrap();
    let options = Options::new().layout(&Layout::parse("=q").unwrap()).reliable(true);
    let size = options.size_for::<Queue>(4096).unwrap();
    let mut jobs: Queue = options.create(plant.place_on_page("jobs", size).unwrap(), 4096).unwrap();
    let size = options.size_for::<Topic>(8192).unwrap();
    let mut news: Topic = options.create(plant.place_on_page("news", size).unwrap(), 8192).unwrap();
    let size = Options::new().size_for::<Service>(4096).unwrap();
    let mut ask = Service::create(plant.place_on_page("ask", size).unwrap(), 4096).unwrap();
    let layout = Layout::parse("d").unwrap();
    let size = Array::size_for(&layout, 8).unwrap();
    Array::create(plant.place("samples", size).unwrap(), &layout, 8).unwrap();
    drop(plant);

    // Whoever comes knows the names alone; handles live on without the directory's.
    let other = Directory::open(name.as_str()).unwrap();
    let kinds: Vec<_> = other.list().unwrap().iter().map(|place| place.kind().unwrap()).collect();
    assert_eq!(kinds, ["mutex", "array", "queue", "topic", "service"]);
    let mut worker = Queue::open(other.find("jobs").unwrap()).unwrap();
    assert_eq!(worker.layout(), Some(&Layout::parse("=q").unwrap()));
    let mut reader = Subscriber::open(other.find("news").unwrap()).unwrap();
    let mut second = news.subscribe(&Options::new().start(Start::Oldest)).unwrap();
    let mut client = Client::open(other.find("ask").unwrap()).unwrap();
    let asker = std::thread::spawn(move || client.call(b"1 2", SOON));
    // Often enough that each ring goes round many times, beside the other.
    for number in 0..3000_i64 {
        jobs.send_record(&number, SOON).unwrap();
        news.publish_record(&number, SOON).unwrap();
        assert_eq!(worker.recv_record::<i64>(SOON), Ok(number));
        for subscriber in [&mut reader, &mut second] {
            assert_eq!(subscriber.recv_record::<i64>(SOON).unwrap().0, number);
        }
    }
    let question = ask.recv(SOON).unwrap();
    ask.reply(&question, b"3", SOON).unwrap();
    assert_eq!(asker.join().unwrap().unwrap(), b"3");
    drop(lock.lock(SOON).unwrap());
    let error = worker.recv(Timeout::TRY).unwrap_err();
    assert!(error.to_string().contains(&format!("recv({name}[jobs])")), "{error}");
    Directory::unlink(name.as_str()).unwrap();
}

#[test]
fn a_place_is_a_page_of_memory_with_a_descriptor() {
    let shm = memory();
    let create = |shm: &SharedMemory, offset| Queue::create((shm, offset), 4096);
    assert_eq!(errno(create(&shm, 64)), libc::EINVAL);
    assert_eq!(errno(create(&shm, 4 << 20)), libc::ERANGE);
    let wide = Options::new().participants(4096);
    assert_eq!(errno(wide.create::<Queue>((&shm, (4 << 20) - PAGE), 4096)), libc::ERANGE);
    assert_eq!(
        errno(Options::new().huge_pages(2 << 20).create::<Queue>((&shm, 0), 4096)),
        libc::EINVAL
    );
    let anonymous = SharedMemory::create("anon:", 1 << 20).unwrap();
    assert_eq!(errno(create(&anonymous, 0)), libc::EOPNOTSUPP);
    // The ERANGE above has changed nothing.
    let mut bytes = vec![0; shm.len()];
    shm.read_at(0, &mut bytes).unwrap();
    assert!(bytes.iter().all(|&byte| byte == 0));

    shm.write_at(PAGE + 300, b"x").unwrap();
    assert_eq!(errno(create(&shm, PAGE)), libc::EBUSY);
    assert_eq!(errno(Queue::open((&shm, 0))), libc::EPROTO);
    let queue = create(&shm, 0).unwrap();
    assert_eq!(errno(create(&shm, 0)), libc::EEXIST);
    assert_eq!(errno(Topic::open((&shm, 0))), libc::EPROTO);
    assert!(Queue::open_or_create((&shm, 0), 4096).is_ok());
    drop(shm);
    // The memory stays as long as somebody uses it.
    let mut queue = queue;
    queue.send(b"still", SOON).unwrap();
    assert_eq!(queue.recv(SOON).unwrap(), b"still");
}

#[test]
fn a_channel_in_memory_is_called_as_the_memory() {
    let name = posix_name("in-memory");
    let shm = SharedMemory::create(name.as_str(), 1 << 20).unwrap();
    let queue = Queue::create((&shm, 0), 4096).unwrap();
    let same = SharedMemory::open(name.as_str()).unwrap();
    for queue in [queue, Queue::open((&shm, 0)).unwrap(), Queue::open((&same, 0)).unwrap()] {
        assert_eq!(queue.name(), shm.name());
    }
    shm.remove().unwrap();
}

#[test]
fn of_many_creators_one_is_first() {
    let shm = memory();
    for round in 0..20 {
        let (begin, offset) = (Barrier::new(4), round * 3 * PAGE);
        let made: Vec<_> = std::thread::scope(|scope| {
            let create = || {
                begin.wait();
                Queue::create((&shm, offset), 4096).map_err(|error| error.errno())
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(create)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
        assert!(made.iter().all(|made| !matches!(made, Err(errno) if *errno != libc::EEXIST)));
    }
}

#[test]
fn a_place_that_was_freed_is_used_again() {
    let shm = memory();
    let plant = Directory::create((&shm, 0), 1 << 20).unwrap();
    let size = Options::new().size_for::<Queue>(4096).unwrap();
    for round in 0..10_u8 {
        let mut queue = Queue::create(plant.place_on_page("jobs", size).unwrap(), 4096).unwrap();
        queue.send(&[round], SOON).unwrap();
        let (place, made) = plant.find_or_place_on_page("jobs", size).unwrap();
        assert!(!made);
        assert_eq!(Queue::open(place).unwrap().recv(SOON).unwrap(), [round]);
        plant.remove("jobs").unwrap();
    }
}

/// The same in memory that is mapped from the middle of a file on.
#[test]
fn pages_count_from_the_beginning_of_the_file() {
    let shm = memory();
    let fd = || shm.fd().unwrap().try_clone_to_owned().unwrap();
    let part = SharedMemory::options().offset(PAGE as u64 + 128).from_fd(fd()).unwrap();
    let plant = Directory::create((&part, 0), 1 << 20).unwrap();
    let size = Options::new().size_for::<Queue>(4096).unwrap();
    let place = plant.place_on_page("jobs", size).unwrap();
    let mut queue = Queue::create(&place, 4096).unwrap();
    queue.send(b"hello", SOON).unwrap();
    let mut other = Queue::open((&shm, PAGE + 128 + place.offset())).unwrap();
    assert_eq!(other.recv(SOON).unwrap(), b"hello");
}

#[test]
fn huge_pages_are_used_where_there_are_some_and_refused_where_not() {
    const HUGE: usize = 2 << 20;
    let huge = || Options::new().huge_pages(HUGE);
    let free = fs::read_to_string("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    let free: usize = free.map_or(0, |text| text.trim().parse().unwrap());
    match huge().create::<Queue>("memfd:huge", 4096) {
        Ok(mut queue) => {
            assert_eq!(
                fs::metadata(format!(
                    "/proc/self/fd/{}",
                    std::os::fd::AsRawFd::as_raw_fd(&queue.memory_fd())
                ))
                .unwrap()
                .len(),
                2 * HUGE as u64
            );
            let mut other =
                Queue::from_fd(queue.memory_fd().try_clone_to_owned().unwrap()).unwrap();
            // More than the ring holds, over its end as well.
            for number in 0..50_u8 {
                let message = vec![number; 100_000];
                queue.send(&message, SOON).unwrap();
                assert_eq!(other.recv(SOON).unwrap(), message);
            }
        }
        Err(error) => {
            assert!(free < 2, "{error}, and {free} pages are free");
            assert_eq!(error.errno(), libc::ENOSPC);
            assert!(error.to_string().contains("huge pages"), "{error}");
        }
    }
    assert_eq!(errno(huge().create::<Queue>("/unipc-huge-queue", 4096)), libc::EOPNOTSUPP);
    assert_eq!(
        errno(Options::new().huge_pages(3000).create::<Queue>("memfd:x", 4096)),
        libc::EINVAL
    );
    assert_eq!(errno(huge().create::<Queue>("file:/dev/shm/unipc-huge-queue", 4096)), libc::EINVAL);
    assert!(!fs::exists("/dev/shm/unipc-huge-queue").unwrap());
    assert_eq!(huge().size_for::<Topic>(HUGE + 1).unwrap(), 3 * HUGE);
}
