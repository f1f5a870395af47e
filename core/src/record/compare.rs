// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where two layouts differ first.

use super::layout::{Field, Layout};
use crate::error::ErrorKind;

impl Layout {
    /// Is `found`, the layout of an object, this one?
    ///
    /// Errors: `EPROTO`, naming the first field that differs, with both offsets and both types.
    ///
    /// ```
    /// use unipc::record::Layout;
    /// let declared = Layout::parse("T{4s:name:i:age:}").unwrap();
    /// let stored = Layout::parse("T{8s:name:d:age:}").unwrap();
    /// let error = declared.check(&stored).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "layout mismatch: field \"name\" is char[8] at offset 0 in the object, char[4] at offset 0 in the declaration"
    /// );
    /// ```
    pub fn check(&self, found: &Self) -> Result<(), ErrorKind> {
        match self.difference(found, "") {
            Some(why) => Err(ErrorKind::Layout(why.into())),
            None => Ok(()),
        }
    }

    fn difference(&self, found: &Self, path: &str) -> Option<String> {
        if self == found {
            return None;
        }
        if self.fields().is_empty() || found.fields().is_empty() || self.shape() != found.shape() {
            let (is, declared) = (found.type_name(), self.type_name());
            return Some(format!("a record is {is} in the object, {declared} in the declaration"));
        }
        let by_field = self
            .fields()
            .iter()
            .find_map(|field| difference_of(field, found, path))
            .or_else(|| found.fields().iter().find_map(|field| surplus(field, self, path)));
        by_field.or_else(|| {
            let (is, declared) = (found.element_size(), self.element_size());
            let what = if path.is_empty() { "a record" } else { path.trim_end_matches('.') };
            Some(format!("{what} has {is} bytes in the object, {declared} in the declaration"))
        })
    }
}

/// How a declared field differs from what is there.
fn difference_of(declared: &Field, found: &Layout, path: &str) -> Option<String> {
    let name = format!("{path}{}", declared.name());
    let named = |field: &&Field| field.name() == declared.name();
    let Some(is) = found.fields().iter().find(named) else {
        return Some(format!(
            "field {name:?}, {} at offset {} in the declaration, is not in the object",
            declared.layout().type_name(),
            declared.offset()
        ));
    };
    if is == declared {
        return None;
    }
    let both_structures =
        !is.layout().fields().is_empty() && !declared.layout().fields().is_empty();
    if both_structures
        && is.offset() == declared.offset()
        && is.layout().shape() == declared.layout().shape()
    {
        return declared.layout().difference(is.layout(), &format!("{name}."));
    }
    Some(format!(
        "field {name:?} is {} at offset {} in the object, {} at offset {} in the declaration",
        is.layout().type_name(),
        is.offset(),
        declared.layout().type_name(),
        declared.offset()
    ))
}

/// A field that is there and was not declared.
fn surplus(is: &Field, declared: &Layout, path: &str) -> Option<String> {
    let known = declared.fields().iter().any(|field| field.name() == is.name());
    (!known).then(|| {
        format!(
            "field {:?}, {} at offset {} in the object, is not in the declaration",
            format!("{path}{}", is.name()),
            is.layout().type_name(),
            is.offset()
        )
    })
}
