//! The generator against the floor, and against servers that cheat.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use nest_gateway_benches::frame::{self, TEXT};
use nest_gateway_benches::handshake;
use nest_gateway_benches::server::Running;
use nest_gateway_benches::wire::Wire;
use nest_gateway_benches::workload::{self, Pace, Target, Workload};

const PACE: Pace = Pace {
    warm_up: Duration::from_millis(10),
    duration: Duration::from_millis(40),
    scale: 50,
};

#[test]
fn the_floor_passes_every_workload() {
    for flags in [&[][..], &["--one-write-per-delivery"]] {
        for workload in workload::ALL {
            let mut command = Command::new(env!("CARGO_BIN_EXE_peer-floor"));
            command
                .args(["--port", "0"])
                .args(flags)
                .stdin(Stdio::null())
                .stdout(Stdio::piped());
            let floor = Running::start(command, Wire::Native).expect("the floor starts");
            let mut target = floor.target;
            if cfg!(not(target_os = "linux")) {
                target.pid = None;
            }
            let sample = workload::run(workload, target, PACE);
            let sample = sample.unwrap_or_else(|error| panic!("{}: {error}", workload.name()));
            assert!(sample.operations > 0, "{}", workload.name());
            assert!(sample.cost > 0.0 || target.pid.is_none());
        }
    }
}

/// What a server does to message 5 for the first member of the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Lose,
    Repeat,
    Swap,
    Change,
    WrongEvent,
}

#[test]
fn a_lost_a_repeated_a_swapped_and_a_changed_message_end_the_run() {
    let workload = Workload::Broadcast {
        in_flight: 8,
        bytes: 64,
    };
    let run = |fault| workload::run(workload, faulty_server(fault), PACE);
    run(Fault::None).expect("the server without a fault passes");
    let next = "expected message 5 and got 6";
    for (fault, expected) in [
        (Fault::Lose, next),
        (Fault::Repeat, "expected message 6 and got 5"),
        (Fault::Swap, next),
        (Fault::Change, "changed data"),
        (Fault::WrongEvent, "expected event msg"),
    ] {
        let error = run(fault).expect_err("a fault is found");
        assert!(error.contains(expected), "{fault:?}: {error}");
    }
}

/// A thread for each connection, which is enough for the few of this test; all
/// end when the generator drops its connections, the listener with the process.
fn faulty_server(fault: Fault) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let members = Arc::new(Mutex::new(Vec::new()));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let members = Arc::clone(&members);
            thread::spawn(move || serve(stream, &members, fault));
        }
    });
    Target {
        address,
        wire: Wire::Native,
        pid: None,
    }
}

/// Serves one client until it leaves or the members do.
fn serve(mut stream: TcpStream, members: &Mutex<Vec<TcpStream>>, fault: Fault) -> Option<()> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    let mut upgraded = false;
    let mut number = 0;
    loop {
        let count = stream.read(&mut chunk).ok().filter(|&count| count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        if !upgraded && let Some(len) = handshake::head_len(&bytes) {
            let head = String::from_utf8_lossy(&bytes[..len]).into_owned();
            let key = handshake::header(&head, "sec-websocket-key")?;
            stream.write_all(handshake::response(key).as_bytes()).ok()?;
            bytes.drain(..len);
            upgraded = true;
        }
        while let Some((_, payload, len)) = frame::unmask_client_frame(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[payload]).into_owned();
            bytes.drain(..len);
            if text.contains("\"join\"") {
                let mut members = members.lock().expect("no panic under the lock");
                members.push(stream.try_clone().ok()?);
                let reply = r#"{"event":"join","data":{"joined":"r"}}"#;
                stream.write_all(&server_frame(reply)).ok()?;
            } else {
                let text = text.replace("\"bcast\"", "\"msg\"");
                broadcast(&text, number, members, fault)?;
                number += 1;
            }
        }
    }
}

fn broadcast(text: &str, number: u64, members: &Mutex<Vec<TcpStream>>, fault: Fault) -> Option<()> {
    let mut members = members.lock().expect("no panic under the lock");
    for (index, member) in members.iter_mut().enumerate() {
        let good = server_frame(text);
        let sent = match (index, number, fault) {
            // What is swapped goes out behind the next.
            (0, 5, Fault::Lose | Fault::Swap) => Vec::new(),
            (0, 5, Fault::Repeat) => good.repeat(2),
            (0, 6, Fault::Swap) => [good, server_frame(&text.replace("06", "05"))].concat(),
            (0, 5, Fault::Change) => server_frame(&text.replace('k', "K")),
            (0, 5, Fault::WrongEvent) => server_frame(&text.replace("msg", "mgs")),
            _ => good,
        };
        member.write_all(&sent).ok()?;
    }
    Some(())
}

fn server_frame(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::push_server_frame(TEXT, text.as_bytes(), &mut bytes);
    bytes
}
