// SPDX-License-Identifier: MIT OR Apache-2.0
//! A layout as a C structure, with assertions that the compiler lays it out so.

use std::fmt::Write;

use super::layout::{Field, Layout};
use super::scalar::Scalar;
use crate::error::{ErrorKind, Result};

/// The words that C and C++ keep for themselves, and those that compilers for Linux take for numbers.
const KEYWORDS: &str = " alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl const \
    const_cast constexpr continue decltype default delete do double dynamic_cast else enum explicit export extern \
    false float for friend goto if inline int linux long mutable namespace new noexcept not not_eq nullptr operator or \
    or_eq private protected public register reinterpret_cast restrict return short signed sizeof static \
    static_assert static_cast struct switch template this thread_local throw true try typedef typeid typename \
    typeof typeof_unqual union unix unsigned using virtual void volatile wchar_t while xor xor_eq ";

impl Layout {
    /// The declaration of `struct name` in C11, with a `_Static_assert` for the size and for each offset. It needs
    /// `<stddef.h>` and `<stdint.h>`.
    ///
    /// ```
    /// use unipc::record::Layout;
    /// let people = Layout::parse("T{4s:name:i:age:}")?;
    /// assert_eq!(people.to_c("people")?, "\
    /// struct people {
    ///     char name[4];
    ///     int32_t age;
    /// };
    /// _Static_assert(sizeof(struct people) == 8, \"sizeof(struct people)\");
    /// _Static_assert(offsetof(struct people, name) == 0, \"name\");
    /// _Static_assert(offsetof(struct people, age) == 4, \"age\");
    /// ");
    /// # Ok::<(), unipc::Error>(())
    /// ```
    ///
    /// A record that is a single value becomes a structure with the one member `value`.
    ///
    /// Errors: `EINVAL` when the name, or that of a field, is no identifier or a word that C keeps for itself.
    pub fn to_c(&self, name: &str) -> Result<String> {
        self.emit(name).map_err(|kind| kind.during("to_c", name))
    }

    fn emit(&self, name: &str) -> Result<String, ErrorKind> {
        let wrapped;
        let whole = if self.fields().is_empty() || !self.shape().is_empty() {
            wrapped = Self::of_fields(self.size(), vec![Field::new("value", 0, self.clone())])?;
            &wrapped
        } else {
            self
        };
        // The check for names is that of fields.
        Self::of_fields(1, vec![Field::new(name, 0, Self::of_scalar(Scalar::Uint8)?)])?;
        check_word(name)?;
        let mut text = String::new();
        write_structure(&mut text, whole, name, 0)?;
        text += ";\n";
        let size = whole.size();
        let tag = format!("struct {name}");
        let _ = writeln!(text, "_Static_assert(sizeof({tag}) == {size}, \"sizeof({tag})\");");
        write_assertions(&mut text, whole, &tag, "", 0);
        Ok(text)
    }
}

fn check_word(name: &str) -> Result<(), ErrorKind> {
    if KEYWORDS.contains(&format!(" {name} ")) {
        return Err(ErrorKind::invalid(format!(
            "{name:?} is a word that C or C++ keeps for itself"
        )));
    }
    Ok(())
}

/// The structure without the semicolon behind it.
fn write_structure(
    text: &mut String,
    layout: &Layout,
    name: &str,
    level: usize,
) -> Result<(), ErrorKind> {
    let packed =
        layout.alignment() == 1 && layout.fields().iter().any(|it| it.layout().alignment() > 1);
    let attribute = if packed { " __attribute__((packed))" } else { "" };
    let tag = if name.is_empty() { String::new() } else { format!(" {name}") };
    let _ = writeln!(text, "struct{attribute}{tag} {{");
    let indent = "    ".repeat(level + 1);
    let mut end = 0_usize;
    let mut gaps = 0;
    for field in layout.fields() {
        check_word(field.name())?;
        let alignment = if packed { 1 } else { field.layout().alignment() };
        if end.next_multiple_of(alignment) != field.offset() {
            write_gap(text, &indent, layout, &mut gaps, field.offset() - end);
        }
        text.push_str(&indent);
        write_member(text, field, level)?;
        end = field.end();
    }
    if end.next_multiple_of(layout.alignment()) != layout.element_size() {
        write_gap(text, &indent, layout, &mut gaps, layout.element_size() - end);
    }
    let _ = write!(text, "{}}}", "    ".repeat(level));
    Ok(())
}

fn write_member(text: &mut String, field: &Field, level: usize) -> Result<(), ErrorKind> {
    let layout = field.layout();
    match layout.as_scalar() {
        Some(scalar) => text.push_str(scalar.c_name()),
        None => write_structure(text, layout, "", level + 1)?,
    }
    let _ = write!(text, " {}", field.name());
    for count in layout.shape() {
        let _ = write!(text, "[{count}]");
    }
    match layout.as_scalar() {
        Some(Scalar::Chars(count)) if count > 1 => {
            let _ = writeln!(text, "[{count}];");
        }
        _ => text.push_str(";\n"),
    }
    Ok(())
}

fn write_gap(text: &mut String, indent: &str, layout: &Layout, gaps: &mut usize, size: usize) {
    let is_taken = |name: &str| layout.fields().iter().any(|field| field.name() == name);
    let mut name = format!("padding{gaps}");
    while is_taken(&name) {
        name.push('_');
    }
    *gaps += 1;
    let _ = writeln!(text, "{indent}unsigned char {name}[{size}];");
}

fn write_assertions(text: &mut String, layout: &Layout, tag: &str, path: &str, base: usize) {
    for field in layout.fields() {
        let member = format!("{path}{}", field.name());
        let offset = base + field.offset();
        let _ =
            writeln!(text, "_Static_assert(offsetof({tag}, {member}) == {offset}, \"{member}\");");
        let first = "[0]".repeat(field.layout().shape().len());
        write_assertions(text, field.layout(), tag, &format!("{member}{first}."), offset);
    }
}
