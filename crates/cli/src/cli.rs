//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// WebSocket gateways for Rust: new applications, generators, a client, and
/// the contract of an application
#[derive(Debug, Parser)]
#[command(name = "nest-gateway", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new application
    New(New),
    /// Add something to the application in this folder
    #[command(visible_alias = "g", subcommand)]
    Generate(Generate),
    /// List the gateways of an application, with events, guards, bodies and
    /// replies
    List(List),
    /// Write the contract of an application
    Contract(Contract),
    /// Talk to a gateway: send one message and print the reply, or, without an
    /// event, many by hand
    Call(Call),
}

/// Options of everything that writes files.
#[derive(Clone, Debug, Args)]
pub(crate) struct Writing {
    /// Show what would be written, as a diff, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take the nest-gateway crates from a clone of its repository instead of
    /// the registry; the manifest names it by a relative path
    #[arg(long, value_name = "DIR")]
    pub(crate) local_path: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The application's folder; its last part is the package's name
    pub(crate) app: PathBuf,
    #[command(flatten)]
    pub(crate) writing: Writing,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Generate {
    /// A gateway with its module, bodies and test
    #[command(visible_alias = "ga")]
    Gateway(GenerateGateway),
    /// A module
    #[command(visible_alias = "mo")]
    Module(GenerateOne),
    /// A guard
    #[command(visible_alias = "gu")]
    Guard(GenerateOne),
    /// An interceptor
    #[command(visible_alias = "itc")]
    Interceptor(GenerateOne),
    /// An exception filter
    #[command(visible_alias = "f")]
    Filter(GenerateOne),
    /// A service: a provider for gateways and other providers
    #[command(visible_alias = "s")]
    Service(GenerateOne),
    /// Copies of the templates, to be changed: generators use those in
    /// .nest-gateway/templates instead of their own
    Templates(GenerateTemplates),
}

#[derive(Debug, Args)]
pub(crate) struct GenerateTemplates {
    /// Show what would be written, as a diff, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Options of every generator.
#[derive(Clone, Debug, Args)]
pub(crate) struct GenerateOne {
    /// The name, with folders if you like: `chat`, `chat-room`, `admin/chat`
    pub(crate) name: String,
    /// The folder to put it into, in the package's src
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
    /// Make no folder for it
    #[arg(long)]
    pub(crate) flat: bool,
    /// The module that it is added to, where the nearest one is not meant
    #[arg(long, value_name = "NAME")]
    pub(crate) module: Option<String>,
    #[command(flatten)]
    pub(crate) writing: Writing,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct GenerateGateway {
    #[command(flatten)]
    pub(crate) one: GenerateOne,
    /// Serve Socket.IO clients too: turns on the feature, and tests both
    #[arg(long)]
    pub(crate) socketio: bool,
    /// Add a handler that answers with a stream
    #[arg(long)]
    pub(crate) stream: bool,
    /// Give the bodies JSON schemas, so that `nest-gateway contract` knows their
    /// types
    #[arg(long)]
    pub(crate) schema: bool,
    /// Write no test
    #[arg(long)]
    pub(crate) no_test: bool,
}

/// Which application to ask: options of `cargo run`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Application {
    /// The package, as for `cargo run`
    #[arg(long, short, value_name = "NAME")]
    pub(crate) package: Option<String>,
    /// The program, as for `cargo run`
    #[arg(long, value_name = "NAME", conflicts_with = "example")]
    pub(crate) bin: Option<String>,
    /// The example, as for `cargo run`
    #[arg(long, value_name = "NAME")]
    pub(crate) example: Option<String>,
    /// Features to turn on, as for `cargo run`
    #[arg(long, short = 'F', value_name = "FEATURES")]
    pub(crate) features: Vec<String>,
    /// The manifest, as for `cargo run`
    #[arg(long, value_name = "PATH")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// A program that is built already, in place of building one
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["package", "bin", "example", "features", "manifest_path", "release", "offline"]
    )]
    pub(crate) program: Option<PathBuf>,
    /// Build in release mode
    #[arg(long)]
    pub(crate) release: bool,
    /// Do not ask the network for crates
    #[arg(long)]
    pub(crate) offline: bool,
    /// Arguments of the program itself
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) arguments: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Print what the application said as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) application: Application,
}

#[derive(Debug, Args)]
pub(crate) struct Contract {
    #[command(flatten)]
    pub(crate) form: Form,
    /// The file to write; without it, the standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) application: Application,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Form {
    /// An AsyncAPI 3 document (JSON)
    #[arg(long)]
    pub(crate) asyncapi: bool,
    /// TypeScript: the events' types, for socket.io-client too, and a small
    /// client for the native protocol
    #[arg(long)]
    pub(crate) ts: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Call {
    /// ws://host:port/namespace for a native gateway,
    /// http://host:port/namespace for Socket.IO
    pub(crate) url: String,
    /// The event to send; without it, lines `event {json}` are read from the
    /// terminal
    pub(crate) event: Option<String>,
    /// The data: JSON, or else a text
    #[arg(allow_hyphen_values = true)]
    pub(crate) data: Option<String>,
    /// Speak Socket.IO (over WebSocket); http:// means it too
    #[arg(long)]
    pub(crate) socketio: bool,
    /// The Socket.IO namespace; without it, the URL's path
    #[arg(long, value_name = "PATH")]
    pub(crate) namespace: Option<String>,
    /// Where the server has Socket.IO
    #[arg(long, default_value = "/socket.io/", value_name = "PATH")]
    pub(crate) path: String,
    /// The Socket.IO authentication payload: a JSON object
    #[arg(long, value_name = "JSON")]
    pub(crate) auth: Option<String>,
    /// A header of the handshake; may be repeated
    #[arg(long, short = 'H', value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,
    /// Send without an id, and do not wait for a reply
    #[arg(long)]
    pub(crate) no_reply: bool,
    /// Go on printing what arrives until the connection ends
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Seconds to wait for the connection, and for each next part of the reply
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Duration,
}

/// A positive number of seconds, at most a day.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if !(0.001..=86_400.0).contains(&seconds) {
        return Err("between 0.001 and 86400 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}
