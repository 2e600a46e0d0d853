//! An address as a few characters of text.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Appends the bytes of an address in base64: eight characters for one of IPv4, which is shorter than
/// the usual notation and made in fewer instructions.
pub(super) fn append(text: &mut String, address: SocketAddr) {
    let port = address.port().to_be_bytes();
    match address {
        SocketAddr::V4(address) => {
            let bytes = [&address.ip().octets()[..], &port].concat();
            STANDARD_NO_PAD.encode_string(bytes, text);
        }
        SocketAddr::V6(address) => {
            let flow = address.flowinfo().to_be_bytes();
            let scope = address.scope_id().to_be_bytes();
            let bytes = [&address.ip().octets()[..], &port, &flow, &scope].concat();
            STANDARD_NO_PAD.encode_string(bytes, text);
        }
    }
}

/// Reads back what was appended.
pub(super) fn read(text: &str) -> Option<SocketAddr> {
    let bytes = STANDARD_NO_PAD.decode(text).ok()?;
    if let Ok([a, b, c, d, port @ ..]) = <[u8; 6]>::try_from(&*bytes) {
        let ip = Ipv4Addr::new(a, b, c, d);
        return Some(SocketAddrV4::new(ip, u16::from_be_bytes(port)).into());
    }
    let (ip, rest) = bytes.split_first_chunk::<16>()?;
    let (port, rest) = rest.split_first_chunk()?;
    let (flow, rest) = rest.split_first_chunk()?;
    let scope = rest.try_into().ok()?;
    let address = SocketAddrV6::new(
        Ipv6Addr::from(*ip),
        u16::from_be_bytes(*port),
        u32::from_be_bytes(*flow),
        u32::from_be_bytes(scope),
    );
    Some(address.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_back_as_it_was() {
        let v6 = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 65_535, 1 << 20, 3);
        for address in [([127, 0, 0, 1], 80).into(), v6.into()] {
            let mut text = String::new();
            append(&mut text, address);
            assert_eq!(read(&text), Some(address), "{text}");
        }
        assert_eq!(read(""), None);
        assert_eq!(read("AAAA"), None);
    }
}
