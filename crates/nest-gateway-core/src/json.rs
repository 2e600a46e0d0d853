//! Finds the parts of JSON text without decoding them, and writes strings.
//!
//! An adapter takes the envelope of every message apart, and leaves its data
//! as it came. `serde_json` does that too, with `RawValue`, and says what is
//! wrong where something is. A [`Scanner`] only says that it found no whole
//! value, looks at strings sixteen bytes at a time, and takes a fourth of the
//! instructions. So it comes first, and what it does not read goes to
//! `serde_json`.

/// Reads JSON (RFC 8259) from its start, one part after the other.
///
/// Everything is `None` when the next part is not there, is broken, or is
/// nested deeper than 127 levels; the scanner is then of no further use.
///
/// It looks at the grammar, and not whether the text is UTF-8: slices of text
/// that was checked are text.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

/// Deepest nesting that is read, as in `serde_json`.
const MAX_DEPTH: u32 = 127;

/// How many bytes of a string are looked at together: a vector register.
const BLOCK: usize = 16;

/// And of a long one: four of them, since what is found in a register takes as
/// long to get out of it as to find it in three.
const LONG_BLOCK: usize = 4 * BLOCK;

impl<'a> Scanner<'a> {
    /// At the start of a text.
    #[must_use]
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is not white space, which stays unread.
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                &byte => return Some(byte),
            }
        }
    }

    /// The next byte that is not white space, which is read.
    pub fn token(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Reads this byte, and white space in front of it.
    pub fn expect(&mut self, byte: u8) -> Option<()> {
        (self.token()? == byte).then_some(())
    }

    /// Reads exactly this, or nothing.
    pub fn literal<const N: usize>(&mut self, text: &[u8; N]) -> bool {
        let is_here = self.text[self.at..].starts_with(text);
        if is_here {
            self.at += N;
        }
        is_here
    }

    /// Nothing but white space is left.
    pub fn end(&mut self) -> Option<()> {
        self.peek().is_none().then_some(())
    }

    /// Reads a string without escapes, and gives what is between its quotes.
    pub fn plain_string(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let start = self.at;
        self.at += plain_len(&self.text[start..]);
        let plain = &self.text[start..self.at];
        self.expect_here(b'"')?;
        Some(plain)
    }

    /// Reads a value of any kind, and gives its text without white space
    /// around it.
    pub fn value(&mut self) -> Option<&'a [u8]> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'{' | b'[' => self.skip_nested()?,
            _ => self.skip_scalar()?,
        }
        Some(&self.text[start..self.at])
    }

    fn expect_here(&mut self, byte: u8) -> Option<()> {
        let found = *self.text.get(self.at)?;
        self.at += 1;
        (found == byte).then_some(())
    }

    /// An object or array with all that is in it. What encloses the place at
    /// hand is kept as bits, one for each level: set for objects.
    fn skip_nested(&mut self) -> Option<()> {
        let mut objects: u128 = 0;
        let mut depth: u32 = 0;
        loop {
            // In front of a value.
            match self.peek()? {
                opening @ (b'{' | b'[') => {
                    self.at += 1;
                    if depth == MAX_DEPTH {
                        return None;
                    }
                    depth += 1;
                    objects = objects << 1 | u128::from(opening == b'{');
                    let closing = if opening == b'{' { b'}' } else { b']' };
                    if self.peek()? != closing {
                        self.skip_key(objects)?;
                        continue;
                    }
                }
                _ => self.skip_scalar()?,
            }
            // Behind a value, or in front of the end of an empty one.
            loop {
                let in_object = objects & 1 == 1;
                match self.token()? {
                    b',' => {
                        self.skip_key(objects)?;
                        break;
                    }
                    b'}' if in_object => {}
                    b']' if !in_object => {}
                    _ => return None,
                }
                objects >>= 1;
                depth -= 1;
                if depth == 0 {
                    return Some(());
                }
            }
        }
    }

    /// The key that a value in an object has.
    fn skip_key(&mut self, objects: u128) -> Option<()> {
        if objects & 1 == 0 {
            return Some(());
        }
        if self.peek()? != b'"' {
            return None;
        }
        self.skip_string()?;
        self.expect(b':')
    }

    /// A string, number or name.
    fn skip_scalar(&mut self) -> Option<()> {
        match self.text.get(self.at)? {
            b'"' => self.skip_string(),
            b't' => self.skip_name(b"true"),
            b'f' => self.skip_name(b"false"),
            b'n' => self.skip_name(b"null"),
            _ => self.skip_number(),
        }
    }

    fn skip_name(&mut self, name: &[u8]) -> Option<()> {
        let found = self.text.get(self.at..self.at + name.len())?;
        self.at += name.len();
        (found == name).then_some(())
    }

    fn skip_string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            self.at += plain_len(&self.text[self.at..]);
            match self.text.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.skip_escape()?,
                // A control character.
                _ => return None,
            }
        }
    }

    fn skip_escape(&mut self) -> Option<()> {
        match self.text.get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let digits = self.text.get(self.at + 2..self.at + 6)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                self.at += 6;
            }
            _ => return None,
        }
        Some(())
    }

    fn skip_number(&mut self) -> Option<()> {
        if self.text.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        match self.text.get(self.at)? {
            b'0' => self.at += 1,
            _ => self.skip_digits()?,
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.skip_digits()?;
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.get(self.at) {
                self.at += 1;
            }
            self.skip_digits()?;
        }
        Some(())
    }

    /// At least one.
    fn skip_digits(&mut self) -> Option<()> {
        let digits = self.text[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.at += digits;
        (digits > 0).then_some(())
    }
}

/// Appends a string with its quotes. One that needs no escapes, as names of
/// events do not, is copied.
pub fn write_string(text: &str, buffer: &mut Vec<u8>) {
    if plain_len(text.as_bytes()) == text.len() {
        buffer.reserve(text.len() + 2);
        buffer.push(b'"');
        buffer.extend_from_slice(text.as_bytes());
        buffer.push(b'"');
    } else {
        serde_json::to_writer(buffer, text).expect("a string can be written to memory");
    }
}

/// How many bytes at the start of a string's text stand for themselves: no
/// quote, no backslash, no control character.
#[inline]
fn plain_len(text: &[u8]) -> usize {
    // Keys and names of events end in the first word.
    match text.first_chunk() {
        Some(word) => plain_end(*word).unwrap_or_else(|| long_plain_len(text)),
        None => text.iter().take_while(|&&byte| !ends_plain(byte)).count(),
    }
}

/// [`plain_len`] of text that is longer than a word.
#[inline(never)]
fn long_plain_len(text: &[u8]) -> usize {
    let mut plain = plain_blocks::<LONG_BLOCK>(text);
    plain += plain_blocks::<BLOCK>(&text[plain..]);
    let (words, rest) = text[plain..].as_chunks();
    for word in words {
        match plain_end(*word) {
            Some(end) => return plain + end,
            None => plain += word.len(),
        }
    }
    let rest = rest.iter();
    plain + rest.take_while(|&&byte| !ends_plain(byte)).count()
}

/// Where the first byte is that does not stand for itself.
///
/// Each subtraction sets the highest bit of the bytes that it makes negative.
/// What they borrow can set it in further ones, but only behind the first.
fn plain_end(word: [u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHEST: u64 = ONES << 7;
    let word = u64::from_le_bytes(word);
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let ends = (below(word, b' ') | is(b'"') | is(b'\\')) & HIGHEST;
    (ends != 0).then(|| ends.trailing_zeros() as usize / 8)
}

/// How many bytes at the start are whole blocks that stand for themselves.
fn plain_blocks<const N: usize>(text: &[u8]) -> usize {
    let (blocks, _) = text.as_chunks::<N>();
    blocks.iter().take_while(|block| is_plain(block)).count() * N
}

/// Without a branch for each byte, so that the compiler makes vectors of it.
fn is_plain<const N: usize>(block: &[u8; N]) -> bool {
    let ends = |any, &byte| any | u8::from(ends_plain(byte));
    block.iter().fold(0, ends) == 0
}

#[expect(
    clippy::needless_bitwise_bool,
    reason = "a lazy operator would be a branch for each byte"
)]
fn ends_plain(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < b' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// What `serde_json` makes of the same text.
    fn oracle(text: &str) -> Option<&str> {
        let raw: &RawValue = serde_json::from_str(text).ok()?;
        Some(raw.get())
    }

    fn scanned(text: &str) -> Option<&[u8]> {
        let mut scanner = Scanner::new(text.as_bytes());
        let value = scanner.value()?;
        scanner.end()?;
        Some(value)
    }

    #[test]
    fn a_literal_is_read_where_it_stands_and_nowhere_else() {
        let mut json = Scanner::new(br#"{"event":"a""#);
        assert!(!json.literal(br#""event":"#));
        assert_eq!(json.token(), Some(b'{'));
        assert!(!json.literal(br#""event":"a"}"#));
        assert!(json.literal(br#""event":"#));
        assert_eq!(json.plain_string(), Some(&b"a"[..]));
        assert!(!json.literal(b"}"));
    }

    #[test]
    fn values_are_found_and_broken_ones_are_not() {
        for text in [
            "0",
            "-0",
            "01",
            "1.",
            "1.5",
            ".5",
            "-",
            "1e",
            "1e5",
            "1E+5",
            "1e-",
            "+1",
            "0x1",
            "1 2",
            "true",
            "tru",
            "truex",
            "null",
            "nul",
            "false",
            "\"\"",
            "\"",
            "\"a",
            "\"a\"b",
            "\"\\\"\"",
            "\"\\\\\"",
            "\"\\",
            "\"\\x\"",
            "\"\\u00e9\"",
            "\"\\u00g9\"",
            "\"\\u00\"",
            "\"\\ud800\"",
            "\"\u{1}\"",
            "\"a line\nbreak\"",
            "\"sixteen bytes !!\"",
            "\"fifteen bytes !\"",
            "\"more than sixteen bytes, \\n and more\"",
            "\"é\"",
            "[]",
            "[",
            "]",
            "[1",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1,2]",
            " [ 1 , 2 ] ",
            "[1}",
            "{}",
            "{",
            "{1:2}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1}",
            "{\"a\":1,}",
            "{\"a\":1,\"b\":[{},{\"c\":null}]}",
            "{\"a\":1]",
            "{\"a\" 1}",
            "{\"a\":1}{}",
            "{\"a\"::1}",
            "{'a':1}",
            "",
            " ",
            "[[[[[]]]]]",
            "[[[[[]]]]",
        ] {
            assert_eq!(scanned(text), oracle(text).map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_left_to_others() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(scanned(&nested(127)).is_some());
        assert!(scanned(&nested(128)).is_none());
        let objects = format!("{}1{}", "{\"a\":".repeat(127), "}".repeat(127));
        assert!(scanned(&objects).is_some());
    }

    #[test]
    fn every_byte_at_every_place_ends_plain_text_or_does_not() {
        for at in 0..140 {
            for byte in 0..=u8::MAX {
                let mut text = [b'a'; 140];
                text[at] = byte;
                let expected = if ends_plain(byte) { at } else { text.len() };
                assert_eq!(plain_len(&text), expected, "{byte} at {at}");
                assert_eq!(
                    plain_len(&text[..=at]),
                    expected.min(at + 1),
                    "{byte} at the end, {at}"
                );
            }
        }
    }

    #[test]
    fn an_object_can_be_read_part_by_part() {
        let mut scanner = Scanner::new(br#" {"a" : [1] ,"b":"x"} "#);
        assert_eq!(scanner.expect(b'{'), Some(()));
        assert_eq!(scanner.plain_string(), Some(&b"a"[..]));
        assert_eq!(scanner.expect(b':'), Some(()));
        assert_eq!(scanner.value(), Some(&b"[1]"[..]));
        assert_eq!(scanner.token(), Some(b','));
        assert_eq!(scanner.plain_string(), Some(&b"b"[..]));
        assert_eq!(scanner.expect(b':'), Some(()));
        assert_eq!(scanner.value(), Some(&br#""x""#[..]));
        assert_eq!(scanner.token(), Some(b'}'));
        assert_eq!(scanner.end(), Some(()));
    }

    #[test]
    fn a_string_with_escapes_is_no_plain_one() {
        assert_eq!(Scanner::new(br#""a\n""#).plain_string(), None);
        assert_eq!(Scanner::new(b"7").plain_string(), None);
    }

    #[test]
    fn strings_are_written_as_serde_json_writes_them() {
        for text in [
            "",
            "message",
            "a longer name of an event",
            "a\"b",
            "a\\",
            "\n",
            "\u{1}",
            "\u{7f}é",
        ] {
            let mut buffer = Vec::new();
            write_string(text, &mut buffer);
            let expected = serde_json::to_vec(text).expect("encodes");
            assert_eq!(buffer, expected, "{text}");
        }
    }

    /// Text that is JSON in most places.
    fn nearly_json() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null".to_owned()),
            any::<i64>().prop_map(|n| n.to_string()),
            any::<f64>().prop_map(|n| serde_json::to_string(&n).expect("a number")),
            any::<String>().prop_map(|s| serde_json::to_string(&s).expect("a string")),
        ];
        let value = scalar.prop_recursive(6, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6)
                    .prop_map(|v| format!("[{}]", v.join(" ,"))),
                prop::collection::vec(inner, 0..6)
                    .prop_map(|v| v.iter().map(|v| format!("\"k\":{v}")).collect::<Vec<_>>())
                    .prop_map(|v| format!("{{{}}}", v.join(", "))),
            ]
        });
        let slip = (any::<prop::sample::Index>(), prop::sample::select(SLIPS));
        (value, prop::option::of(slip)).prop_map(|(mut text, slip)| {
            if let Some((at, slip)) = slip {
                let places: Vec<_> = text.char_indices().collect();
                let (start, former) = places[at.index(places.len())];
                text.replace_range(start..start + former.len_utf8(), slip);
            }
            text
        })
    }

    /// What is put in the place of one character.
    const SLIPS: &[&str] = &[
        "", "\"", "\\", "{", "}", "[", "]", ",", ":", " ", "-", ".", "e", "0", "\n", "\u{0}", "u",
        "é",
    ];

    proptest! {
        #[test]
        fn it_finds_what_serde_json_finds(text in nearly_json()) {
            prop_assert_eq!(scanned(&text), oracle(&text).map(str::as_bytes));
        }
    }
}
