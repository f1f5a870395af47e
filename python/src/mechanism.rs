// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mechanisms of Linux beside each other, which `unipc.mechanisms` puts into a class.

use pyo3::prelude::*;
use unipc::mechanism::{ALL, Mechanism, Selection};

/// A row, as a dictionary.
#[derive(IntoPyObject)]
pub(crate) struct Row {
    name: &'static str,
    room: &'static str,
    connectionless: bool,
    reliable: Option<bool>,
    flow_control: Option<bool>,
    records: Option<bool>,
    selection: Option<String>,
    consumed: bool,
    persistence: String,
    remark: &'static str,
}

impl From<&'static Mechanism> for Row {
    fn from(it: &'static Mechanism) -> Self {
        Self {
            name: it.name,
            room: it.room,
            connectionless: it.connectionless,
            reliable: it.reliable,
            flow_control: it.flow_control,
            records: it.records,
            selection: (it.selection != Selection::Nothing).then(|| it.selection.to_string()),
            consumed: it.consumed,
            persistence: it.persistence.to_string(),
            remark: it.remark,
        }
    }
}

#[pyfunction]
pub(crate) fn mechanism_table() -> Vec<Row> {
    ALL.iter().map(Row::from).collect()
}
