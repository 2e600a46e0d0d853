//! Bodies on their way in and out.

use std::collections::BTreeMap;
use std::fmt::Debug;

use bytes::Bytes;
use nest_gateway_core::payload::{BodyError, FieldProblem, Payload, Problem};
use nest_gateway_core::value::{Value, to_value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;

#[derive(Debug, PartialEq, Deserialize, Serialize)]
struct Order {
    id: u32,
    #[serde(default)]
    items: Vec<Item>,
    note: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Item {
    name: String,
    #[serde(default)]
    size: Size,
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Size {
    #[default]
    Small,
    Large {
        by: u8,
    },
}

struct Blob(&'static [u8]);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

fn json(text: &str) -> Payload {
    Payload::from_json(Bytes::copy_from_slice(text.as_bytes()))
}

/// The problems of a body, decoded from text and from a tree.
#[track_caller]
fn problems<T: DeserializeOwned + Debug>(text: &str) -> Vec<(String, Problem)> {
    let error = json(text).decode::<T>().expect_err("the body is wrong");
    if let Ok(value) = json(text).to_value() {
        assert_eq!(
            Payload::from_value(value).decode::<T>().as_ref().err(),
            Some(&error)
        );
    }
    let problems = error.problems().iter().cloned();
    problems
        .map(|FieldProblem { path, problem }| (path, problem))
        .collect()
}

#[track_caller]
fn problem_of<T: DeserializeOwned + Debug>(text: &str) -> (String, Problem) {
    let mut problems = problems::<T>(text);
    assert_eq!(problems.len(), 1);
    problems.remove(0)
}

fn at(path: &str, problem: Problem) -> (String, Problem) {
    (path.to_owned(), problem)
}

#[test]
fn a_right_body_is_decoded_from_text_and_from_a_tree() {
    let text = r#"{"id": 7, "items": [{"name": "x", "size": {"large": {"by": 2}}}], "?": 1}"#;
    let order = Order {
        id: 7,
        items: vec![Item {
            name: "x".into(),
            size: Size::Large { by: 2 },
        }],
        note: None,
    };
    assert_eq!(json(text).decode(), Ok(order));
    let tree = Payload::from_value(json(text).to_value().unwrap());
    assert_eq!(tree.decode::<Order>(), json(text).decode());
}

#[test]
fn a_wrong_body_says_where_and_what() {
    let order = problem_of::<Order>;
    assert_eq!(order(r#"{"items": []}"#), at("id", Problem::Missing));
    assert_eq!(order(r#"{"id": "7"}"#), at("id", Problem::WrongType));
    assert_eq!(order(r#"{"id": -7}"#), at("id", Problem::InvalidValue));
    assert_eq!(
        order(r#"{"id": 7, "items": 8}"#),
        at("items", Problem::WrongType)
    );
    assert_eq!(
        order(r#"{"id": 7, "items": [{"name": "a"}, {}]}"#),
        at("items[1].name", Problem::Missing)
    );
    assert_eq!(
        order(r#"{"id": 7, "items": [{"name": "a", "colour": 1}]}"#),
        at("items[0].colour", Problem::UnknownField)
    );
    assert_eq!(
        order(r#"{"id": 7, "items": [{"name": "a", "size": "huge"}]}"#),
        at("items[0].size", Problem::UnknownVariant)
    );
    assert_eq!(
        order(r#"{"id": 7, "items": [{"name": "a", "size": {"large": {"by": 300}}}]}"#),
        at("items[0].size.large.by", Problem::InvalidValue)
    );
    assert_eq!(order("[]"), at("", Problem::InvalidValue));
    assert_eq!(order("3"), at("", Problem::WrongType));
    assert_eq!(order("null"), at("", Problem::WrongType));
    assert_eq!(
        problem_of::<Vec<u8>>("[1, 2, 300]"),
        at("[2]", Problem::InvalidValue)
    );
}

#[test]
fn no_word_of_serde_and_no_type_name_leaves() {
    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    #[allow(dead_code, reason = "only the error is of interest")]
    enum Secret {
        Known(SecretStruct),
        Number(u8),
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only the error is of interest")]
    struct SecretStruct {
        a: u8,
    }
    let error = json(r#"{"b": "data of the client"}"#)
        .decode::<Secret>()
        .unwrap_err();
    assert_eq!(
        serde_json::to_value(&error).unwrap(),
        json!([{"path": "", "problem": "invalid value"}])
    );
    assert_eq!(error.to_string(), "body: invalid value");
    let error = json("\"text\"")
        .decode::<SecretStruct>()
        .map(|_| ())
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("SecretStruct"));
}

#[test]
fn a_problem_serialises_as_path_and_words() {
    let error = json(r#"{"id": 7, "items": [{}]}"#)
        .decode::<Order>()
        .unwrap_err();
    assert_eq!(
        serde_json::to_value(&error).unwrap(),
        json!([{"path": "items[0].name", "problem": "missing"}])
    );
    assert_eq!(error.to_string(), "items[0].name: missing");
    let seen_from_outside = error.within("order");
    assert_eq!(seen_from_outside.problems()[0].path, "order.items[0].name");
    assert_eq!(
        BodyError::from(Problem::Missing).within("order").problems()[0].path,
        "order"
    );
}

#[test]
fn a_list_of_problems_and_a_path_are_bounded() {
    let long = "k".repeat(10_000);
    let many = (0..100).map(|_| FieldProblem::new(&long, Problem::Rule("no".into())));
    let error = BodyError::new(many);
    assert_eq!(error.problems().len(), 33);
    assert_eq!(error.problems()[32].problem.to_string(), "68 more problems");
    assert!(error.problems()[0].path.len() < 300);
    let (path, _) = problem_of::<BTreeMap<String, u8>>(&format!(r#"{{"{long}ü": "x"}}"#));
    assert!(path.len() < 300);
}

#[test]
fn the_last_of_duplicate_keys_wins_for_structs_too() {
    let text = r#"{"id": 1, "note": "a", "id": 2}"#;
    assert_eq!(json(text).decode::<Order>().unwrap().id, 2);
    assert_eq!(json(text).field("id").decode(), Ok(2));
    assert_eq!(
        problem_of::<Order>(r#"{"id": 1, "id": "x"}"#),
        at("id", Problem::WrongType)
    );
}

#[test]
fn text_that_is_not_json_is_a_clean_error() {
    for text in [
        "",
        "{",
        r#"{"id": }"#,
        "[1,]",
        "nul",
        "1 2",
        "\u{feff}1",
        "{\"a\u{0}\":1}",
    ] {
        let (_, problem) = problem_of::<Value>(text);
        assert_eq!(problem, Problem::Syntax, "{text:?}");
    }
    assert_eq!(
        json(r#"{"note": "\ud800", "id": 1}"#)
            .decode::<Order>()
            .unwrap_err()
            .problems()[0]
            .problem,
        Problem::Syntax
    );
    let not_utf8 = Payload::from_json(Bytes::from_static(b"\"\xff\""));
    assert_eq!(not_utf8.decode::<String>(), Err(Problem::Syntax.into()));
    assert!(serde_json::to_string(&not_utf8).is_err());
}

#[test]
fn numbers_that_are_too_big_are_refused_at_their_place() {
    assert_eq!(
        problem_of::<Value>(r#"{"a": [1, 1e400]}"#),
        at("a[1]", Problem::InvalidValue)
    );
    assert_eq!(problem_of::<f64>("-1e400"), at("", Problem::InvalidValue));
    assert!(
        json("123456789012345678901234567890")
            .decode::<u128>()
            .is_ok()
    );
    assert!(
        json("123456789012345678901234567890")
            .decode::<u64>()
            .is_err()
    );
}

#[test]
fn deep_nesting_is_an_error_and_not_an_overflow() {
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(json(&deep(127)).to_value().is_ok());
    for levels in [128, 200_000] {
        assert_eq!(problem_of::<Value>(&deep(levels)), at("", Problem::Depth));
        let field = json(&format!(r#"{{"a": {}}}"#, deep(levels))).field("a");
        assert_eq!(field.decode::<Value>(), Err(Problem::Depth.into()));
    }
    let objects = r#"{"a":"#.repeat(200_000);
    assert_eq!(problem_of::<Value>(&objects), at("", Problem::Depth));
}

#[test]
fn an_empty_body_decodes_as_null_does_and_is_missing_for_a_struct() {
    assert_eq!(Payload::empty().decode(), Ok(()));
    assert_eq!(Payload::empty().decode(), Ok(None::<Order>));
    assert_eq!(Payload::empty().decode(), Ok(Value::Null));
    assert_eq!(
        Payload::empty().decode::<Order>(),
        Err(Problem::Missing.into())
    );
    assert!(Payload::empty().is_empty() && Payload::default().is_empty());
    assert!(!json("null").is_empty() && !Payload::from_value(Value::Null).is_empty());
}

#[test]
fn what_is_serialised_is_json_text_at_once() {
    let payload = Payload::from_serialize(&json!({"a": [1, "ü"]})).unwrap();
    assert_eq!(payload.as_json().unwrap(), r#"{"a":[1,"ü"]}"#.as_bytes());
    assert!(payload.as_value().is_none() && !payload.has_binary());
    assert_eq!(
        Payload::from_serialize("x").unwrap().as_json().unwrap(),
        &b"\"x\""[..]
    );
    assert_eq!(
        Payload::from_serialize(&()).unwrap().as_json().unwrap(),
        &b"null"[..]
    );
    assert!(Payload::from_serialize(&BTreeMap::from([((1, 2), 3)])).is_err());
}

#[test]
fn bytes_make_it_a_tree_that_keeps_them_and_json_gets_base64() {
    let payload = Payload::from_serialize(&("x", [Blob(b"\xff\0\x01")])).unwrap();
    assert!(payload.has_binary() && payload.as_json().is_none());
    assert_eq!(
        payload.as_value().unwrap()[1][0].as_bytes().unwrap(),
        &b"\xff\0\x01"[..]
    );
    assert_eq!(payload.to_json().unwrap(), &br#"["x",["/wAB"]]"#[..]);
    assert_eq!(Payload::empty().to_json().unwrap(), &b"null"[..]);
}

#[test]
fn a_field_is_taken_out_without_decoding_the_others_and_without_a_copy() {
    let text = Bytes::from_static(br#" {"skip": 1e400, "user": {"id": [1, 2]}, "us\u0065r2": 3} "#);
    let payload = Payload::from_json(text.clone());
    let user = payload.field("user");
    assert_eq!(user.as_json().unwrap(), &br#"{"id": [1, 2]}"#[..]);
    assert!(
        text.as_ptr_range()
            .contains(&user.as_json().unwrap().as_ptr())
    );
    assert_eq!(payload.field("user2").decode(), Ok(3));
    assert!(payload.field("nobody").is_empty());
    for other in ["[1]", "3", "\"user\"", "null", "{", ""] {
        assert!(json(other).field("user").is_empty(), "{other}");
    }
    let tree = Payload::from_value(json!({"user": 1}).into());
    assert_eq!(tree.field("user").decode(), Ok(1));
    assert!(tree.field("nobody").is_empty() && Payload::empty().field("x").is_empty());
}

#[test]
fn a_payload_serialises_into_any_format() {
    let tree: Value = [
        ("a", Value::from(Bytes::from_static(b"\xff"))),
        ("b", 1.into()),
    ]
    .into_iter()
    .collect();
    assert_eq!(to_value(&Payload::from_value(tree.clone())).unwrap(), tree);
    assert_eq!(
        to_value(&json(r#"{"a": [null, true]}"#)).unwrap()["a"][1],
        true.into()
    );
    assert_eq!(to_value(&Payload::empty()).unwrap(), Value::Null);
    assert_eq!(serde_json::to_value([json("[1]")]).unwrap(), json!([[1]]));
}

#[test]
fn the_debug_form_is_short_and_hides_binary() {
    assert_eq!(format!("{:?}", Payload::empty()), "<empty>");
    assert_eq!(format!("{:?}", json(r#"{"a": 1}"#)), r#"{"a": 1}"#);
    let tree: Value = vec![Value::from(Bytes::from(vec![7; 5000])), "x".into()].into();
    assert_eq!(
        format!("{:?}", Payload::from_value(tree)),
        r#"[<5000 bytes>,"x"]"#
    );
    for long in ["ü".repeat(5000), "a".to_owned() + &"ü".repeat(5000)] {
        for payload in [json(&long), Payload::from_value(long.as_str().into())] {
            let shown = format!("{payload:?}");
            assert!(
                shown.len() <= 256 + "…".len() && shown.ends_with("ü…"),
                "{shown}"
            );
        }
    }
}

#[test]
fn the_size_is_that_of_the_text_or_about_that_of_the_tree() {
    assert_eq!(Payload::empty().size_hint_bytes(), 0);
    assert_eq!(json("[1, 2]").size_hint_bytes(), 6);
    let megabyte = Payload::from_value(vec![Bytes::from(vec![0; 1_000_000])].into());
    assert!((1_000_000..1_000_100).contains(&megabyte.size_hint_bytes()));
}
