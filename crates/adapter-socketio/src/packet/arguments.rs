//! The JSON array of an event or an ack, split but not decoded.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use nest_gateway_core::json::Scanner;
use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Text;
use super::decode::PacketError;

/// What came with an event or an ack: JSON values, and the attachments that
/// placeholders in them stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    values: Vec<Bytes>,
    attachments: Vec<Bytes>,
}

impl Arguments {
    /// The values as they were received, one slice each.
    pub fn values(&self) -> &[Bytes] {
        &self.values
    }

    /// The binary messages that followed the packet, in the order of their numbers.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// The attachment, when the value at `index` is nothing but a placeholder.
    pub fn binary(&self, index: usize) -> Option<&Bytes> {
        let placeholder = lone_placeholder(self.values.get(index)?)?;
        self.attachments.get(placeholder)
    }

    /// The values and the attachments.
    pub(crate) fn into_parts(self) -> (Vec<Bytes>, Vec<Bytes>) {
        (self.values, self.attachments)
    }

    pub(super) fn attach(&mut self, attachments: Vec<Bytes>) {
        self.attachments = attachments;
    }

    /// Splits `[event, ...values]`. The event must be a string.
    pub(super) fn split_event(array: &Bytes) -> Result<(Text, Self), PacketError> {
        if let Some((name, values)) = scan_event(array) {
            let event = Text::new(array.slice_ref(name)).ok_or(PacketError::InvalidEvent)?;
            return Ok((event, Self::of(values)));
        }
        let mut values = split_values(array)?;
        if values.is_empty() {
            return Err(PacketError::InvalidEvent);
        }
        let event = event_name(&values.remove(0))?;
        Ok((event, Self::of(values)))
    }

    /// Splits an event whose attachments are there already.
    #[cfg(feature = "socketioxide")]
    pub(crate) fn with_attachments(
        array: &Bytes,
        attachments: Vec<Bytes>,
    ) -> Result<(Text, Self), PacketError> {
        if !attachments.is_empty() {
            check_placeholders(array, attachments.len())?;
        }
        let (event, mut arguments) = Self::split_event(array)?;
        arguments.attach(attachments);
        Ok((event, arguments))
    }

    /// Splits `[...values]`.
    pub(super) fn split(array: &Bytes) -> Result<Self, PacketError> {
        split_values(array).map(Self::of)
    }

    fn of(values: Vec<Bytes>) -> Self {
        Self {
            values,
            attachments: Vec::new(),
        }
    }
}

/// The name of an event, where it has no escapes, and the values behind it.
fn scan_event(array: &Bytes) -> Option<(&[u8], Vec<Bytes>)> {
    let mut json = Scanner::new(array);
    json.expect(b'[')?;
    let name = json.plain_string()?;
    // Mostly one.
    let mut values = Vec::with_capacity(1);
    scan_rest(json, array, &mut values)?;
    Some((name, values))
}

/// The values behind the first one, and the end of the array.
fn scan_rest(mut json: Scanner<'_>, array: &Bytes, values: &mut Vec<Bytes>) -> Option<()> {
    loop {
        match json.token()? {
            b',' => values.push(array.slice_ref(json.value()?)),
            b']' => return json.end(),
            _ => return None,
        }
    }
}

/// The values of an array, as slices of it.
fn split_values(array: &Bytes) -> Result<Vec<Bytes>, PacketError> {
    if let Some(values) = scan_values(array) {
        return Ok(values);
    }
    let values: Vec<&RawValue> =
        serde_json::from_slice(array).map_err(|_| PacketError::InvalidPayload)?;
    let slice = |value: &RawValue| array.slice_ref(value.get().as_bytes());
    Ok(values.into_iter().map(slice).collect())
}

/// What is nested too deep for the scanner is `None`, as what is broken.
fn scan_values(array: &Bytes) -> Option<Vec<Bytes>> {
    let mut json = Scanner::new(array);
    json.expect(b'[')?;
    let mut values = Vec::new();
    if json.peek()? != b']' {
        values.push(array.slice_ref(json.value()?));
    }
    scan_rest(json, array, &mut values)?;
    Some(values)
}

/// What a JSON string says.
fn event_name(json: &[u8]) -> Result<Text, PacketError> {
    let text = std::str::from_utf8(json).map_err(|_| PacketError::InvalidEvent)?;
    let name = serde_json::from_str(text).map_err(|_| PacketError::InvalidEvent)?;
    Ok(Text(Bytes::from(String::into_bytes(name))))
}

/// The number of the attachment that `value` stands for, when it is a placeholder.
fn lone_placeholder(value: &[u8]) -> Option<usize> {
    #[derive(serde::Deserialize)]
    struct Placeholder {
        #[serde(rename = "_placeholder")]
        is_placeholder: bool,
        num: usize,
    }
    if value.first() != Some(&b'{') {
        return None;
    }
    let placeholder: Placeholder = serde_json::from_slice(value).ok()?;
    placeholder.is_placeholder.then_some(placeholder.num)
}

/// Checks that every placeholder in `array` names one of `count` attachments. The
/// depth of the recursion is bounded by serde_json (128).
pub(super) fn check_placeholders(array: &[u8], count: usize) -> Result<(), PacketError> {
    let mut reader = serde_json::Deserializer::from_slice(array);
    reader
        .deserialize_seq(Placeholders { count })
        .and_then(|()| reader.end())
        .map_err(|_| PacketError::InvalidPlaceholder)
}

#[derive(Clone, Copy)]
struct Placeholders {
    count: usize,
}

impl<'de> serde::de::DeserializeSeed<'de> for Placeholders {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Placeholders {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON whose placeholders name attachments")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        use serde::de::Error;
        let mut is_placeholder = false;
        let mut number: Option<&RawValue> = None;
        while let Some(key) = entries.next_key::<Cow<'de, str>>()? {
            match &*key {
                "_placeholder" => {
                    let flag: &RawValue = entries.next_value()?;
                    is_placeholder = flag.get() == "true";
                }
                "num" => number = Some(entries.next_value()?),
                _ => entries.next_value_seed(self)?,
            }
        }
        // A `num` that belongs to no placeholder is data like any other.
        let number = number.map(RawValue::get);
        if is_placeholder {
            let number = number.and_then(|number| number.parse::<usize>().ok());
            if number.is_none_or(|number| number >= self.count) {
                return Err(A::Error::custom("no such attachment"));
            }
        } else if let Some(number) = number {
            let mut reader = serde_json::Deserializer::from_str(number);
            reader.deserialize_any(self).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    #[test]
    fn an_event_is_split_into_its_name_and_slices_of_its_values() {
        let array = bytes(r#"["message", 1,"2" , {"3":[true]} ]"#);
        let (event, arguments) = Arguments::split_event(&array).unwrap();
        assert_eq!(event.as_str(), "message");
        assert_eq!(
            arguments.values(),
            [&b"1"[..], br#""2""#, br#"{"3":[true]}"#]
        );
        let range = array.as_ptr_range();
        assert!(range.contains(&arguments.values()[2].as_ptr()));
        assert!(range.contains(&event.as_bytes().as_ptr()));
    }

    #[test]
    fn an_escaped_event_name_is_unescaped() {
        let (event, arguments) = Arguments::split_event(&bytes(r#"["a\"\u00e9\n"]"#)).unwrap();
        assert_eq!(event.as_str(), "a\"é\n");
        assert!(arguments.values().is_empty());
    }

    #[test]
    fn an_event_without_a_string_for_a_name_is_refused() {
        for array in ["[]", "[1]", "[null,1]", "[[\"a\"]]", "[{}]", "[true]"] {
            assert_eq!(
                Arguments::split_event(&bytes(array)),
                Err(PacketError::InvalidEvent),
                "{array}"
            );
        }
    }

    #[test]
    fn what_is_not_an_array_of_json_is_refused() {
        for array in [
            "",
            "{}",
            "\"a\"",
            "[1",
            "[1]]",
            "[1,]",
            "[01]",
            "['a']",
            "[\"a\x01\"]",
            "nul",
            "[1]x",
        ] {
            assert_eq!(
                Arguments::split(&bytes(array)),
                Err(PacketError::InvalidPayload),
                "{array}"
            );
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Arguments::split(&bytes(&deep)).is_ok());
    }

    #[test]
    fn a_value_that_is_a_placeholder_is_its_attachment() {
        let array = bytes(r#"[{"_placeholder":true,"num":1},{"_placeholder":false,"num":0},7]"#);
        let attachments = vec![Bytes::from_static(b"a"), Bytes::from_static(b"b")];
        let mut arguments = Arguments::split(&array).unwrap();
        arguments.attach(attachments);
        assert_eq!(arguments.binary(0), Some(&Bytes::from_static(b"b")));
        assert_eq!(arguments.binary(1), None);
        assert_eq!(arguments.binary(2), None);
        assert_eq!(arguments.binary(3), None);
    }

    #[test]
    fn placeholders_must_name_an_attachment() {
        let check = |json: &str| check_placeholders(json.as_bytes(), 2);
        for json in [
            r#"["e",{"_placeholder":true,"num":0},{"a":[{"num":1,"_placeholder":true}]}]"#,
            r#"["e",{"_placeholder":false,"num":9},{"num":9},{"num":{"a":1}}]"#,
            r#"["e",{"_placeholder":"true","num":9}]"#,
            r#"["e",1,-1,1.5,"x",null,true]"#,
        ] {
            assert_eq!(check(json), Ok(()), "{json}");
        }
        for json in [
            r#"["e",{"_placeholder":true,"num":2}]"#,
            r#"["e",{"_placeholder":true,"num":-1}]"#,
            r#"["e",{"_placeholder":true,"num":0.5}]"#,
            r#"["e",{"_placeholder":true,"num":"0"}]"#,
            r#"["e",{"_placeholder":true,"num":"splice"}]"#,
            r#"["e",{"_placeholder":true}]"#,
            r#"["e",{"deep":[[{"_placeholder":true,"num":99}]]}]"#,
            r#"["e",{"num":{"_placeholder":true,"num":5}}]"#,
            r#"["e",{"_placeholder":true,"num":18446744073709551616}]"#,
        ] {
            assert_eq!(check(json), Err(PacketError::InvalidPlaceholder), "{json}");
        }
        for json in ["{}", "", "[1]x", "1", "[", "[{\"num\":}]"] {
            assert_eq!(check(json), Err(PacketError::InvalidPlaceholder), "{json}");
        }
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        assert_eq!(check(&deep), Err(PacketError::InvalidPlaceholder));
    }
}
