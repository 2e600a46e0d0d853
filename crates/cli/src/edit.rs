//! Edits of files that people wrote: text is inserted where the parsed file
//! says, and nothing else is touched.

pub(crate) mod manifest;
pub(crate) mod module_attribute;
pub(crate) mod module_line;
mod source;
pub(crate) mod use_line;
mod wide_lists;

pub(crate) use self::source::Source;
