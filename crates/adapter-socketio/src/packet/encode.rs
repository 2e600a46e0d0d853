//! Writes packets, with the Engine.IO type in front, into a buffer.

use nest_gateway_core::json;

/// Begins every text message of Engine.IO.
const MESSAGE: u8 = b'4';

/// `40{"sid":..}`, and the private session id when the client may recover.
pub fn connect(buffer: &mut Vec<u8>, namespace: &str, sid: &str, pid: Option<&str>) {
    head(buffer, b'0', 0, namespace, None);
    buffer.extend_from_slice(b"{\"sid\":");
    string(buffer, sid);
    if let Some(pid) = pid {
        buffer.extend_from_slice(b",\"pid\":");
        string(buffer, pid);
    }
    buffer.push(b'}');
}

/// `44{"message":..,"data":..}`; `data` is JSON.
pub fn connect_error(buffer: &mut Vec<u8>, namespace: &str, message: &str, data: Option<&[u8]>) {
    head(buffer, b'4', 0, namespace, None);
    buffer.extend_from_slice(b"{\"message\":");
    string(buffer, message);
    if let Some(data) = data {
        buffer.extend_from_slice(b",\"data\":");
        buffer.extend_from_slice(data);
    }
    buffer.push(b'}');
}

/// `41`: the client is no longer in the namespace.
pub fn disconnect(buffer: &mut Vec<u8>, namespace: &str) {
    head(buffer, b'1', 0, namespace, None);
}

/// The parts of an event that the server sends.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The namespace, with its leading slash.
    pub namespace: &'a str,
    /// Set when the client is asked for an ack.
    pub id: Option<u64>,
    /// The name of the event.
    pub event: &'a str,
    /// JSON values with commas between them, without brackets; may be empty.
    /// Attachments are placeholders in it.
    pub arguments: &'a [u8],
    /// How many binary messages follow.
    pub attachments: usize,
    /// The offset for connection state recovery, sent as the last argument.
    pub offset: Option<&'a str>,
}

/// `42["event",..]`, or `45n-["event",..]` with attachments.
pub fn event(buffer: &mut Vec<u8>, event: Event<'_>) {
    let kind = if event.attachments > 0 { b'5' } else { b'2' };
    head(buffer, kind, event.attachments, event.namespace, event.id);
    buffer.push(b'[');
    string(buffer, event.event);
    if !event.arguments.is_empty() {
        buffer.push(b',');
        buffer.extend_from_slice(event.arguments);
    }
    if let Some(offset) = event.offset {
        buffer.push(b',');
        string(buffer, offset);
    }
    buffer.push(b']');
}

/// What stands before and behind the only argument of an event.
pub fn around_argument(before: &mut Vec<u8>, behind: &mut Vec<u8>, namespace: &str, event: &str) {
    head(before, b'2', 0, namespace, None);
    before.push(b'[');
    string(before, event);
    before.push(b',');
    behind.push(b']');
}

/// `43id[..]`, or `46n-id[..]` with attachments; `arguments` as in [`Event`].
pub fn ack(buffer: &mut Vec<u8>, namespace: &str, id: u64, arguments: &[u8], attachments: usize) {
    let kind = if attachments > 0 { b'6' } else { b'3' };
    head(buffer, kind, attachments, namespace, Some(id));
    buffer.push(b'[');
    buffer.extend_from_slice(arguments);
    buffer.push(b']');
}

/// The JSON value that stands for the attachment with this number.
pub fn placeholder(buffer: &mut Vec<u8>, number: usize) {
    buffer.extend_from_slice(b"{\"_placeholder\":true,\"num\":");
    decimal(buffer, number as u64);
    buffer.push(b'}');
}

fn head(buffer: &mut Vec<u8>, kind: u8, attachments: usize, namespace: &str, id: Option<u64>) {
    buffer.extend_from_slice(&[MESSAGE, kind]);
    if attachments > 0 {
        decimal(buffer, attachments as u64);
        buffer.push(b'-');
    }
    if namespace != "/" {
        buffer.extend_from_slice(namespace.as_bytes());
        buffer.push(b',');
    }
    if let Some(id) = id {
        decimal(buffer, id);
    }
}

/// A JSON string.
pub(crate) fn string(buffer: &mut Vec<u8>, text: &str) {
    json::write_string(text, buffer);
}

fn decimal(buffer: &mut Vec<u8>, number: u64) {
    // As JSON, which takes a tenth of the instructions of a format string.
    serde_json::to_writer(buffer, &number).expect("a number is JSON and a Vec takes every byte");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut buffer = Vec::new();
        write(&mut buffer);
        String::from_utf8(buffer).unwrap()
    }

    fn plain<'a>(event: &'a str, arguments: &'a [u8]) -> Event<'a> {
        Event {
            namespace: "/",
            id: None,
            event,
            arguments,
            attachments: 0,
            offset: None,
        }
    }

    #[test]
    fn the_reply_to_a_connect_names_the_client() {
        assert_eq!(
            written(|b| connect(b, "/", "abc", None)),
            r#"40{"sid":"abc"}"#
        );
        assert_eq!(
            written(|b| connect(b, "/a", "abc", Some("p"))),
            r#"40/a,{"sid":"abc","pid":"p"}"#
        );
    }

    #[test]
    fn a_refusal_has_a_message_and_may_have_data() {
        assert_eq!(
            written(|b| connect_error(b, "/random", "Invalid namespace", None)),
            r#"44/random,{"message":"Invalid namespace"}"#
        );
        assert_eq!(
            written(|b| connect_error(b, "/", "no \"entry\"", Some(b"{\"code\":1}"))),
            r#"44{"message":"no \"entry\"","data":{"code":1}}"#
        );
    }

    #[test]
    fn events_are_written_as_nodes_server_writes_them() {
        assert_eq!(written(|b| event(b, plain("hi", b""))), r#"42["hi"]"#);
        assert_eq!(
            written(|b| event(b, plain("a\"b", b"1,\"2\""))),
            r#"42["a\"b",1,"2"]"#
        );
        let full = Event {
            namespace: "/a",
            id: Some(12),
            offset: Some("o1"),
            ..plain("e", b"{}")
        };
        assert_eq!(written(|b| event(b, full)), r#"42/a,12["e",{},"o1"]"#);
        let binary = Event {
            namespace: "/a",
            id: Some(3),
            attachments: 2,
            ..plain("e", b"0")
        };
        assert_eq!(written(|b| event(b, binary)), r#"452-/a,3["e",0]"#);
    }

    #[test]
    fn acks_and_disconnects_are_written_as_nodes_server_writes_them() {
        assert_eq!(
            written(|b| ack(b, "/", 456, b"1,\"2\"", 0)),
            r#"43456[1,"2"]"#
        );
        assert_eq!(written(|b| ack(b, "/", 0, b"", 0)), "430[]");
        let mut value = Vec::new();
        placeholder(&mut value, 0);
        assert_eq!(
            written(|b| ack(b, "/n", 7, &value, 1)),
            r#"461-/n,7[{"_placeholder":true,"num":0}]"#
        );
        assert_eq!(written(|b| disconnect(b, "/")), "41");
        assert_eq!(written(|b| disconnect(b, "/n")), "41/n,");
    }
}
