//! What the peer servers have in common: flags, the ready line, a runtime.

use std::io::{self, Write as _};
use std::net::SocketAddr;

/// The flags every fixture server understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerArgs {
    /// 0 picks a free port.
    pub port: u16,
    /// 1 is a current-thread runtime, 0 all cores.
    pub workers: usize,
    /// Flags of one peer alone.
    pub rest: Vec<String>,
}

impl PeerArgs {
    /// Reads `--port N` and `--workers N` off `args`.
    ///
    /// # Errors
    /// A flag without a number behind it.
    pub fn parse(args: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self {
            port: 0,
            workers: 1,
            rest: Vec::new(),
        };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let mut number = || {
                args.next()
                    .and_then(|value| value.parse::<u16>().ok())
                    .ok_or_else(|| format!("{arg} needs a number"))
            };
            match arg.as_str() {
                "--port" => parsed.port = number()?,
                "--workers" => parsed.workers = usize::from(number()?),
                _ => parsed.rest.push(arg),
            }
        }
        Ok(parsed)
    }

    /// Reads the flags of this process.
    ///
    /// # Errors
    /// A flag without a number behind it.
    pub fn of_process() -> Result<Self, String> {
        Self::parse(std::env::args().skip(1))
    }

    /// The address to bind.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// A tokio runtime with as many workers as the flags say.
    ///
    /// # Errors
    /// What the operating system says.
    #[cfg(feature = "peers")]
    pub fn runtime(&self) -> io::Result<tokio::runtime::Runtime> {
        let mut builder = match self.workers {
            1 => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        if self.workers > 1 {
            builder.worker_threads(self.workers);
        }
        builder.enable_all().build()
    }
}

/// Prints the line by which a fixture server says that it listens.
///
/// # Errors
/// When standard output is closed.
pub fn announce(address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{address}")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_and_unknown_ones_kept() {
        let args = ["--port", "80", "--slow", "--workers", "4"].map(str::to_owned);
        let parsed = PeerArgs::parse(args).expect("valid");
        assert_eq!((parsed.port, parsed.workers), (80, 4));
        assert_eq!(parsed.rest, ["--slow"]);
        assert!(PeerArgs::parse(["--port".to_owned()]).is_err());
    }
}
