//! Agreeing on the parameters (RFC 7692, sections 5 and 7.1).

use std::fmt::Write;

use http::HeaderValue;
use http::header::{HeaderMap, SEC_WEBSOCKET_EXTENSIONS};

use super::DeflateConfig;

/// The smallest and the largest window a parameter may name (RFC 7692, section 7.1.2).
const WINDOW_BITS: std::ops::RangeInclusive<u8> = 8..=15;

/// The smallest window that the compressor has.
const MIN_WINDOW_BITS: u8 = 9;

/// The parameters of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) server_window_bits: u8,
    pub(crate) server_context_takeover: bool,
    pub(crate) client_context_takeover: bool,
    pub(crate) level: u8,
    pub(crate) min_bytes: usize,
}

/// One `permessage-deflate` of the client's list.
#[derive(Debug, Default, PartialEq, Eq)]
struct Offer {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// 15 if the parameter has no value, which means "whatever you like".
    client_max_window_bits: Option<u8>,
}

/// The first offer that can be accepted, with the header that says so; `None` if there is none.
pub(crate) fn agree(headers: &HeaderMap, config: &DeflateConfig) -> Option<(Agreed, HeaderValue)> {
    headers
        .get_all(SEC_WEBSOCKET_EXTENSIONS)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(parse)
        .find_map(|offer| accept(&offer, config))
}

/// Reads an offer; anything that RFC 7692, section 7.1, does not allow makes it none.
fn parse(offer: &str) -> Option<Offer> {
    let mut parts = offer.split(';').map(str::trim);
    if parts.next() != Some("permessage-deflate") {
        return None;
    }
    let mut parsed = Offer::default();
    for part in parts {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(unquote(value.trim_start()))),
            None => (part, None),
        };
        let fresh = match (name, value) {
            ("server_no_context_takeover", None) => {
                !std::mem::replace(&mut parsed.server_no_context_takeover, true)
            }
            ("client_no_context_takeover", None) => {
                !std::mem::replace(&mut parsed.client_no_context_takeover, true)
            }
            ("server_max_window_bits", Some(bits)) => parsed
                .server_max_window_bits
                .replace(window_bits(bits)?)
                .is_none(),
            ("client_max_window_bits", None) => parsed.client_max_window_bits.replace(15).is_none(),
            ("client_max_window_bits", Some(bits)) => parsed
                .client_max_window_bits
                .replace(window_bits(bits)?)
                .is_none(),
            _ => false,
        };
        if !fresh {
            return None;
        }
    }
    Some(parsed)
}

fn unquote(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value)
}

/// A number without leading zeros, 8 to 15.
fn window_bits(value: &str) -> Option<u8> {
    let bits = value
        .parse()
        .ok()
        .filter(|bits| WINDOW_BITS.contains(bits))?;
    (value.as_bytes()[0].is_ascii_digit() && !value.starts_with('0')).then_some(bits)
}

fn accept(offer: &Offer, config: &DeflateConfig) -> Option<(Agreed, HeaderValue)> {
    let clamp = |bits: u8| bits.clamp(MIN_WINDOW_BITS, *WINDOW_BITS.end());
    let server_bits = match offer.server_max_window_bits {
        // A window of 8 bits cannot be promised, since the compressor has none.
        Some(bits) if bits < MIN_WINDOW_BITS => return None,
        Some(bits) => bits.min(clamp(config.server_max_window_bits)),
        None => clamp(config.server_max_window_bits),
    };
    let client_limit = clamp(config.client_max_window_bits);
    let client_bits = match offer.client_max_window_bits {
        Some(offered) => offered.min(client_limit),
        // A client that does not offer it cannot be asked for a smaller window.
        None if client_limit < 15 => return None,
        None => 15,
    };
    let agreed = Agreed {
        server_window_bits: server_bits,
        server_context_takeover: config.server_context_takeover
            && !offer.server_no_context_takeover,
        client_context_takeover: config.client_context_takeover
            && !offer.client_no_context_takeover,
        level: config.level.min(9),
        min_bytes: config.min_bytes,
    };
    let mut header = String::from("permessage-deflate");
    if !agreed.server_context_takeover {
        header.push_str("; server_no_context_takeover");
    }
    if !agreed.client_context_takeover {
        header.push_str("; client_no_context_takeover");
    }
    if server_bits < 15 || offer.server_max_window_bits.is_some() {
        write!(header, "; server_max_window_bits={server_bits}").expect("a String takes it all");
    }
    if client_bits < 15 {
        write!(header, "; client_max_window_bits={client_bits}").expect("a String takes it all");
    }
    let header = HeaderValue::from_str(&header).expect("names and numbers only");
    Some((agreed, header))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer_with(config: &DeflateConfig, offer: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, offer.parse().unwrap());
        let (_, header) = agree(&headers, config)?;
        Some(header.to_str().unwrap().to_owned())
    }

    fn answer(offer: &str) -> Option<String> {
        let config = DeflateConfig {
            server_context_takeover: true,
            client_context_takeover: true,
            ..DeflateConfig::default()
        };
        answer_with(&config, offer)
    }

    #[test]
    fn each_parameter_that_is_offered_is_answered() {
        for (offer, expected) in [
            ("permessage-deflate", "permessage-deflate"),
            (
                "permessage-deflate; client_max_window_bits",
                "permessage-deflate",
            ),
            (
                "permessage-deflate; client_max_window_bits=10",
                "permessage-deflate; client_max_window_bits=10",
            ),
            (
                "permessage-deflate; server_max_window_bits=\"10\"",
                "permessage-deflate; server_max_window_bits=10",
            ),
            (
                "permessage-deflate; server_max_window_bits=15",
                "permessage-deflate; server_max_window_bits=15",
            ),
            (
                "permessage-deflate;server_no_context_takeover ; client_no_context_takeover",
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            ),
        ] {
            assert_eq!(answer(offer).as_deref(), Some(expected), "{offer}");
        }
    }

    #[test]
    fn without_context_takeover_both_sides_are_told_so() {
        assert_eq!(
            answer_with(&DeflateConfig::default(), "permessage-deflate").unwrap(),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        );
    }

    #[test]
    fn smaller_windows_are_asked_of_clients_that_know_how() {
        let config = DeflateConfig {
            server_max_window_bits: 11,
            client_max_window_bits: 10,
            server_context_takeover: true,
            client_context_takeover: true,
            ..DeflateConfig::default()
        };
        assert_eq!(
            answer_with(&config, "permessage-deflate; client_max_window_bits").unwrap(),
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=10"
        );
        assert_eq!(answer_with(&config, "permessage-deflate"), None);
    }

    #[test]
    fn the_first_acceptable_offer_is_taken() {
        let offers = "x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=8, \
                      permessage-deflate; unknown, permessage-deflate; server_max_window_bits=12";
        assert_eq!(
            answer(offers).unwrap(),
            "permessage-deflate; server_max_window_bits=12"
        );
    }

    #[test]
    fn wrong_offers_are_declined() {
        for offer in [
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=010",
            "permessage-deflate; server_max_window_bits=+10",
            "permessage-deflate; client_max_window_bits=x",
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate;",
            "permessage-bzip2",
            "",
        ] {
            assert_eq!(answer(offer), None, "{offer}");
        }
    }
}
