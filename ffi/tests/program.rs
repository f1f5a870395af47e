// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library as a C compiler and a C program see it: the headers' examples, and programs that call everything.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const STRICT: [&str; 7] =
    ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-D_DEFAULT_SOURCE", "-std=c99"];

fn path(below_ffi: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below_ffi)
}

fn output(command: &mut Command) -> Output {
    let done = command.output().unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {}\n{errors}", done.status);
    done
}

fn compiler() -> Command {
    let mut cc = Command::new(std::env::var_os("CC").unwrap_or("cc".into()));
    cc.args(STRICT).arg(format!("-I{}", path("../include").display()));
    cc
}

/// Where the shared library is, under the name that programs look for. Cargo does not make it for a test.
fn library() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--offline", "--lib", "--manifest-path"]);
    output(cargo.arg(path("Cargo.toml")).arg("--target-dir").arg(&target));
    let built = target.join("debug").canonicalize().unwrap();
    let link = built.join("libunipc.so.0");
    if !link.exists() {
        std::os::unix::fs::symlink("libunipc.so", link).unwrap();
    }
    built
}

fn build(name: &str, libraries: &[String]) -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut cc = compiler();
    if name == "record" {
        // The standard in which the compiler can state a layout.
        cc.arg("-std=c11");
    }
    cc.arg(path("tests/c").join(name).with_extension("c")).arg("-o").arg(&program);
    output(cc.args(libraries));
    program
}

/// The programs of this folder that call functions: all but the one that unloads the library.
fn programs() -> Vec<String> {
    let sources = fs::read_dir(path("tests/c")).unwrap().map(|entry| entry.unwrap().path());
    let programs = sources.filter(|source| source.extension().is_some_and(|kind| kind == "c"));
    let names = programs.map(|source| source.file_stem().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| name != "unload").collect()
}

#[test]
fn c_programs_get_what_the_headers_promise() {
    let found = library();
    let found = found.display();
    let libraries = [format!("-L{found}"), format!("-Wl,-rpath,{found}"), "-lunipc".into()];
    let valgrind = Command::new("valgrind").arg("--version").output().is_ok();
    for name in programs() {
        let program = build(&name, &libraries);
        let done = output(&mut Command::new(&program));
        assert_eq!(done.stdout, b"all as promised\n", "{name}");
        if valgrind {
            let mut valgrind = Command::new("valgrind");
            valgrind.args(["--quiet", "--leak-check=full", "--error-exitcode=9"]);
            valgrind.arg(format!("--suppressions={}", path("tests/c/valgrind.supp").display()));
            output(valgrind.arg(program));
        }
    }
    if !valgrind {
        let why = "SKIP c_programs_get_what_the_headers_promise: valgrind is not installed\n";
        std::io::stderr().write_all(why.as_bytes()).unwrap();
    }
}

#[test]
fn unloading_the_library_leaves_sigbus_to_the_host() {
    let host = build("unload", &["-ldl".into()]);
    let done = output(Command::new(&host).arg(library().join("libunipc.so.0")));
    assert_eq!(done.stdout, b"the host's handler ran\n");
}

/// What the compiler says of a structure with this member.
fn layout_with(member: &str) -> Output {
    let mut cc = compiler();
    cc.args(["-std=c11", "-fsyntax-only", "-x", "c", "-"]);
    let mut child = cc.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let source = format!(
        "#include <unipc.h>\nstruct record {{ int first; {member}; }};\n\
         int main(void) {{ return unipc_layout_size(UNIPC_LAYOUT(struct record, first, it)) < 0; }}\n"
    );
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_pointer_in_a_record_does_not_compile() {
    for member in ["int it", "char it[4]", "double it[3]", "_Bool it", "unsigned long it"] {
        let done = layout_with(member);
        assert!(done.status.success(), "{member}: {}", String::from_utf8_lossy(&done.stderr));
    }
    let refused = [
        "int *it",
        "char *it",
        "const char *it",
        "void *it",
        "struct record *it",
        "char *it[3]",
        "char **it",
        "int (*it)(void)",
        "long double it",
        "struct { int *p; } it",
        "int it : 3",
    ];
    for member in refused {
        assert!(!layout_with(member).status.success(), "{member}");
    }
    let words = String::from_utf8(layout_with("int *it").stderr).unwrap();
    assert!(words.contains("unipc_pointers_mean_nothing_to_others"), "{words}");
}

#[test]
fn the_c_programs_call_every_function() {
    let sources = programs().into_iter().map(|name| path(&format!("tests/c/{name}.c")));
    let sources: String = sources.map(|source| fs::read_to_string(source).unwrap()).collect();
    for symbol in fs::read_to_string(path("unipc.symbols")).unwrap().lines() {
        assert!(sources.contains(&format!("{symbol}(")), "no program calls {symbol}");
    }
}

/// The indented lines behind each "Example:" or "A program" of a header's comments.
fn examples(header: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut inside = false;
    for line in header.lines() {
        match line.strip_prefix(" *     ") {
            Some(code) if inside => found.last_mut().unwrap().extend([code, "\n"]),
            _ if line.starts_with(" * Example:") || line.starts_with(" * A program") => {
                inside = true;
                found.push(String::new());
            }
            _ => inside &= line == " *",
        }
    }
    found
}

/// What examples use without showing where it comes from.
const GIVEN: &str = "
extern unipc_mq *orders;
extern unipc_once *once;
extern unipc_queue *jobs;
extern unipc_semset *set;
void build_table(void);
";

fn is_whole(example: &str) -> bool {
    example.contains("int main(void)")
}

fn whole_program(example: &str) -> String {
    if is_whole(example) {
        return example.into();
    }
    let headers =
        "#include <stdio.h>\n#include <string.h>\n#include <sys/sem.h>\n#include <unipc.h>\n";
    format!("{headers}{GIVEN}int main(void)\n{{\n{example}return 0;\n}}\n")
}

fn all_examples() -> Vec<String> {
    let rooms = fs::read_dir(path("../include/unipc")).unwrap().map(|entry| entry.unwrap().path());
    let headers = rooms.chain([path("../include/unipc.h")]);
    headers.flat_map(|header| examples(&fs::read_to_string(header).unwrap())).collect()
}

/// Gives the compiler an example to read, and then its options.
fn compile(example: &str, options: &[String]) {
    let mut cc = compiler();
    if example.contains("UNIPC_LAYOUT(") {
        // The standard in which the compiler can state a layout.
        cc.arg("-std=c11");
    }
    cc.args(["-x", "c", "-"]).args(options).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut cc = cc.spawn().unwrap();
    cc.stdin.take().unwrap().write_all(whole_program(example).as_bytes()).unwrap();
    let done = cc.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{example}\n{errors}");
}

#[test]
fn the_examples_in_the_headers_compile() {
    let examples = all_examples();
    assert_eq!(examples.len(), 18, "{examples:#?}");
    for example in examples {
        compile(&example, &["-fsyntax-only".into()]);
    }
}

/// The example that is a program and uses this name, and what it says when it is run on an object of its own.
struct Program {
    text: String,
    object: String,
    file: PathBuf,
}

impl Program {
    fn new(name: &str) -> Self {
        let object = format!("unipc_test_{}_{name}", std::process::id());
        let uses_it = |text: &String| is_whole(text) && text.contains(&format!("\"/{name}\""));
        let text = all_examples().into_iter().find(uses_it).unwrap();
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&object);
        Self { text: text.replace(&format!("/{name}\""), &format!("/{object}\"")), object, file }
    }

    fn run(&self) -> Output {
        let found = library();
        let found = found.display();
        let libraries = [format!("-L{found}"), format!("-Wl,-rpath,{found}"), "-lunipc".into()];
        compile(
            &self.text,
            &[&["-o".into(), self.file.display().to_string()], &libraries[..]].concat(),
        );
        Command::new(&self.file).output().unwrap()
    }

    fn says(&self) -> String {
        String::from_utf8(self.run().stdout).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // What a test that fails has not made is not there.
        let _ = fs::remove_file(Path::new("/dev/shm").join(&self.object));
        let _ = fs::remove_file(&self.file);
    }
}

#[test]
fn the_program_in_the_umbrella_header_counts_its_runs() {
    let program = Program::new("visits");
    for before in 0..3 {
        let expected = format!("/{} was opened {before} times before\n", program.object);
        assert_eq!(program.says(), expected);
    }
}

#[test]
fn the_program_in_the_header_of_locks_repairs_what_a_dead_one_left() {
    let mut program = Program::new("counter");
    assert_eq!(program.says(), "run 1\n");
    assert_eq!(program.says(), "run 2\n");
    let whole = program.text.clone();
    // It ends with the mutex held, between the two changes that belong together.
    program.text = whole.replace("runs->done++;", "return 9;");
    assert_eq!(program.run().status.code(), Some(9));
    program.text = whole.replace("runs->done);", "runs->begun);");
    assert_eq!(program.says(), "run 3\n", "it is begun as often as it is done");
    program.text = whole;
    assert_eq!(program.says(), "run 4\n");
}
