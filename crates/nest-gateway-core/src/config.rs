//! Every limit and time that core enforces, with its default and the reason.

mod hosts;

use std::time::Duration;

pub use self::hosts::AllowedHosts;

/// What happens when a client's outbox is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlowPolicy {
    /// The client is closed with 1008 "slow consumer". Default: a client that
    /// misses messages without knowing is worse off than one that reconnects.
    #[default]
    Close,
    /// The oldest queued messages go; the client gets a `gap` notice.
    DropOldest,
    /// The new message goes; the client gets a `gap` notice.
    DropNewest,
}

/// What happens to a client whose message a guard denied, by `false` or by an
/// exception of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DenyPolicy {
    /// It gets the exception and stays.
    #[default]
    Keep,
    /// It gets the exception and is closed with 1008.
    Close,
}

/// What happens on an event that no handler subscribed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownEventPolicy {
    /// The client gets an exception that names the event.
    #[default]
    Error,
    /// Nothing, except that a request with an id is still answered.
    Ignore,
    /// The client gets the exception and is closed with 1008.
    Close,
}

/// Which browser origins may connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OriginPolicy {
    /// Requests without an `Origin` (not from a browser) and those whose origin
    /// names the host that they are sent to. Default: browsers do not protect
    /// WebSockets by the same-origin policy, so the server must.
    #[default]
    SameHost,
    /// Same host, or one of these (`https://app.example`: scheme, host and port,
    /// without a slash behind them; another form stops the start-up).
    Allow(Vec<String>),
    /// Everybody. For public services without cookies.
    Any,
}

impl OriginPolicy {
    /// Whether a request with these headers may connect.
    #[must_use]
    pub fn permits(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        let same_host = || {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            host.zip(authority)
                .is_some_and(|(host, authority)| authority.eq_ignore_ascii_case(host))
        };
        let listed = |allowed: &String| allowed.eq_ignore_ascii_case(origin);
        match self {
            Self::Any => true,
            Self::SameHost => same_host(),
            Self::Allow(list) => same_host() || list.iter().any(listed),
        }
    }

    /// An entry that no origin can ever equal would look like a rule and be none.
    fn check(&self) -> Result<(), String> {
        let Self::Allow(list) = self else {
            return Ok(());
        };
        let is_origin = |entry: &str| {
            entry == "null"
                || entry.split_once("://").is_some_and(|(scheme, authority)| {
                    !scheme.is_empty() && !authority.is_empty() && !authority.contains('/')
                })
        };
        match list.iter().find(|entry| !is_origin(entry)) {
            None => Ok(()),
            Some(entry) => Err(format!(
                "option origins has the entry \"{entry}\", which is no origin; \
                 write scheme, host and port only, as in \"https://app.example\""
            )),
        }
    }
}

/// Limits, times and policies of an application. All adapters obey them.
///
/// The defaults are those of CONTRACT sections 9 and 10.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Largest message in bytes, after reassembly and inflation, on every
    /// transport. Default 1,000,000, Engine.IO's `maxPayload`.
    pub max_message_bytes: usize,
    /// Longest event name in bytes. Default 128: names are chosen by
    /// programmers.
    pub max_event_bytes: usize,
    /// Rooms of one client. Default 128.
    pub max_rooms_per_client: usize,
    /// Namespaces of one connection. Default 16.
    pub max_namespaces_per_connection: usize,
    /// Clients at once over all adapters; `None` (default) for no limit.
    /// Beyond it a handshake is answered 503 with `Retry-After`.
    pub max_clients: Option<usize>,
    /// Clients of one peer address; `None` (default) for no limit.
    pub max_clients_per_address: Option<usize>,
    /// Bytes queued towards one client. Default 1 MiB: a few seconds of a slow
    /// phone.
    pub outbox_bytes: usize,
    /// Messages queued towards one client. Default 4,096.
    pub outbox_messages: usize,
    /// What happens when the outbox is full. Default: close.
    pub slow_policy: SlowPolicy,
    /// Messages read from a client that wait for their turn; beyond it the
    /// socket is not read, so that TCP slows the sender. Default 64.
    pub inbox_messages: usize,
    /// The same in bytes; one message always fits. Default 256 KiB.
    pub inbox_bytes: usize,
    /// Messages to large rooms (of 16 members and more) that wait to be brought
    /// to their members, over all namespaces. Beyond it whoever emits a message
    /// queues it for each member, which takes its time and loses nothing; with 0
    /// that is always so. Default 1,024.
    pub crowd_messages: usize,
    /// The same in bytes, each message counted once for each format in which it
    /// is encoded. Default 1 MiB.
    pub crowd_bytes: usize,
    /// Concurrent handlers and streams of one client. Default 64; beyond it
    /// the next message waits.
    pub max_in_flight: usize,
    /// Time between pings. Default 25 s, as Engine.IO.
    pub ping_interval: Duration,
    /// How long silence may last after a ping. Default 20 s, as Engine.IO.
    pub ping_timeout: Duration,
    /// How long the peer may take for the closing handshake. Default 5 s.
    pub close_timeout: Duration,
    /// How long the server waits for a client's answer when the call does not
    /// say. Default 10 s.
    pub ack_timeout: Duration,
    /// Questions that may be open to one client at once. Default 1,024.
    pub max_open_questions: usize,
    /// How long a handler may run; `None` (default) for as long as it likes.
    pub handler_timeout: Option<Duration>,
    /// How long handlers of a client that left may go on before they are
    /// cancelled. Default 10 s.
    pub leave_grace: Duration,
    /// Messages per second of one client; `None` (default) for no limit. The
    /// client may burst to one second's worth, then gets exceptions.
    pub max_messages_per_second: Option<u32>,
    /// How long a connection may live; `None` (default) for ever.
    pub max_connection_age: Option<Duration>,
    /// Malformed messages after which a client is closed with 1008. Default
    /// 1,000: a client with a bug is told often enough, noise ends.
    pub max_malformed: u32,
    /// How long a shutdown waits for handlers and clients. Default 10 s.
    pub drain: Duration,
    /// What happens when a guard denies a message. Default: keep the client.
    pub deny_policy: DenyPolicy,
    /// What happens on an unknown event. Default: an exception.
    pub unknown_event_policy: UnknownEventPolicy,
    /// Which browser origins may connect. Default: the same host.
    pub origins: OriginPolicy,
    /// By which names clients may call the server. Default: every name.
    pub allowed_hosts: AllowedHosts,
    /// Whether an exception carries the data of the request that failed.
    /// Default no: it may be large or secret.
    pub echo_request_data: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_message_bytes: 1_000_000,
            max_event_bytes: 128,
            max_rooms_per_client: 128,
            max_namespaces_per_connection: 16,
            max_clients: None,
            max_clients_per_address: None,
            outbox_bytes: 1024 * 1024,
            outbox_messages: 4096,
            slow_policy: SlowPolicy::default(),
            inbox_messages: 64,
            inbox_bytes: 256 * 1024,
            crowd_messages: 1024,
            crowd_bytes: 1024 * 1024,
            max_in_flight: 64,
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            close_timeout: Duration::from_secs(5),
            ack_timeout: Duration::from_secs(10),
            max_open_questions: 1024,
            handler_timeout: None,
            leave_grace: Duration::from_secs(10),
            max_messages_per_second: None,
            max_connection_age: None,
            max_malformed: 1000,
            drain: Duration::from_secs(10),
            deny_policy: DenyPolicy::default(),
            unknown_event_policy: UnknownEventPolicy::default(),
            origins: OriginPolicy::default(),
            allowed_hosts: AllowedHosts::default(),
            echo_request_data: false,
        }
    }
}

impl Config {
    /// Checks that the numbers make sense together.
    ///
    /// # Errors
    /// A sentence that names the option and what to write.
    pub fn check(&self) -> Result<(), String> {
        let positive = [
            ("max_message_bytes", self.max_message_bytes),
            ("max_event_bytes", self.max_event_bytes),
            ("outbox_bytes", self.outbox_bytes),
            ("outbox_messages", self.outbox_messages),
            ("inbox_messages", self.inbox_messages),
            ("inbox_bytes", self.inbox_bytes),
            ("max_in_flight", self.max_in_flight),
            (
                "max_namespaces_per_connection",
                self.max_namespaces_per_connection,
            ),
        ];
        for (name, value) in positive {
            if value == 0 {
                return Err(format!(
                    "option {name} is 0, which would refuse everything; give it a value of 1 or more"
                ));
            }
        }
        self.origins.check()?;
        self.allowed_hosts.check()?;
        if self.ping_interval.is_zero() || self.ping_timeout.is_zero() {
            return Err(
                "options ping_interval and ping_timeout must be longer than 0; \
                 without a heartbeat dead clients are never noticed"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_compared_without_regard_to_case() {
        let allow = OriginPolicy::Allow(vec!["https://app.example".to_owned()]);
        let permits = |origin| allow.permits(Some(origin), Some("here.example:8080"));
        assert!(permits("https://app.example") && permits("HTTPS://App.Example"));
        assert!(permits("http://Here.example:8080"));
        for foreign in ["null", "http://app.example", "https://app.example:444"] {
            assert!(!permits(foreign), "{foreign}");
        }
    }

    #[test]
    fn an_allowed_origin_that_is_none_is_named() {
        for entry in ["app.example", "https://app.example/", "*", "https://"] {
            let config = Config {
                origins: OriginPolicy::Allow(vec![entry.to_owned()]),
                ..Config::default()
            };
            let problem = config.check().expect_err(entry);
            assert!(problem.contains(&format!("\"{entry}\"")), "{problem}");
        }
    }
}
