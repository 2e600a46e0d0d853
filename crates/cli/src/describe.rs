//! Asks an application what it consists of.
//!
//! The program is built by cargo and started with `NEST_GATEWAY_DESCRIBE=1`.
//! Instead of opening its sockets it writes its registry to the standard
//! output, as one line of JSON, and ends.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use nest_gateway_contract::Description;
use serde_json::Value;

use crate::cli::Application;
use crate::failure::{Context as _, Failure, Outcome};

/// The variable that asks for the description.
const VARIABLE: &str = "NEST_GATEWAY_DESCRIBE";
/// What the line begins with.
const BEGIN: &str = r#"{"nest_gateway_description":"#;
/// How long a program may take from its start to its description.
const PATIENCE: Duration = Duration::from_secs(30);

/// An application's own description.
pub(crate) struct Described {
    /// The name of its package and the version of it.
    pub(crate) name: String,
    pub(crate) version: String,
    /// The line that it wrote.
    pub(crate) json: String,
    pub(crate) description: Description,
}

/// A program to ask.
struct Program {
    executable: PathBuf,
    /// Where its package is; `None` when cargo did not build it.
    package: Option<PathBuf>,
    name: String,
}

/// Builds and asks the application.
pub(crate) fn describe(application: &Application) -> Outcome<Described> {
    let program = match &application.program {
        Some(file) => built(file)?,
        None => build(application)?,
    };
    let json = ask(&program.executable, &application.arguments)?;
    let description =
        serde_json::from_str::<Description>(&json).context("the application's description")?;
    if description.format != 1 {
        return Err(Failure::new(format!(
            "the application describes itself in format {}, which this version of nest-gateway does not know",
            description.format
        )));
    }
    let version = program.package.as_deref().and_then(version_of);
    let version = version.unwrap_or_else(|| "0.0.0".to_owned());
    Ok(Described {
        name: program.name,
        version,
        json,
        description,
    })
}

/// A program that somebody else built, by its file.
fn built(file: &Path) -> Outcome<Program> {
    let executable = file
        .canonicalize()
        .context(format_args!("--program {}", file.display()))?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    Ok(Program {
        name: name.into_owned(),
        executable,
        package: None,
    })
}

/// Builds what `cargo run` would run.
fn build(application: &Application) -> Outcome<Program> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "build",
            "--quiet",
            "--message-format=json-render-diagnostics",
        ])
        .args(cargo_options(application))
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    let output = command.output().context("cannot run cargo")?;
    if !output.status.success() {
        return Err(Failure::new(
            "the application does not build; cargo says why above",
        ));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let mut programs: Vec<_> = messages
        .lines()
        .filter_map(|line| program(&serde_json::from_str(line).ok()?))
        .collect();
    match (programs.pop(), programs.is_empty()) {
        (Some(program), true) => Ok(program),
        (None, _) => Err(Failure::new(
            "there is no program here; choose one with --bin or --example, or a package with -p",
        )),
        (Some(last), false) => {
            let names: Vec<_> = programs
                .iter()
                .chain([&last])
                .map(|program| program.name.as_str())
                .collect();
            Err(Failure::new(format!(
                "there are several programs ({}); choose one with --bin",
                names.join(", ")
            )))
        }
    }
}

fn cargo_options(application: &Application) -> Vec<String> {
    let named = [
        ("--package", &application.package),
        ("--bin", &application.bin),
        ("--example", &application.example),
    ];
    let mut options = Vec::new();
    for (option, value) in named {
        if let Some(value) = value {
            options.extend([option.to_owned(), value.clone()]);
        }
    }
    for features in &application.features {
        options.extend(["--features".to_owned(), features.clone()]);
    }
    if let Some(path) = &application.manifest_path {
        options.extend(["--manifest-path".to_owned(), path.display().to_string()]);
    }
    let switches = [
        ("--release", application.release),
        ("--offline", application.offline),
    ];
    options.extend(
        switches
            .iter()
            .filter(|(_, on)| *on)
            .map(|(option, _)| (*option).to_owned()),
    );
    options
}

/// The program in one of cargo's messages, if it is about one.
fn program(message: &Value) -> Option<Program> {
    let executable = message["executable"].as_str()?;
    let kind = message["target"]["kind"][0].as_str()?;
    if message["reason"] != "compiler-artifact" || !matches!(kind, "bin" | "example") {
        return None;
    }
    Some(Program {
        executable: executable.into(),
        package: Some(message["manifest_path"].as_str()?.into()),
        name: message["target"]["name"].as_str()?.to_owned(),
    })
}

/// Starts the program and waits for its description.
fn ask(executable: &Path, arguments: &[String]) -> Outcome<String> {
    let mut child = Command::new(executable)
        .args(arguments)
        .env(VARIABLE, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .context(format_args!("cannot start {}", executable.display()))?;
    let out = child
        .stdout
        .take()
        .ok_or_else(|| Failure::new("the application has no output"))?;
    let line = last_description(out);
    // It ends by itself; one that does not know the variable would go on.
    end(&mut child);
    line
}

/// The last line that is a description. What else the program prints is none of
/// our business.
fn last_description(out: ChildStdout) -> Outcome<String> {
    let (lines, received) = sync_channel(16);
    // It ends with the program's output, at the latest when the program is killed.
    thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if line.starts_with(BEGIN) && lines.send(line).is_err() {
                break;
            }
        }
    });
    let deadline = Instant::now() + PATIENCE;
    let mut last = None;
    loop {
        match received.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => last = Some(line),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if last.is_some() => break,
            Err(RecvTimeoutError::Timeout) => {
                return Err(Failure::new(format!(
                    "the application did not describe itself within {PATIENCE:?}; \
                     it has to use a nest-gateway that knows {VARIABLE}"
                )));
            }
        }
    }
    last.ok_or_else(|| {
        Failure::new(
            "the application ended without describing itself; if it gives no reason above, \
             it does not call `listen` of a nest-gateway `App`",
        )
    })
}

fn end(child: &mut Child) {
    // Both fail only for a program that has ended, which is what is wanted.
    let _ = child.kill();
    let _ = child.wait();
}

fn version_of(manifest: &Path) -> Option<String> {
    let text = std::fs::read_to_string(manifest).ok()?;
    let manifest = crate::edit::manifest::parse(&text).ok()?;
    let version = manifest.get("package")?.get("version")?.as_str()?;
    Some(version.to_owned())
}
