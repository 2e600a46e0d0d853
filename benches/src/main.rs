//! Compares servers: `nest-gateway-benches all|WORKLOAD.. [FLAGS]`.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::{Command, ExitCode, Stdio};

use nest_gateway_benches::comparison::{self, Row};
use nest_gateway_benches::instructions::{self, Count};
use nest_gateway_benches::plot;
use nest_gateway_benches::report;
use nest_gateway_benches::server::{self, Server, Surroundings, workspace};
use nest_gateway_benches::wire::Wire;
use nest_gateway_benches::workload::{self, Pace, Sample, Target, Workload};

const USAGE: &str = "\
usage: nest-gateway-benches all|WORKLOAD.. [FLAGS]
       nest-gateway-benches attach ADDRESS native|socketio WORKLOAD [--pid PID] [--quick]
       nest-gateway-benches instructions [--accept]

flags: --servers a,b     only these (the floor is the base of the ratios)
       --rounds N        rounds, one after the other over all servers (3; quick: 1)
       --workers N       worker threads of each server (1, and then pinned)
       --no-build        run the servers as they were built last
       --quick           short runs with fewer connections, to see that all works
       --write, --no-write
                         write benches/RESULTS.md and plots (default: for `all`
                         without --quick and --servers)
workloads: ";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let result = match args.first().map(String::as_str) {
        Some("instructions") => count_instructions(&args[1..]),
        Some("attach") => attach(&args[1..]),
        _ => Options::parse(&args).and_then(|options| compare(&options)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            say(&message);
            ExitCode::FAILURE
        }
    }
}

/// Prints a line; a closed terminal is no reason to stop a measurement.
fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

struct Options {
    workloads: Vec<Workload>,
    servers: Vec<Server>,
    rounds: usize,
    workers: usize,
    pace: Pace,
    write: bool,
    build: bool,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self {
            workloads: Vec::new(),
            servers: server::ALL.to_vec(),
            rounds: 0,
            workers: 1,
            pace: Pace::FULL,
            write: false,
            build: true,
        };
        let (mut quick, mut write) = (false, None);
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            match arg.as_str() {
                "all" => options.workloads = workload::ALL.to_vec(),
                "--quick" => quick = true,
                "--no-build" => options.build = false,
                "--write" => write = Some(true),
                "--no-write" => write = Some(false),
                "--rounds" => options.rounds = number(value()?)?,
                "--workers" => options.workers = number(value()?)?,
                "--servers" => options.servers = servers(value()?)?,
                name => options.workloads.extend(workloads(name)?),
            }
        }
        if options.workloads.is_empty() {
            return Err(usage());
        }
        if quick {
            options.pace = Pace::QUICK;
        }
        if options.rounds == 0 {
            options.rounds = if quick { 1 } else { 3 };
        }
        let complete = options.workloads.len() == workload::ALL.len()
            && options.servers.len() == server::ALL.len();
        options.write = write.unwrap_or(complete && !quick);
        Ok(options)
    }
}

fn usage() -> String {
    let names: Vec<_> = workload::ALL.iter().map(|w| w.name()).collect();
    let servers: Vec<_> = server::ALL.iter().map(|s| s.name).collect();
    format!(
        "{USAGE}{}\nservers: {}",
        names.join(", "),
        servers.join(", ")
    )
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}

/// The workload called `name`, or all whose names begin with it.
fn workloads(name: &str) -> Result<Vec<Workload>, String> {
    let all = || workload::ALL.into_iter();
    let exact: Vec<_> = all().filter(|w| w.name() == name).collect();
    let family: Vec<_> = all()
        .filter(|w| w.name().starts_with(&format!("{name}-")))
        .collect();
    match (exact.is_empty(), family.is_empty()) {
        (false, _) => Ok(exact),
        (true, false) => Ok(family),
        (true, true) => Err(format!("unknown: {name}\n{}", usage())),
    }
}

fn servers(list: &str) -> Result<Vec<Server>, String> {
    list.split(',')
        .map(|name| server::by_name(name).ok_or_else(|| format!("unknown server: {name}")))
        .collect()
}

fn compare(options: &Options) -> Result<(), String> {
    raise_descriptor_limit();
    let mut surroundings = Surroundings::find(options.workers)?;
    surroundings.build = options.build;
    let servers = surroundings.prepare(&options.servers, |note| say(&format!("skipped {note}")))?;
    surroundings.pin_generator()?;
    if !surroundings.pinned {
        say("server and generator are not kept on different cores");
    }
    let mut rows = Vec::new();
    for &workload in &options.workloads {
        say(&format!(
            "\n{}: {}",
            workload.name(),
            workload.description()
        ));
        rows.push(comparison::run(
            &surroundings,
            workload,
            &servers,
            options.pace,
            options.rounds,
            |server, result| say_sample(server, workload, result),
        ));
    }
    say(&format!(
        "\ncost as a multiple of the floor\n{}",
        report::ratios(&rows)
    ));
    say(&format!("cost\n{}", report::costs(&rows)));
    if options.write {
        write_results(&rows, options.rounds)?;
    }
    let failures = report::failures(&rows);
    if failures.is_empty() {
        Ok(())
    } else {
        Err(format!("failures\n{failures}"))
    }
}

fn say_sample(server: Server, workload: Workload, result: &Result<Sample, String>) {
    match result {
        Err(error) => say(&format!("  {:<16} failed: {error}", server.name)),
        Ok(sample) => {
            let latency = sample.latency.map_or_else(String::new, |latency| {
                format!(", p50 {:?}, p99 {:?}", latency.p50, latency.p99)
            });
            say(&format!(
                "  {:<16} {:>9} {}, {} in {:.2?}{latency}, {} KiB",
                server.name,
                report::three(sample.cost),
                workload.unit(),
                sample.operations,
                sample.wall,
                sample.resident_kib,
            ));
        }
    }
}

fn write_results(rows: &[Row], rounds: usize) -> Result<(), String> {
    let benches = workspace().join("benches");
    let write = |name: &str, text: String| {
        let file = benches.join(name);
        say(&format!("wrote {}", file.display()));
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))
    };
    fs::create_dir_all(benches.join("plots")).map_err(|error| error.to_string())?;
    write("RESULTS.md", report::markdown(rows, rounds))?;
    write("plots/cost.svg", plot::cost(rows))?;
    write("plots/latency.svg", plot::latency(rows))
}

/// 10,000 connections need as many descriptors here and in the server, which
/// inherits the limit. Where there is no `prlimit`, or no more is allowed, the
/// workloads that need more fail with the system's own words.
fn raise_descriptor_limit() {
    let pid = std::process::id().to_string();
    let limit = |args: &[&str]| {
        Command::new("prlimit")
            .args(["--pid", &pid])
            .args(args)
            .stderr(Stdio::null())
            .output()
    };
    let Ok(output) = limit(&["--nofile", "--noheadings", "--raw", "--output", "HARD"]) else {
        return;
    };
    let hard = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !hard.is_empty() {
        let _ = limit(&[&format!("--nofile={hard}:{hard}")]);
    }
}

/// Runs one workload against a server that somebody else started, for a
/// profiler on the other side.
fn attach(args: &[String]) -> Result<(), String> {
    raise_descriptor_limit();
    let [address, wire, name, flags @ ..] = args else {
        return Err(usage());
    };
    let address: SocketAddr = address.parse().map_err(|_| usage())?;
    let wire = match wire.as_str() {
        "native" => Wire::Native,
        "socketio" => Wire::SocketIo,
        _ => return Err(usage()),
    };
    let mut pid = None;
    let mut pace = Pace::FULL;
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        match flag.as_str() {
            "--quick" => pace = Pace::QUICK,
            "--pid" => pid = flags.next().and_then(|text| text.parse().ok()),
            _ => return Err(usage()),
        }
    }
    let target = Target { address, wire, pid };
    for workload in workloads(name)? {
        let sample = workload::run(workload, target, pace)?;
        say(&format!("{}: {sample:#?}", workload.name()));
    }
    Ok(())
}

fn count_instructions(args: &[String]) -> Result<(), String> {
    let toolchain = instructions::toolchain()?;
    let micro = Surroundings::find(1)?.build_micro()?;
    let counts = instructions::count_all(&micro)?;
    if args.iter().any(|arg| arg == "--accept") {
        say_counts(&counts, &[]);
        return instructions::accept(&toolchain, &counts);
    }
    let Some(recorded) = instructions::recorded(&toolchain)? else {
        say_counts(&counts, &[]);
        say(&format!(
            "nothing to compare with: no counts are accepted for {toolchain} \
             (`cargo xtask bench instructions --accept` accepts these)"
        ));
        return Ok(());
    };
    say_counts(&counts, &recorded);
    let regressions = instructions::regressions(&counts, &recorded);
    if regressions.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "regressions (`cargo xtask bench instructions --accept` accepts them):\n{}",
            regressions.join("\n")
        ))
    }
}

fn say_counts(counts: &[Count], recorded: &[Count]) {
    for count in counts {
        let before = recorded.iter().find(|one| one.target == count.target);
        let before = before.map_or_else(String::new, |one| {
            format!("(accepted {})", one.instructions)
        });
        say(&format!(
            "{:<28} {:>8} {before}",
            count.target, count.instructions
        ));
    }
}
