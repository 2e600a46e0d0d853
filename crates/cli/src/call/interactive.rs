//! Many messages, typed by hand.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Editor, ExternalPrinter, Helper};
use serde_json::value::RawValue;

use super::link::{Cancel, Link, Said};
use super::once::shown;
use super::{GRACE, json};
use crate::failure::{Context as _, Failure, Outcome};
use crate::output;

/// How often the connection looks for something to send.
const TICK: Duration = Duration::from_millis(20);
/// Lines that wait to be sent.
const WAITING: usize = 64;

const HELP: &str = "\
  event {json}    send an event with data and print its reply
  event           send an event without data
  /cancel what    cancel streams: of a request by its number, or of an event
  /answer id data answer a question of the server
  /events         list the events that the server publishes
  /quit           end";

/// What the user typed.
enum Typed {
    Send {
        event: String,
        data: Option<Box<RawValue>>,
    },
    Cancel(Cancel),
    Answer {
        id: String,
        data: Option<Box<RawValue>>,
    },
}

/// Where lines from the server are printed: above the line that is being typed.
type Printer = Box<dyn FnMut(&str) + Send>;

/// Reads lines from the terminal, or from what is piped in, until they end.
pub(crate) fn run(link: Box<dyn Link>, events: &[String], timeout: Duration) -> Outcome<()> {
    if !io::stdin().is_terminal() {
        let printer: Printer = Box::new(|text| {
            // Whoever read the output is gone, and so is the purpose of it.
            if output::line(text).is_err() {
                std::process::exit(1);
            }
        });
        let connection = Connection::start(link, printer, timeout);
        for typed in io::stdin().lock().lines() {
            let typed = typed.context("the standard input")?;
            if !connection.take(&typed, events)? {
                break;
            }
        }
        return connection.finish();
    }
    let config = Config::builder().auto_add_history(true).build();
    let mut editor: Editor<Words, MemHistory> =
        Editor::with_history(config, MemHistory::new()).context("the terminal")?;
    let mut above = editor.create_external_printer().context("the terminal")?;
    let printer: Printer = Box::new(move |text| {
        // Without a terminal there is nobody to read it.
        let _ = above.print(format!("{text}\n"));
    });
    let known = if events.is_empty() {
        "connected; /help shows what can be typed"
    } else {
        "connected; Tab completes events, /help shows what can be typed"
    };
    output::line(known)?;
    editor.set_helper(Some(Words(events.to_vec())));
    let connection = Connection::start(link, printer, timeout);
    loop {
        match editor.readline("> ") {
            Ok(typed) => match connection.take(&typed, events) {
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) => output::line(&format!("error: {failure}"))?,
            },
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => break,
            Err(error) => return Err(Failure::new(format!("the terminal: {error}"))),
        }
    }
    connection.finish()
}

/// The connection, in a thread of its own.
struct Connection {
    typed: SyncSender<Typed>,
    thread: thread::JoinHandle<Outcome<()>>,
}

impl Connection {
    fn start(link: Box<dyn Link>, printer: Printer, timeout: Duration) -> Self {
        let (typed, lines) = sync_channel(WAITING);
        let thread = thread::spawn(move || Exchange::new(link, printer, timeout).run(&lines));
        Self { typed, thread }
    }

    /// Carries out a line; `false` ends everything.
    fn take(&self, line: &str, events: &[String]) -> Outcome<bool> {
        let line = line.trim();
        let typed = match line.split_once(' ').unwrap_or((line, "")) {
            ("", _) => return Ok(true),
            ("/quit" | "/exit", _) => return Ok(false),
            ("/help", _) => return output::line(HELP).map(|()| true),
            ("/events", _) if events.is_empty() => {
                return output::line("the server publishes no contract at /asyncapi.json")
                    .map(|()| true);
            }
            ("/events", _) => return output::line(&events.join("\n")).map(|()| true),
            ("/cancel", what) if !what.trim().is_empty() => {
                let what = what.trim();
                let number = what.trim_start_matches('#').parse();
                Typed::Cancel(
                    number.map_or_else(|_| Cancel::Event(what.to_owned()), Cancel::Request),
                )
            }
            ("/answer", rest) if !rest.trim().is_empty() => {
                let (id, data) = word_and_data(rest)?;
                Typed::Answer { id, data }
            }
            (command, _) if command.starts_with('/') => {
                return Err(Failure::new(format!(
                    "`{line}` is not understood; /help shows what is"
                )));
            }
            _ => {
                let (event, data) = word_and_data(line)?;
                Typed::Send { event, data }
            }
        };
        // The connection has ended when nobody takes it; `finish` says why.
        Ok(self.typed.send(typed).is_ok())
    }

    /// Waits for outstanding replies, and ends.
    fn finish(self) -> Outcome<()> {
        drop(self.typed);
        match self.thread.join() {
            Ok(result) => result,
            Err(_) => Err(Failure::new("the connection's thread failed")),
        }
    }
}

fn word_and_data(line: &str) -> Outcome<(String, Option<Box<RawValue>>)> {
    let line = line.trim();
    let (word, data) = line.split_once(' ').unwrap_or((line, ""));
    let data = Some(data.trim()).filter(|data| !data.is_empty());
    Ok((word.to_owned(), data.map(json).transpose()?))
}

/// Sends what was typed and prints what arrives.
struct Exchange {
    link: Box<dyn Link>,
    printer: Printer,
    timeout: Duration,
    last_request: u64,
    /// Requests without any reply so far.
    outstanding: BTreeSet<u64>,
    /// Requests whose replies go on.
    streams: BTreeSet<u64>,
}

impl Exchange {
    fn new(link: Box<dyn Link>, printer: Printer, timeout: Duration) -> Self {
        Self {
            link,
            printer,
            timeout,
            last_request: 0,
            outstanding: BTreeSet::new(),
            streams: BTreeSet::new(),
        }
    }

    fn run(mut self, lines: &Receiver<Typed>) -> Outcome<()> {
        loop {
            match lines.try_recv() {
                Ok(typed) => self.send(typed)?,
                Err(TryRecvError::Disconnected) => return self.drain(),
                Err(TryRecvError::Empty) => {
                    if let Some(said) = self.link.next(TICK)? {
                        self.show(&said)?;
                    }
                }
            }
        }
    }

    fn send(&mut self, typed: Typed) -> Outcome<()> {
        match typed {
            Typed::Send { event, data } => {
                self.last_request += 1;
                self.outstanding.insert(self.last_request);
                self.link
                    .send(&event, data.as_deref(), Some(self.last_request))
            }
            Typed::Cancel(what) => self.link.cancel(&what),
            Typed::Answer { id, data } => self.link.answer(&id, data.as_deref()),
        }
    }

    fn show(&mut self, said: &Said) -> Outcome<()> {
        let text = shown(said);
        match said {
            Said::Closed { .. } => return Err(Failure::new(text)),
            // A second item proves that the reply is a stream, which has an end.
            Said::Reply { request, .. }
                if !self.link.replies_end_streams() && !self.outstanding.contains(request) =>
            {
                self.streams.insert(*request);
            }
            Said::Reply { request, .. }
            | Said::Done { request }
            | Said::Exception {
                request: Some(request),
                ..
            } => {
                self.outstanding.remove(request);
                self.streams.remove(request);
            }
            _ => {}
        }
        (self.printer)(&format!("< {text}"));
        Ok(())
    }

    /// Waits until every request has a reply and nothing more comes.
    fn drain(&mut self) -> Outcome<()> {
        let mut quiet_after = Instant::now() + self.timeout;
        loop {
            let waiting = self.outstanding.len() + self.streams.len();
            let patience = if waiting == 0 {
                GRACE
            } else {
                quiet_after.saturating_duration_since(Instant::now())
            };
            match self.link.next(patience)? {
                Some(said) => {
                    self.show(&said)?;
                    quiet_after = Instant::now() + self.timeout;
                }
                None if waiting == 0 => break,
                None => {
                    return Err(Failure::new(format!(
                        "{waiting} of the messages had no complete reply within {:?}",
                        self.timeout
                    )));
                }
            }
        }
        self.link.close();
        Ok(())
    }
}

/// Completes the first word of a line.
struct Words(Vec<String>);

impl Completer for Words {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = line[..position].trim_start();
        let commands = ["/cancel", "/answer", "/events", "/help", "/quit"];
        let words = self.0.iter().map(String::as_str).chain(commands);
        let fitting = words
            .filter(|word| word.starts_with(typed))
            .map(|word| format!("{word} "));
        Ok((position - typed.len(), fitting.collect()))
    }
}

impl Hinter for Words {
    type Hint = String;
}
impl Highlighter for Words {}
impl Validator for Words {}
impl Helper for Words {}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(line: &str) -> (usize, Vec<String>) {
        let words = Words(vec!["send_message".to_owned(), "send_file".to_owned()]);
        let history = MemHistory::new();
        let context = rustyline::Context::new(&history);
        words
            .complete(line, line.len(), &context)
            .expect("no reason to fail")
    }

    #[test]
    fn published_events_and_commands_are_completed_at_the_begin_of_a_line() {
        assert_eq!(completed("send_m"), (0, vec!["send_message ".to_owned()]));
        assert_eq!(completed("  send").1, ["send_message ", "send_file "]);
        assert_eq!(completed("/ca"), (0, vec!["/cancel ".to_owned()]));
        assert!(completed("send_message {").1.is_empty());
    }
}
