// SPDX-License-Identifier: MIT OR Apache-2.0
//! The grammar of names: what it accepts, how it prints, why it refuses.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use proptest::prelude::*;
use unipc::{Name, SOCKET_NAME_MAX, SharedMemory, SocketName, SystemVName};

#[test]
fn each_form_parses_and_prints_in_its_one_spelling() {
    for (given, printed) in [
        ("/demo", "/demo"),
        ("posix:/demo", "/demo"),
        ("/a b:c,d", "/a b:c,d"),
        ("sysv:/etc/hosts,1", "sysv:/etc/hosts,1"),
        ("sysv:a,b,255", "sysv:a,b,255"),
        ("sysv:0x1234", "sysv:0x1234"),
        ("sysv:0x000000AB", "sysv:0xab"),
        ("sysv:0xffffffff", "sysv:0xffffffff"),
        ("sysv:private", "sysv:private"),
        ("sysv:id=0", "sysv:id=0"),
        ("sysv:id=2147483647", "sysv:id=2147483647"),
        ("file:/tmp/x", "file:/tmp/x"),
        ("file:relative", "file:relative"),
        ("file:/with:colon", "file:/with:colon"),
        ("memfd:", "memfd:"),
        ("memfd:frames", "memfd:frames"),
        ("anon:", "anon:"),
        ("unix:/run/demo.socket", "unix:/run/demo.socket"),
        ("unix:relative:colon", "unix:relative:colon"),
        ("unix:./@demo", "unix:./@demo"),
        ("unix:@", "unix:@"),
        ("unix:@demo", "unix:@demo"),
        ("unix:@/a @b", "unix:@/a @b"),
        (r"unix:@a\0\0\\", r"unix:@a\0\0\\"),
        ("tcp:127.0.0.1:80", "tcp:127.0.0.1:80"),
        ("tcp:localhost:0", "tcp:localhost:0"),
        ("tcp:a-b.c_d:0080", "tcp:a-b.c_d:80"),
        ("tcp:[::1]:65535", "tcp:[::1]:65535"),
        ("udp:[0:0::1]:7", "udp:[::1]:7"),
        ("udp:[fe80::1%eth0]:7", "udp:[fe80::1%eth0]:7"),
    ] {
        let name = Name::parse(given).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(name.to_string(), printed);
        assert_eq!(Name::parse(printed).unwrap(), name, "{printed}");
    }
}

#[test]
fn a_comma_makes_it_a_path_whatever_it_looks_like() {
    for text in ["sysv:0x12,3", "sysv:id=42,1", "sysv:private,0"] {
        let name = Name::parse(text).unwrap();
        assert!(matches!(name, Name::SystemV(SystemVName::Ftok { .. })), "{text}");
    }
}

#[test]
fn what_is_no_name_is_refused_with_a_reason() {
    let long = format!("/{}", "x".repeat(256));
    let label = format!("memfd:{}", "x".repeat(250));
    for (text, reason) in [
        ("", "empty"),
        ("demo", "no prefix"),
        ("/", "at least one byte"),
        ("/.", "directories"),
        ("/..", "directories"),
        ("/a/b", "one slash"),
        ("posix:demo", "begins with a slash"),
        (long.as_str(), "at most 255"),
        ("sysv:", "comes PATH,PROJ"),
        ("sysv:1234", "comes PATH,PROJ"),
        ("sysv:0x", "hexadecimal digits"),
        ("sysv:0x123456789", "32 bits"),
        ("sysv:0xg", "hexadecimal"),
        ("sysv:0x+1", "hexadecimal"),
        ("sysv:0x0", "IPC_PRIVATE"),
        ("sysv:id=", "number"),
        ("sysv:id=-1", "decimal"),
        ("sysv:id=+1", "decimal"),
        ("sysv:id=2147483648", "2147483647"),
        ("sysv:/etc/hosts,256", "0 to 255"),
        ("sysv:/etc/hosts,-1", "0 to 255"),
        ("sysv:/etc/hosts,", "0 to 255"),
        ("sysv:,1", "path"),
        ("file:", "path is missing"),
        (label.as_str(), "at most 249"),
        ("anon:x", "nothing may follow"),
        ("shm:/demo", "prefix is none of"),
        ("unix:", "PATH or @NAME"),
        (r"unix:@a\n", "a backslash"),
        (r"unix:@a\", "a backslash"),
        ("tcp:", "HOST:PORT"),
        ("tcp:80", "HOST:PORT"),
        ("tcp::80", "every interface"),
        ("tcp:host:", "0 to 65535"),
        ("tcp:host:65536", "0 to 65535"),
        ("tcp:host:+1", "0 to 65535"),
        ("tcp:host:http", "0 to 65535"),
        ("tcp:::1:80", "brackets"),
        ("tcp:[::1:80", "brackets"),
        ("tcp:[host]:80", "IPv6 address"),
        ("udp:[fe80::1%]:80", "interface"),
        ("udp:[fe80::1%a/b]:80", "interface"),
        ("tcp:a b:80", "made of letters"),
        ("tcp:b\u{fc}cher:80", "made of letters"),
        ("/a\0b", "NUL"),
        ("file:a\0b", "NUL"),
    ] {
        let error = Name::parse(text).expect_err(text);
        assert_eq!(error.errno(), libc::EINVAL);
        assert!(error.to_string().contains(reason), "{text:?}: {error}");
    }
}

#[test]
fn the_longest_names_fit() {
    assert!(Name::parse(format!("/{}", "x".repeat(255))).is_ok());
    assert!(Name::parse(format!("memfd:{}", "x".repeat(249))).is_ok());
}

#[test]
fn a_socket_name_too_long_names_the_limit() {
    for at in ["", "@"] {
        let fits = format!("unix:{at}{}", "x".repeat(SOCKET_NAME_MAX));
        assert!(Name::parse(&fits).is_ok());
        let error = Name::parse(format!("{fits}y")).unwrap_err();
        assert!(
            error.to_string().contains("at most 107 bytes (sun_path), this one 108"),
            "{error}"
        );
    }
    let host = "h".repeat(254);
    assert!(Name::parse(format!("tcp:{host}:1")).unwrap_err().to_string().contains("at most 253"));
}

#[test]
fn a_path_made_by_hand_prints_as_a_path() {
    let name = Name::Socket(SocketName::Path("@demo".into()));
    assert_eq!(name.to_string(), "unix:./@demo");
}

#[test]
fn shared_memory_refuses_the_names_of_sockets() {
    for name in ["unix:/run/demo", "unix:@demo", "tcp:localhost:80", "udp:[::1]:80"] {
        let refused = [
            SharedMemory::create(name, 10).unwrap_err(),
            SharedMemory::open(name).unwrap_err(),
            SharedMemory::open_or_create(name, 10).unwrap_err(),
            SharedMemory::unlink(name).unwrap_err(),
        ];
        for error in refused {
            assert_eq!(error.errno(), libc::EINVAL, "{error}");
            assert!(error.to_string().contains("names a socket"), "{error}");
        }
    }
}

/// Bytes without NUL, not always UTF-8.
fn bytes(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(1..=u8::MAX, 1..=longest)
}

/// Any text of the grammar, in a spelling that is printed back.
fn canonical() -> impl Strategy<Value = Vec<u8>> {
    let tagged = |tag: &'static str, longest| {
        bytes(longest).prop_map(move |rest| [tag.as_bytes(), rest.as_slice()].concat())
    };
    prop_oneof![
        bytes(255)
            .prop_map(|bytes| bytes.into_iter().filter(|&byte| byte != b'/').collect::<Vec<_>>())
            .prop_filter("a name", |name| !matches!(name.as_slice(), b"" | b"." | b".."))
            .prop_map(|name| [b"/", name.as_slice()].concat()),
        (bytes(300), any::<u8>()).prop_map(|(path, project)| {
            [b"sysv:", path.as_slice(), format!(",{project}").as_bytes()].concat()
        }),
        (1..=u32::MAX).prop_map(|key| format!("sysv:{key:#x}").into_bytes()),
        (0..=i32::MAX).prop_map(|id| format!("sysv:id={id}").into_bytes()),
        tagged("file:", 300),
        tagged("memfd:", 249),
        bytes(107).prop_map(|name| {
            let escaped = name.iter().flat_map(|&byte| match byte {
                b'\\' => vec![b'\\'; 2],
                7 => b"\\0".to_vec(),
                other => vec![other],
            });
            b"unix:@".iter().copied().chain(escaped).collect()
        }),
        tagged("unix:/", 106),
        ("(tcp|udp)", "[a-zA-Z0-9._-]{1,253}", any::<u16>())
            .prop_map(|(tag, host, port)| format!("{tag}:{host}:{port}").into_bytes()),
        ("(tcp|udp)", any::<std::net::Ipv6Addr>(), "(%[a-z0-9]{1,9})?", any::<u16>())
            .prop_map(|(tag, host, scope, port)| format!("{tag}:[{host}{scope}]:{port}").into()),
        Just(b"anon:".to_vec()),
        Just(b"sysv:private".to_vec()),
    ]
}

proptest! {
    #[test]
    fn every_name_survives_the_round_trip(text in canonical()) {
        let name = Name::parse(OsString::from_vec(text.clone())).unwrap();
        let printed = name.to_os_string();
        prop_assert_eq!(printed.as_bytes(), text.as_slice());
    }

    #[test]
    fn whatever_parses_prints_as_something_that_parses_to_the_same(text in bytes(64)) {
        if let Ok(name) = Name::parse(OsString::from_vec(text)) {
            prop_assert_eq!(Name::parse(name.to_os_string()).unwrap(), name);
        }
    }

    #[test]
    fn prefixed_noise_never_panics(tag in "(posix|sysv|file|memfd|anon|unix|tcp|udp|x)?:?", rest in bytes(40)) {
        let text = [tag.as_bytes(), rest.as_slice()].concat();
        let parsed = Name::parse(OsString::from_vec(text));
        prop_assert!(parsed.is_ok() || parsed.unwrap_err().errno() == libc::EINVAL);
    }
}
