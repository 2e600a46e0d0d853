//! Which hosts a request may be sent to.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Longest name of a domain in bytes (RFC 1035, section 2.3.4), without the
/// dot at its end.
const MAX_DOMAIN_BYTES: usize = 253;

/// The ports that clients leave out of `Host` (RFC 9110, section 7.2).
const DEFAULT_PORTS: [u16; 2] = [80, 443];

/// By which names clients may call the server.
///
/// It closes what [`OriginPolicy::SameHost`](super::OriginPolicy::SameHost)
/// cannot see: the owner of `attacker.example` lets that name lead to this
/// server's address (DNS rebinding), and the browser of a visitor then sends
/// the same name as `Origin` and as `Host`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AllowedHosts {
    /// Every name, and requests without one. Default: only who runs the server
    /// knows the names that lead to it.
    #[default]
    Any,
    /// One of these; others are refused with 421 (RFC 9110, section 15.5.20).
    ///
    /// - `chat.example`: this name at any port, without regard to case or to a
    ///   dot at its end;
    /// - `chat.example:8443`: this name at this port. A request without a port
    ///   is one to 80 or 443;
    /// - `*.chat.example`: every name below `chat.example`, and not
    ///   `chat.example` itself;
    /// - `192.0.2.1`, `[2001:db8::1]`: an address, in brackets when it is IPv6.
    ///
    /// Another form, and an empty list, stop the start-up.
    Only(Vec<String>),
}

impl AllowedHosts {
    /// Whether a request may be sent to this host: the authority of its target
    /// or its `Host` header, and `None` when it has none.
    #[must_use]
    pub fn permits(&self, host: Option<&str>) -> bool {
        let Self::Only(list) = self else { return true };
        let Some(called) = host.and_then(Authority::parse) else {
            return false;
        };
        list.iter()
            .filter_map(|entry| Entry::parse(entry))
            .any(|entry| entry.covers(&called))
    }

    /// An entry that no host can ever equal would look like a rule and be none.
    pub(super) fn check(&self) -> Result<(), String> {
        let Self::Only(list) = self else {
            return Ok(());
        };
        if list.is_empty() {
            return Err(
                "option allowed_hosts is an empty list, which would refuse everybody; \
                 name a host, or write AllowedHosts::Any"
                    .to_owned(),
            );
        }
        match list.iter().find(|entry| Entry::parse(entry).is_none()) {
            None => Ok(()),
            Some(entry) => Err(format!(
                "option allowed_hosts has the entry \"{entry}\", which {}; \
                 write a name as in \"chat.example\" or \"*.chat.example\", or an address as in \
                 \"192.0.2.1\" or \"[2001:db8::1]\", with a port only if it must be that one",
                what_is_wrong_with(entry)
            )),
        }
    }
}

/// One entry of the list.
struct Entry<'a> {
    authority: Authority<'a>,
    /// It means the names below that one.
    below: bool,
}

impl<'a> Entry<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (rest, below) = match text.strip_prefix("*.") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let authority = Authority::parse(rest)?;
        // There is nothing below an address.
        let fits = !below || authority.name.is_domain();
        // Behind a colon, an entry has a port.
        (fits && !text.ends_with(':')).then_some(Self { authority, below })
    }

    fn covers(&self, called: &Authority<'_>) -> bool {
        self.covers_port(called.port) && self.covers_name(&called.name)
    }

    fn covers_port(&self, called: Option<u16>) -> bool {
        match (self.authority.port, called) {
            (None, _) => true,
            (Some(port), Some(called)) => port == called,
            (Some(port), None) => DEFAULT_PORTS.contains(&port),
        }
    }

    fn covers_name(&self, called: &Name<'_>) -> bool {
        match (&self.authority.name, called) {
            (Name::Written(name), Name::Written(called)) if self.below => is_below(called, name),
            (Name::Written(name), Name::Written(called)) => called.eq_ignore_ascii_case(name),
            (Name::V6(address), Name::V6(called)) => called == address,
            (Name::Written(_), Name::V6(_)) | (Name::V6(_), Name::Written(_)) => false,
        }
    }
}

/// `uri-host [":" port]` (RFC 9110, section 7.2), without user information.
struct Authority<'a> {
    name: Name<'a>,
    port: Option<u16>,
}

enum Name<'a> {
    /// A domain or an IPv4 address, without a dot at its end.
    Written(&'a str),
    V6(Ipv6Addr),
}

impl<'a> Authority<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                (Name::V6(address.parse().ok()?), port)
            }
            None => {
                let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
                let name = name.strip_suffix('.').unwrap_or(name);
                (Name::Written(is_written_well(name).then_some(name)?), port)
            }
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            // The grammar allows a colon and nothing behind it.
            Some("") => None,
            None => return None,
            Some(digits) => Some(parse_port(digits)?),
        };
        Some(Self { name, port })
    }
}

impl Name<'_> {
    fn is_domain(&self) -> bool {
        matches!(self, Self::Written(name) if name.parse::<Ipv4Addr>().is_err())
    }
}

/// From 1 to 65535.
fn parse_port(digits: &str) -> Option<u16> {
    let only_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let port = digits.parse().ok().filter(|_| only_digits)?;
    (port > 0).then_some(port)
}

/// Labels of letters, digits, `-` and `_`, which stands in names that are no
/// hosts by the book and are used all the same.
fn is_written_well(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.bytes().all(is_letter)
    };
    name.len() <= MAX_DOMAIN_BYTES && name.split('.').all(is_label)
}

/// Whether a name ends with a dot and this domain.
fn is_below(name: &str, domain: &str) -> bool {
    let Some(at) = name.len().checked_sub(domain.len()) else {
        return false;
    };
    let (above, tail) = name.split_at(at);
    above.ends_with('.') && tail.eq_ignore_ascii_case(domain)
}

fn what_is_wrong_with(entry: &str) -> &'static str {
    let behind_name = entry.rsplit_once(']').map_or(entry, |(_, behind)| behind);
    let port = behind_name.split_once(':').map(|(_, port)| port);
    if entry.is_empty() {
        "is empty"
    } else if entry == "*" {
        "means every host, for which there is AllowedHosts::Any"
    } else if entry.contains("://") {
        "has a scheme"
    } else if entry.contains(['/', '?', '#']) {
        "has a path"
    } else if entry.contains('@') {
        "has a user's name"
    } else if entry.parse::<Ipv6Addr>().is_ok() {
        "is an IPv6 address without brackets"
    } else if port.is_some_and(|port| parse_port(port).is_none()) {
        "has a port that is no number from 1 to 65535"
    } else if !entry.is_ascii() {
        "is not in ASCII; a name in another script has a form that begins with xn--"
    } else {
        "is no host"
    }
}

#[cfg(test)]
mod tests {
    use super::AllowedHosts;

    fn only<const N: usize>(list: [&str; N]) -> AllowedHosts {
        AllowedHosts::Only(list.map(str::to_owned).to_vec())
    }

    #[track_caller]
    fn assert_permits(list: &AllowedHosts, hosts: &[&str]) {
        for host in hosts {
            assert!(list.permits(Some(host)), "{host} is refused by {list:?}");
        }
    }

    #[track_caller]
    fn assert_refuses(list: &AllowedHosts, hosts: &[&str]) {
        for host in hosts {
            assert!(!list.permits(Some(host)), "{host} is let in by {list:?}");
        }
    }

    #[test]
    fn without_a_list_every_host_is_right() {
        assert_permits(&AllowedHosts::Any, &["evil.example", "", "\u{fc}ber"]);
        assert!(AllowedHosts::Any.permits(None));
    }

    #[test]
    fn a_name_is_right_at_every_port_and_in_every_case() {
        let list = only(["Chat.example"]);
        let right = ["chat.example", "CHAT.EXAMPLE:8080", "chat.example.:80"];
        assert_permits(&list, &right);
        assert_permits(&list, &["chat.example:"]);
        let wrong = [
            "evil.example",
            "chat.example.evil.example",
            "evilchat.example",
            "eu.chat.example",
            "chat.example..",
        ];
        assert_refuses(&list, &wrong);
        assert!(!list.permits(None), "a request without a host");
    }

    #[test]
    fn what_is_no_host_is_right_nowhere() {
        let list = only(["chat.example", "*.chat.example", "[::1]"]);
        let wrong = [
            "",
            ".",
            ":80",
            "chat.example@evil.example",
            "evil@chat.example",
            "chat.example:80:80",
            "chat.example:http",
            "chat.example:+80",
            "chat.example:65616",
            "chat.example/",
            "chat.example, evil.example",
            " chat.example",
            "evil/.chat.example",
            ".chat.example",
            "..chat.example",
            "[::1",
            "[::1]evil",
            "::1",
        ];
        assert_refuses(&list, &wrong);
        let long = format!("{}chat.example", "a.".repeat(121));
        assert_refuses(&list, &[long.as_str()]);
        assert_permits(&list, &[&long[2..]]);
    }

    #[test]
    fn a_port_in_the_list_is_the_only_one() {
        let list = only(["chat.example:8443", "www.example:443"]);
        assert_permits(&list, &["chat.example:8443", "www.example:443"]);
        assert_permits(&list, &["www.example"]);
        assert_refuses(&list, &["chat.example", "chat.example:443"]);
        assert_refuses(&list, &["www.example:80"]);
    }

    #[test]
    fn a_star_stands_for_the_names_below() {
        let list = only(["*.chat.example"]);
        let right = ["eu.chat.example", "a.b.Chat.Example:1"];
        assert_permits(&list, &right);
        let wrong = ["chat.example", "evilchat.example", "*.chat.example"];
        assert_refuses(&list, &wrong);
    }

    #[test]
    fn addresses_are_compared_as_addresses() {
        let list = only(["192.0.2.1", "[2001:db8::1]", "[::1]:3000"]);
        let right = ["192.0.2.1:80", "[2001:DB8:0::1]:80", "[0:0::1]:3000"];
        assert_permits(&list, &right);
        let wrong = ["192.0.2.10", "[2001:db8::2]", "[::1]", "[::ffff:192.0.2.1]"];
        assert_refuses(&list, &wrong);
    }

    #[test]
    fn an_entry_that_is_no_host_is_named_with_what_is_wrong() {
        let wrong = [
            ("", "is empty"),
            ("*", "every host"),
            ("https://chat.example", "a scheme"),
            ("chat.example/ws", "a path"),
            ("me@chat.example", "a user's name"),
            ("chat.example:", "a port that is no number"),
            ("chat.example:0", "a port that is no number"),
            ("chat.example:http", "a port that is no number"),
            ("chat.example:70000", "a port that is no number"),
            ("[::1]:x", "a port that is no number"),
            ("::1", "IPv6 address without brackets"),
            ("[::1", "a port that is no number"),
            ("b\u{fc}cher.example", "xn--"),
            ("*.192.0.2.1", "is no host"),
            ("*.[::1]", "is no host"),
            ("*chat.example", "is no host"),
            ("eu.*.chat.example", "is no host"),
            (".chat.example", "is no host"),
            ("chat example", "is no host"),
        ];
        for (entry, what) in wrong {
            let problem = only(["chat.example", entry]).check().expect_err(entry);
            assert!(problem.contains(&format!("\"{entry}\"")), "{problem}");
            assert!(problem.contains(what), "{problem}");
        }
        let right = ["chat.example", "*.localhost", "[::1]:3000", "my_host:80"];
        assert_eq!(only(right).check(), Ok(()));
        let problem = only([]).check().expect_err("nobody could connect");
        assert!(problem.contains("AllowedHosts::Any"), "{problem}");
    }
}
