//! The servers that are compared: how they are built, started and ended.

use std::env;
use std::fmt::Display;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::wire::Wire;
use crate::workload::{Target, Workload};

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(20);

/// A server that can take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// The name on the command line and in tables.
    pub name: &'static str,
    /// What it is, for the legend.
    pub description: &'static str,
    /// What it speaks.
    pub wire: Wire,
    /// Whether it knows more rooms than the one that is broadcast to.
    pub has_rooms: bool,
    program: Program,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Peer(&'static str, &'static [&'static str]),
    Node(&'static str),
    Fixture,
}

/// Every server in the order of the table; the first is the measure of the rest.
pub const ALL: [Server; 11] = [
    Server {
        name: "floor",
        description: "epoll loop, one write per recipient for all that one read brought",
        wire: Wire::Native,
        has_rooms: true,
        program: Program::Peer("peer-floor", &[]),
    },
    Server {
        name: "floor-write",
        description: "the same loop, one write per delivery",
        wire: Wire::Native,
        has_rooms: true,
        program: Program::Peer("peer-floor", &["--one-write-per-delivery"]),
    },
    Server {
        name: "native",
        description: "nest-gateway, native adapter",
        wire: Wire::Native,
        has_rooms: true,
        program: Program::Fixture,
    },
    Server {
        name: "socketio",
        description: "nest-gateway, Socket.IO adapter over WebSocket",
        wire: Wire::SocketIo,
        has_rooms: true,
        program: Program::Fixture,
    },
    Server {
        name: "wire",
        description: "hand-written on our wire crate alone",
        wire: Wire::Native,
        has_rooms: true,
        program: Program::Peer("peer-wire", &[]),
    },
    Server {
        name: "tungstenite",
        description: "hand-written tokio-tungstenite, one queue per client, feed and flush",
        wire: Wire::Native,
        has_rooms: true,
        program: Program::Peer("peer-tungstenite", &[]),
    },
    Server {
        name: "fastwebsockets",
        description: "hand-written fastwebsockets, one queue per client",
        wire: Wire::Native,
        has_rooms: true,
        program: Program::Peer("peer-fastwebsockets", &[]),
    },
    Server {
        name: "axum-broadcast",
        description: "hand-written axum with one tokio::sync::broadcast channel",
        wire: Wire::Native,
        has_rooms: false,
        program: Program::Peer("peer-axum-broadcast", &[]),
    },
    Server {
        name: "socketioxide",
        description: "socketioxide on axum, WebSocket",
        wire: Wire::SocketIo,
        has_rooms: true,
        program: Program::Peer("peer-socketioxide", &[]),
    },
    Server {
        name: "node-ws",
        description: "Node ws",
        wire: Wire::Native,
        has_rooms: true,
        program: Program::Node("ws.js"),
    },
    Server {
        name: "node-socket.io",
        description: "Node socket.io, WebSocket",
        wire: Wire::SocketIo,
        has_rooms: true,
        program: Program::Node("socketio.js"),
    },
];

/// The server called `name`.
#[must_use]
pub fn by_name(name: &str) -> Option<Server> {
    ALL.into_iter().find(|server| server.name == name)
}

impl Server {
    /// Whether this is one of ours.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.program == Program::Fixture
    }

    /// Whether the server can run `workload` at all.
    #[must_use]
    pub const fn takes_part_in(&self, workload: Workload) -> bool {
        self.has_rooms || !workload.needs_rooms()
    }
}

/// Where things are, and on which cores they run.
#[derive(Debug, Clone)]
pub struct Surroundings {
    workspace: PathBuf,
    binaries: PathBuf,
    /// Whether `taskset` can keep server and generator on different cores.
    pub pinned: bool,
    /// Passed to every server.
    pub workers: usize,
    /// Whether programs are built first; if not, those that are there are run.
    pub build: bool,
}

impl Surroundings {
    /// Finds out where this program was started from.
    ///
    /// # Errors
    /// When the path of this program is not known.
    pub fn find(workers: usize) -> Result<Self, String> {
        let binaries = env::current_exe().map_err(text)?;
        let binaries = binaries.parent().ok_or("no directory of binaries")?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            workspace: workspace(),
            binaries: binaries.to_owned(),
            pinned: workers == 1 && cores > 1 && has("taskset", "--version"),
            workers,
            build: true,
        })
    }

    /// Builds what `servers` need and returns those that can run; `skipped` hears
    /// why another cannot.
    ///
    /// # Errors
    /// When something that is there does not build.
    pub fn prepare(
        &self,
        servers: &[Server],
        mut skipped: impl FnMut(String),
    ) -> Result<Vec<Server>, String> {
        let needs = |wanted: fn(Program) -> bool| servers.iter().any(|s| wanted(s.program));
        if needs(|program| matches!(program, Program::Peer(..))) {
            self.cargo(&[
                "-p",
                "nest-gateway-benches",
                "--features",
                "peers",
                "--bins",
            ])?;
        }
        let fixture = self.has_fixture();
        if fixture && needs(|program| program == Program::Fixture) {
            self.cargo(&["-p", "nest-gateway-fixtures", "--bin", "fixture-bench"])?;
        }
        let node = if needs(|program| matches!(program, Program::Node(_))) {
            self.prepare_node()
        } else {
            Ok(())
        };
        let can_run = |server: &Server| match server.program {
            Program::Peer(..) => true,
            Program::Fixture if fixture => true,
            Program::Fixture => {
                skipped(format!("{}: there is no fixture-bench", server.name));
                false
            }
            Program::Node(_) => match &node {
                Ok(()) => true,
                Err(reason) => {
                    skipped(format!("{}: {reason}", server.name));
                    false
                }
            },
        };
        Ok(servers.iter().copied().filter(can_run).collect())
    }

    /// Builds the program whose instructions are counted, and says where it is.
    ///
    /// # Errors
    /// When it does not build.
    pub fn build_micro(&self) -> Result<PathBuf, String> {
        self.cargo(&[
            "-p",
            "nest-gateway-benches",
            "--features",
            "micro",
            "--bin",
            "micro",
        ])?;
        Ok(self.binaries.join("micro"))
    }

    fn has_fixture(&self) -> bool {
        let bins = self.workspace.join("fixtures/src/bin");
        bins.join("fixture-bench.rs").exists() || bins.join("fixture-bench/main.rs").exists()
    }

    fn cargo(&self, args: &[&str]) -> Result<(), String> {
        if !self.build {
            return Ok(());
        }
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(&self.workspace).arg("build").args(args);
        // Beside this program, wherever that was built to.
        if let Some(target) = self.binaries.parent() {
            command.arg("--target-dir").arg(target);
        }
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        succeed(&mut command)
    }

    fn node_directory(&self) -> PathBuf {
        self.workspace.join("benches/node")
    }

    fn prepare_node(&self) -> Result<(), String> {
        if !has("node", "--version") {
            return Err("node is not installed".into());
        }
        let directory = self.node_directory();
        if directory.join("node_modules/ws").exists()
            && directory.join("node_modules/socket.io").exists()
        {
            return Ok(());
        }
        let mut install = Command::new("npm");
        install
            .args(["install", "--no-package-lock", "--no-audit", "--no-fund"])
            .current_dir(directory)
            .stdout(Stdio::null());
        succeed(&mut install)
    }

    /// Keeps this process, and with it the generator, off the servers' core.
    ///
    /// # Errors
    /// When `taskset` refuses.
    pub fn pin_generator(&self) -> Result<(), String> {
        if !self.pinned {
            return Ok(());
        }
        let pid = std::process::id().to_string();
        let mut command = Command::new("taskset");
        command.args(["-a", "-p", "-c", "1", &pid]);
        succeed(command.stdout(Stdio::null()))
    }

    /// Starts `server` and waits until it listens.
    ///
    /// # Errors
    /// When it does not start or does not say that it listens.
    pub fn start(&self, server: Server) -> Result<Running, String> {
        let (program, args): (PathBuf, Vec<String>) = match server.program {
            Program::Peer(name, args) => (
                self.binaries.join(name),
                args.iter().map(|&arg| arg.to_owned()).collect(),
            ),
            Program::Fixture => (self.binaries.join("fixture-bench"), Vec::new()),
            Program::Node(script) => (
                "node".into(),
                vec![self.node_directory().join(script).display().to_string()],
            ),
        };
        let mut command = if self.pinned {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command
            .args(args)
            .args(["--port", "0", "--workers", &self.workers.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        Running::start(command, server.wire)
    }
}

/// A server process, ended when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Where and what it is.
    pub target: Target,
}

impl Running {
    /// Starts `command`, which prints where it listens.
    ///
    /// # Errors
    /// When it does not start or does not say that it listens.
    pub fn start(mut command: Command, wire: Wire) -> Result<Self, String> {
        let mut child = command
            .spawn()
            .map_err(|error| format!("{command:?} does not start: {error}"))?;
        match ready_address(&mut child) {
            Ok(address) => {
                let pid = Some(child.id());
                let target = Target { address, wire, pid };
                Ok(Self { child, target })
            }
            Err(error) => {
                end(&mut child);
                Err(format!("{command:?}: {error}"))
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Ends a server process. It may have ended by itself, which is no error here:
/// whoever measures it has noticed.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Waits for the line `listening on http://ADDRESS`.
fn ready_address(child: &mut Child) -> Result<SocketAddr, String> {
    let stdout = child.stdout.take().ok_or("no standard output")?;
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let Ok(line) = line else { break };
            if let Some(address) = line.strip_prefix("listening on http://") {
                // Nobody listens any more once the time was up.
                let _ = sender.try_send(address.trim().parse::<SocketAddr>());
            }
        }
    });
    receiver
        .recv_timeout(START)
        .map_err(|_| "it did not say that it listens")?
        .map_err(text)
}

/// The root of the workspace this program was built in.
#[must_use]
pub fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// Whether a program runs with `flag`.
#[must_use]
pub fn has(program: &str, flag: &str) -> bool {
    Command::new(program)
        .arg(flag)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn succeed(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?} ended with {status}")),
        Err(error) => Err(format!("{command:?} does not start: {error}")),
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}
