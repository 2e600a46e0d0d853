//! What the feature `metrics` counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString,
    Unit,
};
use nest_gateway::core::observe::names;
use nest_gateway_testkit::{TestApp, assert_exception, assert_reply};

use crate::ObservedModule;

/// The figures by name and labels: `name{label=value}`.
#[derive(Clone, Default)]
struct Figures(Arc<Mutex<HashMap<String, i64>>>);

impl Figures {
    fn add(&self, name: &str, value: i64) {
        *self.0.lock().unwrap().entry(name.to_owned()).or_default() += value;
    }

    fn get(&self, name: &str) -> i64 {
        self.0.lock().unwrap().get(name).copied().unwrap_or(0)
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }
}

struct Figure {
    name: String,
    figures: Figures,
}

impl CounterFn for Figure {
    fn increment(&self, value: u64) {
        let value = i64::try_from(value).expect("a small number");
        self.figures.add(&self.name, value);
    }

    fn absolute(&self, _: u64) {
        panic!("nothing here counts absolutely");
    }
}

/// The gauges here go up and down by one.
impl GaugeFn for Figure {
    fn increment(&self, _: f64) {
        self.figures.add(&self.name, 1);
    }

    fn decrement(&self, _: f64) {
        self.figures.add(&self.name, -1);
    }

    fn set(&self, _: f64) {}
}

impl Figures {
    fn figure(&self, key: &Key) -> Arc<Figure> {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        Arc::new(Figure {
            name: format!("{}{{{}}}", key.name(), labels.join(",")),
            figures: self.clone(),
        })
    }
}

impl Recorder for Figures {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.figure(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.figure(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test]
async fn connections_messages_and_outcomes_are_counted_and_unknown_events_name_no_label() {
    let figures = Figures::default();
    metrics::set_global_recorder(figures.clone()).expect("the only recorder");
    let app = TestApp::new::<ObservedModule>().start().await;
    let mut client = app.client("/observed").connect().await;
    assert_reply!(client, "echo", 1 => 1);
    assert_reply!(client, "echo", 2 => 2);
    assert_exception!(client, "fail", 1 => {"message": "no"});
    assert_exception!(client, "chosen_by_the_client", 1 => {"code": "unknown_event"});

    let connected = format!("{}{{adapter=memory}}", names::CLIENTS);
    assert_eq!(figures.get(&connected), 1);
    let messages = |labels: &str| figures.get(&format!("{}{{{labels}}}", names::MESSAGES));
    assert_eq!(messages("event=echo,outcome=handled"), 2);
    assert_eq!(messages("event=fail,outcome=failed"), 1);
    assert_eq!(messages("event=,outcome=unknown"), 1);
    let all = figures.names().join(" ");
    assert!(!all.contains("chosen_by_the_client"), "{all}");

    client.close(1000, "").await;
    assert!(app.shut_down().await, "everybody has gone");
    assert_eq!(figures.get(&connected), 0);
}
