// SPDX-License-Identifier: MIT OR Apache-2.0
//! What arrays, cells and directories begin with; which bytes these are, see [`super`].

use super::layout::Layout;
use crate::SharedMemory;
use crate::error::{Error, ErrorKind, Result};
use crate::map::lines::{LINE, Lines};
use crate::open::{Disposition, Mode};
use crate::sync::Place;
use crate::sync::object::{Extent, Kind, Object, WAITING};
use crate::sync::place::Site;
use crate::time::Timeout;

/// How many lines every object of this room begins with.
const HEAD: usize = 5;
/// Where the layout's text begins.
const TEXT: usize = HEAD * LINE;
/// Where the numbers begin.
const NUMBERS: usize = WAITING * LINE;
/// Where the number of published values is.
pub(super) const PUBLISHED: usize = 4 * LINE;

/// The numbers in the head of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) record: usize,
    pub(super) count: usize,
    pub(super) data: usize,
    pub(super) text: usize,
    pub(super) stride: usize,
}

/// Where each of them lies.
const FIELDS: [usize; 5] = [0, 8, 24, 32, 40];

impl Numbers {
    /// Those of a new object.
    pub(super) fn new(record: usize, count: usize, text: &str, stride: usize) -> Self {
        let data = (TEXT + text.len()).next_multiple_of(LINE);
        Self { record, count, data, text: text.len(), stride }
    }

    /// All bytes of the object.
    pub(super) fn size(&self) -> Result<usize, ErrorKind> {
        let data = self.stride.checked_mul(self.count);
        let size = data.and_then(|data| data.checked_add(self.data));
        size.filter(|&size| isize::try_from(size).is_ok()).ok_or(ErrorKind::Os(libc::EOVERFLOW))
    }

    fn all(&self) -> [usize; 5] {
        [self.record, self.count, self.data, self.text, self.stride]
    }

    fn read(site: &Site) -> Result<Self, ErrorKind> {
        let number = |at: usize| {
            let told = site.map.load_u64(site.offset + NUMBERS + at)?;
            Ok::<_, ErrorKind>(usize::try_from(told).unwrap_or(usize::MAX))
        };
        let [record, count, data, text, stride] = FIELDS;
        let (record, count, data) = (number(record)?, number(count)?, number(data)?);
        Ok(Self { record, count, data, text: number(text)?, stride: number(stride)? })
    }
}

/// How arrays, cells and directories are made and opened, where the defaults do not do.
///
/// ```
/// use unipc::record::{Array, Layout, Options};
/// # fn main() -> unipc::Result<()> {
/// # let name = format!("/doc-record-options-{}", std::process::id());
/// # let samples = Array::create(name.as_str(), &Layout::parse("d")?, 8)?;
/// let reader = Options::new().read_only(true).open_array(name.as_str(), None)?;
/// # Array::unlink(name.as_str())?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    pub(super) mode: Mode,
    pub(super) read_only: bool,
    pub(super) entries: Option<usize>,
    pub(super) timeout: Timeout,
}

impl Default for Options {
    fn default() -> Self {
        Self { mode: Mode::PRIVATE, read_only: false, entries: None, timeout: Timeout::Forever }
    }
}

impl Options {
    /// The defaults: for reading and writing, mode 0600.
    pub fn new() -> Self {
        Self::default()
    }

    /// When creating under a name: the permission bits, exact whatever the umask is.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// When opening: map for reading only, which needs no permission to write.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }
}

/// What a new object contains.
#[derive(Debug, Clone)]
struct Contents {
    numbers: Numbers,
    clear: usize,
    text: String,
}

impl Contents {
    fn write(&self, site: &Site) -> Result<(), ErrorKind> {
        for (at, number) in FIELDS.into_iter().zip(self.numbers.all()) {
            site.map.store_u64(site.offset + NUMBERS + at, number as u64)?;
        }
        if self.clear > 0 {
            site.map.fill(site.offset + self.numbers.data, self.clear, 0)?;
        }
        site.map.write_at(site.offset + TEXT, self.text.as_bytes())
    }
}

/// What a call is to find or make.
pub(super) struct Wanted<'a> {
    pub(super) kind: &'a Kind,
    pub(super) disposition: Disposition,
    pub(super) options: &'a Options,
    /// The layout, if one was declared; who creates does.
    pub(super) layout: Option<&'a Layout>,
    /// The numbers of a new object.
    pub(super) numbers: Numbers,
    /// So many bytes of its data are zeros at first.
    pub(super) clear: usize,
    /// So many bytes come behind its data.
    pub(super) behind: usize,
}

/// An object that was found or made.
pub(super) struct Found {
    pub(super) object: Object,
    pub(super) site: Site,
    pub(super) numbers: Numbers,
    /// All bytes of it, which are inside the mapping.
    pub(super) size: usize,
    /// The text behind the head.
    pub(super) text: String,
}

impl Wanted<'_> {
    pub(super) fn operation(&self) -> &'static str {
        self.kind.operation[self.disposition as usize]
    }

    /// Finds or makes it.
    pub(super) fn get<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
    ) -> Result<Found> {
        let place = place.try_into().map_err(Into::into)?;
        let label = place.to_string();
        self.find(&place, &label).map_err(|kind| place.failed(self.operation(), kind))
    }

    fn find(&self, place: &Place<'_>, label: &str) -> Result<Found, ErrorKind> {
        let bytes = self.numbers.size()?.checked_add(self.behind);
        let bytes = bytes.ok_or(ErrorKind::Os(libc::EOVERFLOW))?;
        if self.options.read_only && self.disposition != Disposition::Open {
            return Err(ErrorKind::invalid(
                "a new object cannot be read-only: nobody could fill it",
            ));
        }
        let Options { mode, read_only, .. } = *self.options;
        let extent = Extent { head: HEAD, lines: self.numbers.data / LINE, bytes };
        let text = self.layout.map(Layout::to_string).unwrap_or_default();
        let contents = Contents { numbers: self.numbers, clear: self.clear, text };
        let (kind, before) = (*self.kind, contents.clone());
        let publish = move |memory: &SharedMemory| {
            let unseen = Site::new(memory.view()?, 0);
            let create = Disposition::Create;
            kind.establish_with_data(&unseen, create, extent, |_| before.write(&unseen)).map(drop)
        };
        let site = place.reach_whole(self.disposition, mode, read_only, bytes, publish)?;
        let disposition = match self.disposition {
            // It was made before it had its name.
            Disposition::Create if place.is_published() => Disposition::Open,
            other => other,
        };
        let fill = |_: &_| contents.write(&site);
        let made = self.kind.establish_with_data(&site, disposition, extent, fill);
        let found = made.and_then(|(lines, whole)| Self::read(site.clone(), lines, whole, label));
        found.inspect_err(|_| place.withdraw(self.disposition))
    }

    /// What the head of an object says.
    fn read(site: Site, lines: Lines, whole: usize, label: &str) -> Result<Found, ErrorKind> {
        let numbers = Numbers::read(&site)?;
        let fits = numbers.data.is_multiple_of(LINE)
            && numbers.text <= numbers.data.saturating_sub(TEXT)
            && numbers.size().is_ok_and(|told| told <= whole);
        if !fits {
            return Err(ErrorKind::Layout("the numbers in its head contradict each other".into()));
        }
        let mut text = vec![0; numbers.text.min(super::layout::TEXT_MAX)];
        site.map.read_at(site.offset + TEXT, &mut text)?;
        let text = String::from_utf8(text)
            .map_err(|_| ErrorKind::Layout("its layout is no text".into()))?;
        let object = Object { lines, label: label.into() };
        Ok(Found { object, site, numbers, size: whole, text })
    }
}

impl Found {
    /// The layout of an array or a cell, which is that of `declared` if anything was declared.
    ///
    /// Errors: `EPROTO` when it differs, or is none.
    pub(super) fn layout(&self, declared: Option<&Layout>) -> Result<Layout, ErrorKind> {
        let stored = super::parse::parse(&self.text)
            .map_err(|why| ErrorKind::Layout(format!("its layout does not parse: {why}").into()))?;
        let Numbers { record, stride, .. } = self.numbers;
        if record != stored.size() || stride < record {
            let why = format!("its records have {record} bytes, its layout {}", stored.size());
            return Err(ErrorKind::Layout(why.into()));
        }
        if let Some(declared) = declared {
            declared.check(&stored)?;
        }
        Ok(stored)
    }
}
