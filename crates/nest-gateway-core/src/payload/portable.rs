//! JSON that every peer can read.
//!
//! A body can go from one client to others without being decoded. JSON's
//! grammar allows text that a strict reader refuses all the same: half a
//! surrogate pair, numbers beyond every float, nesting without end. One client
//! must not be able to break others with them.

use memchr::memchr2;

use super::Problem;

/// Deepest nesting, that of `serde_json`.
const MAX_DEPTH: usize = 127;

/// Looks over one JSON value whose grammar was checked before.
pub(super) fn check(json: &[u8]) -> Result<(), Problem> {
    let mut depth: usize = 0;
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        at = match byte {
            b'"' => check_string(json, at + 1)?,
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Problem::Depth);
                }
                at + 1
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                at + 1
            }
            b'-' | b'0'..=b'9' => check_number(json, at)?,
            _ => at + 1,
        };
    }
    Ok(())
}

/// Returns the place behind the closing quote.
fn check_string(json: &[u8], mut at: usize) -> Result<usize, Problem> {
    loop {
        at += memchr2(b'"', b'\\', &json[at..]).ok_or(Problem::Syntax)?;
        if json[at] == b'"' {
            return Ok(at + 1);
        }
        at = match unit(json, at) {
            None => at + 2,
            Some(0xd800..=0xdbff) => match unit(json, at + 6) {
                Some(0xdc00..=0xdfff) => at + 12,
                _ => return Err(Problem::Syntax),
            },
            Some(0xdc00..=0xdfff) => return Err(Problem::Syntax),
            Some(_) => at + 6,
        };
        if at > json.len() {
            return Err(Problem::Syntax);
        }
    }
}

/// The UTF-16 unit of a `\u` escape at this place, if there is one.
fn unit(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Returns the place behind the number.
fn check_number(json: &[u8], at: usize) -> Result<usize, Problem> {
    let length = json[at..]
        .iter()
        .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
        .unwrap_or(json.len() - at);
    let number = &json[at..at + length];
    // Without an exponent it takes more than 300 digits to leave the floats.
    if length > 300 || number.iter().any(|byte| matches!(byte, b'e' | b'E')) {
        let text = std::str::from_utf8(number).map_err(|_| Problem::Syntax)?;
        let float: f64 = text.parse().map_err(|_| Problem::Syntax)?;
        if float.is_infinite() {
            return Err(Problem::InvalidValue);
        }
    }
    Ok(at + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_allows_and_readers_take_passes() {
        let deepest = format!("{}{}", "[".repeat(127), "]".repeat(127));
        for json in [
            "null",
            "true",
            "-0.5e-7",
            "1e308",
            r#""""#,
            r#""\\""#,
            r#""\"\u0041\n""#,
            r#""\ud83d\ude00""#,
            r#"{"a\\":[1,{"b":"]}"}]}"#,
            &deepest,
        ] {
            assert_eq!(check(json.as_bytes()), Ok(()), "{json}");
        }
    }

    #[test]
    fn what_a_strict_reader_refuses_is_named() {
        let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
        let digits = "9".repeat(400);
        for (json, problem) in [
            (r#""\ud800""#, Problem::Syntax),
            (r#""\udc00""#, Problem::Syntax),
            (r#""\ud800\u0041""#, Problem::Syntax),
            (r#"{"k":["\ud800x"]}"#, Problem::Syntax),
            (r#"{"\udfff":1}"#, Problem::Syntax),
            ("1e999", Problem::InvalidValue),
            ("[0,-1E400]", Problem::InvalidValue),
            (&digits, Problem::InvalidValue),
            (&deep, Problem::Depth),
        ] {
            assert_eq!(check(json.as_bytes()), Err(problem), "{json}");
        }
    }
}
