//! The fuzz targets on their corpus, and on a bounded number of mutations of it.

#[path = "../../../fuzz/src/lib.rs"]
#[allow(
    unreachable_pub,
    missing_docs,
    clippy::pedantic,
    reason = "a crate of its own, here a module"
)]
mod targets;

use std::fs;
use std::path::Path;

/// How many mutations of each corpus file are tried.
const MUTATIONS: u32 = 2000;

/// Runs a target on each file as it is, then cut, repeated, with bits flipped and bytes exchanged.
fn run(target: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut files = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let seed = fs::read(entry.unwrap().path()).unwrap();
        files += 1;
        check(&seed);
        let mut random = Random(0x2545_f491_4f6c_dd1d ^ seed.len() as u64);
        for _ in 0..MUTATIONS {
            check(&mutate(&seed, &mut random));
        }
    }
    assert!(files > 4, "the corpus of {target} is there");
}

fn mutate(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let len = bytes.len();
        match random.below(5) {
            _ if len == 0 => bytes.push(0),
            0 => {
                let at = random.below(len);
                bytes[at] ^= 1 << random.below(8);
            }
            1 => {
                let at = random.below(len);
                bytes[at] = u8::try_from(random.below(256)).unwrap();
            }
            2 => bytes.truncate(random.below(len + 1)),
            3 => bytes.extend_from_slice(&seed[..random.below(seed.len() + 1)]),
            _ => {
                bytes.remove(random.below(len));
            }
        }
    }
    bytes
}

/// Xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

#[test]
fn receiving_never_panics_nor_depends_on_cuts() {
    run("receive", targets::receive);
}

#[test]
fn inflating_never_panics_nor_depends_on_cuts() {
    run("inflate", targets::inflate);
}

#[test]
fn tungstenite_receives_the_same() {
    run("differential", targets::differential);
}
