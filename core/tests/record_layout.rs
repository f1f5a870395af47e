// SPDX-License-Identifier: MIT OR Apache-2.0
//! Layouts: what is read, what is printed, how two differ, and what the C compiler makes of them.

use std::io::Write;
use std::process::Command;

use proptest::prelude::*;
use unipc::record::{Chars, Field, Layout, Record, Scalar};

const SCALARS: [Scalar; 14] = [
    Scalar::Bool,
    Scalar::Int8,
    Scalar::Uint8,
    Scalar::Int16,
    Scalar::Uint16,
    Scalar::Int32,
    Scalar::Uint32,
    Scalar::Int64,
    Scalar::Uint64,
    Scalar::Float32,
    Scalar::Float64,
    Scalar::Complex64,
    Scalar::Complex128,
    Scalar::Chars(5),
];

/// A layout as C would make it of these members; the names are `m0`, `m1`.
fn structure(members: Vec<Layout>) -> Layout {
    let named = |(index, member)| (format!("m{index}"), member);
    Layout::aligned(members.into_iter().enumerate().map(named)).unwrap()
}

/// The same members without padding, some of them with a gap of so many bytes before.
fn loose(members: Vec<(Layout, usize)>) -> Layout {
    let mut end = 0;
    let mut fields = Vec::new();
    for (index, (member, gap)) in members.into_iter().enumerate() {
        let offset = end + gap;
        end = offset + member.size();
        fields.push(Field::new(format!("m{index}"), offset, member));
    }
    Layout::structure(end, fields).unwrap()
}

fn repeated(layout: &Layout, shape: &[usize]) -> Layout {
    shape.iter().rev().fold(layout.clone(), |layout, &count| layout.repeated(count).unwrap())
}

fn member() -> impl Strategy<Value = Layout> {
    let scalar = prop::sample::select(SCALARS.to_vec());
    let shape = prop::collection::vec(1..4_usize, 0..3);
    let leaf = (scalar, shape)
        .prop_map(|(scalar, shape)| repeated(&Layout::scalar(scalar).unwrap(), &shape));
    leaf.prop_recursive(3, 24, 6, |inner| {
        let shape = prop::collection::vec(1..3_usize, 0..2);
        (prop::collection::vec((inner, 0..5_usize), 1..6), shape, any::<bool>()).prop_map(
            |(members, shape, natural)| {
                let whole = if natural {
                    structure(members.into_iter().map(|(member, _)| member).collect())
                } else {
                    loose(members)
                };
                repeated(&whole, &shape)
            },
        )
    })
}

/// A structure of a few members, laid out as C does it.
fn natural() -> impl Strategy<Value = Layout> {
    prop::collection::vec(member(), 1..7).prop_map(structure)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_printed_is_read_as_the_same(layout in member()) {
        let printed = layout.to_string();
        let read = Layout::parse(&printed).unwrap();
        prop_assert_eq!(&read, &layout, "{}", printed);
        prop_assert_eq!(read.size(), layout.size());
        prop_assert_eq!(read.alignment(), layout.alignment());
        prop_assert_eq!(read.to_string(), printed);
        prop_assert!(read.check(&layout).is_ok());
    }

    #[test]
    fn any_text_is_refused_with_a_reason_or_printed_back(text in "[T{}():,0-9xsBhiqQdZfce<>=@^! a-c]{0,40}") {
        match Layout::parse(&text) {
            Ok(layout) => {
                prop_assert_eq!(Layout::parse(&layout.to_string()).unwrap(), layout);
            }
            Err(error) => prop_assert_eq!(error.errno(), libc::EINVAL),
        }
    }

    #[test]
    fn two_that_differ_are_told_apart(one in natural(), other in natural()) {
        prop_assert_eq!(one.check(&other).is_ok(), one == other);
        if let Err(kind) = one.check(&other) {
            prop_assert_eq!(kind.errno(), libc::EPROTO);
        }
    }
}

#[test]
fn formats_of_others_are_understood() {
    let same = |format: &str, canonical: &str| {
        let layout = Layout::parse(format).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(layout.to_string(), canonical, "{format}");
    };
    // numpy: aligned, packed, an array, a nested one.
    same("T{B:a:xxxi:b:}", "T{<B:a:3x<i:b:}");
    same("T{B:a:=i:b:}", "T{<B:a:<i:b:}");
    same("T{(2,3)f:m:}", "T{(2,3)<f:m:}");
    same("T{T{i:x:i:y:}:p:d:w:}", "T{T{<i:x:<i:y:}:p:<d:w:}");
    same("T{4s:name:i:age:}", "T{<4s:name:<i:age:}");
    same("d", "<d");
    same("l", "<q");
    same("=l", "<i");
    same("Zd", "<Zd");
    // ctypes: each with its own mark.
    same("T{<B:a:3x<i:b:}", "T{<B:a:3x<i:b:}");
    same("T{(4)<c:name:<i:age:}", "T{<4s:name:<i:age:}");
    // struct: without names, native alignment but for the end.
    same("4s i", "T{<4s:f0:<i:f1:}");
    same("bq", "T{<b:f0:7x<q:f1:}");
    same("qb", "T{<q:f0:<b:f1:}");
    same("3d", "(3)<d");
    // The end of a structure is padded where it is native.
    same("T{q:a:b:b:}", "T{<q:a:<b:b:7x}");
}

#[test]
fn what_means_nothing_to_others_is_refused() {
    for (format, word) in [
        ("T{P:next:}", "pointer"),
        ("O", "pointer"),
        ("T{&i:p:}", "pointer"),
        ("T{5w:text:}", "text"),
        ("g", "long double"),
        (">i", "byte order"),
        ("T{i:a:", "without its }"),
        ("T{i:a:}}", "without its T{"),
        ("T{}", "at least one field"),
        ("T{i:a:i:a:}", "called \"a\""),
        ("T{i:a b:}", "name of a field"),
        ("(0)i", "no bytes"),
        ("(2i", "ends with )"),
        ("k", "no type"),
        ("f8", "numpy.dtype(\"f8\")"),
        ("<u2", "as \"H\""),
        ("", "at least one field"),
        ("99999999999999999999i", "too large"),
        ("(9999999999,9999999999)i", "more bytes than memory"),
        ("(1,1,1,1,1,1,1,1,1)i", "dimensions"),
    ] {
        let error = Layout::parse(format).expect_err(format);
        assert_eq!(error.errno(), libc::EINVAL, "{format}");
        assert!(error.to_string().contains(word), "{format}: {error}");
    }
    let deep = "T{".repeat(10_000) + "i:a:";
    assert!(Layout::parse(&deep).unwrap_err().to_string().contains("structures in each other"));
    let long = format!("T{{{}}}", "i:a:".repeat(20_000));
    assert!(Layout::parse(&long).unwrap_err().to_string().contains("a format can have"));
    // Short as it is given, long as it is printed.
    let names = "b".repeat(30_000);
    assert!(Layout::parse(&names).unwrap_err().to_string().contains("format has more than"));
}

#[test]
fn a_difference_is_named() {
    let declared = Layout::parse("T{4s:name:i:age:T{d:x:d:y:}:at:}").unwrap();
    for (stored, words) in [
        (
            "T{4s:name:i:age:T{d:x:f:y:}:at:}",
            "\"at.y\" is float32 at offset 8 in the object, float64 at offset 8",
        ),
        (
            "T{4s:name:4xi:age:4xT{d:x:d:y:}:at:}",
            "\"age\" is int32 at offset 8 in the object, int32 at offset 4",
        ),
        ("T{4s:name:(2)i:age:4xT{d:x:d:y:}:at:}", "\"age\" is int32[2] at offset 4"),
        (
            "T{4s:name:i:years:T{d:x:d:y:}:at:}",
            "\"age\", int32 at offset 4 in the declaration, is not in the object",
        ),
        (
            "T{4s:name:i:age:T{d:x:d:y:}:at:q:more:}",
            "\"more\", int64 at offset 24 in the object, is not in the declaration",
        ),
        ("T{4s:name:i:age:T{d:x:d:y:}:at:8x}", "32 bytes in the object, 24 in the declaration"),
        ("d", "a record is float64 in the object"),
    ] {
        let stored = Layout::parse(stored).unwrap();
        let error = declared.check(&stored).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[derive(Record, Clone, Copy, PartialEq, Debug)]
#[repr(C)]
struct Inner {
    x: i16,
    y: f64,
}

#[derive(Record, Clone, Copy, PartialEq, Debug)]
#[repr(C)]
struct Outer {
    flag: bool,
    r#type: u64,
    name: Chars<6>,
    matrix: [[f32; 3]; 2],
    parts: [Inner; 2],
}

#[derive(Record, Clone, Copy)]
#[repr(C, packed)]
struct Packed {
    kind: u8,
    value: u64,
}

#[test]
fn a_structure_of_rust_is_a_record() {
    let layout = Outer::layout().unwrap();
    assert_eq!(
        layout.to_string(),
        "T{<?:flag:7x<Q:type:<6s:name:2x(2,3)<f:matrix:(2)T{<h:x:6x<d:y:}:parts:}"
    );
    assert_eq!(layout.size(), size_of::<Outer>());
    let value = Outer {
        flag: true,
        r#type: 7,
        name: Chars::from("planet"),
        matrix: [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]],
        parts: [Inner { x: -1, y: 0.5 }, Inner { x: 2, y: -0.5 }],
    };
    let mut bytes = [0xff; size_of::<Outer>()];
    value.store(&mut bytes);
    assert_eq!(Outer::load(&bytes), value);
    assert_eq!(bytes[1..8], [0; 7], "padding is zeros");
    bytes[0] = 77;
    assert!(Outer::load(&bytes).flag, "any byte but 0 is true");

    assert_eq!(Packed::layout().unwrap().to_string(), "T{<B:kind:<Q:value:}");
    assert_eq!(Packed::layout().unwrap().alignment(), 1);
    let mut bytes = [0; 9];
    Packed { kind: 3, value: 9 }.store(&mut bytes);
    let value = Packed::load(&bytes);
    assert_eq!(({ value.kind }, { value.value }), (3, 9));
}

#[test]
fn a_word_of_c_cannot_be_emitted() {
    let layout = Layout::parse("T{i:int:}").unwrap();
    assert!(layout.to_c("good").unwrap_err().to_string().contains("keeps for itself"));
    let layout = Layout::parse("i").unwrap();
    for word in ["struct", "linux", "unix"] {
        assert!(layout.to_c(word).is_err(), "{word}");
    }
    assert!(layout.to_c("a b").is_err());
    assert!(layout.to_c("good").unwrap().contains("int32_t value;"));
}

/// A thousand random structures, each checked by assertions that the layout itself wrote, in one run of the compiler. What the
/// assertions compare with is what gcc makes of the members; a natural layout is emitted without any padding of ours.
fn compile(compiler: &str) {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut source = String::from("#include <stddef.h>\n#include <stdint.h>\n");
    let mut packed = 0;
    for index in 0..1000 {
        let layout = if index % 4 == 3 {
            member().new_tree(&mut runner).unwrap().current()
        } else {
            natural().new_tree(&mut runner).unwrap().current()
        };
        let text = layout.to_c(&format!("record{index}")).unwrap();
        packed += usize::from(text.contains("packed"));
        source += &text;
    }
    assert!(packed > 50, "only {packed} of them are packed");
    let mut child = Command::new(compiler)
        .args(["-std=c11", "-Wall", "-Werror", "-fsyntax-only", "-x", "c", "-"])
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let faults = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}", faults.lines().take(20).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_thousand_structures_lie_as_gcc_lays_them() {
    compile("cc");
}

#[test]
fn a_thousand_structures_lie_as_clang_lays_them() {
    if Command::new("clang").arg("--version").output().is_err() {
        let skip = "SKIP a_thousand_structures_lie_as_clang_lays_them: clang is not here\n";
        std::io::stderr().write_all(skip.as_bytes()).unwrap();
        return;
    }
    compile("clang");
}
