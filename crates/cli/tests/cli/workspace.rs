//! A folder for one test, and the program in it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder that is empty at first, inside of cargo's target folder.
pub(crate) struct Folder(PathBuf);

/// What the program did.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    /// The folder of the test with this name.
    pub(crate) fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        if path.exists() {
            fs::remove_dir_all(&path).expect("the folder of the last run can be removed");
        }
        fs::create_dir_all(&path).expect("cargo's folder can be written");
        // Otherwise the workspace of the checkout would be around it.
        let root = Self(path);
        root.write("Cargo.toml", "[workspace]\nresolver = \"3\"\n");
        root
    }

    /// The folder with an application in it, which is what is returned.
    pub(crate) fn with_app(test: &str) -> Self {
        let folder = Self::new(test);
        folder
            .run(["new", "app", "--local-path", &checkout()])
            .succeeded();
        Self(folder.0.join("app"))
    }

    /// A folder in it.
    pub(crate) fn inside(&self, folder: &str) -> Self {
        Self(self.0.join(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Runs the program in the folder.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ran {
        let mut command = program();
        // Programs of several tests have the same name.
        let target = self.0.join("target");
        command
            .current_dir(&self.0)
            .env("CARGO_TARGET_DIR", target)
            .args(arguments);
        Ran::of(&mut command)
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().expect("a file in the folder")).expect("it can be made");
        fs::write(path, text).expect("the folder can be written");
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// All files with their texts. Paths of this machine are taken out.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("it can be read") {
                let path = entry.expect("it can be read").path();
                if path == self.0.join("target") {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path
                    .strip_prefix(&self.0)
                    .expect("inside")
                    .display()
                    .to_string();
                let text = fs::read_to_string(&path).expect("a text");
                files.insert(name.replace('\\', "/"), without_paths(&text));
            }
        }
        files
    }

    /// All files as one text, for snapshots.
    pub(crate) fn tree(&self) -> String {
        let mut tree = String::new();
        for (name, text) in self.files() {
            tree.extend(["=== ", &name, "\n", &text]);
        }
        tree
    }
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().expect("the program can be started");
        Self {
            code: status.code(),
            out: without_paths(&String::from_utf8(stdout).expect("text")),
            err: without_paths(&String::from_utf8(stderr).expect("text")),
        }
    }

    /// It ended well; its output.
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "\nout: {}\nerr: {}", self.out, self.err);
        self.out
    }

    /// It failed; what it said.
    #[track_caller]
    pub(crate) fn failed(self) -> String {
        assert_eq!(self.code, Some(1), "\nout: {}\nerr: {}", self.out, self.err);
        assert_eq!(self.out, "", "nothing is printed besides the error");
        self.err
    }
}

/// The program.
pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_nest-gateway"))
}

/// Without the paths of this machine: those of the checkout, absolute or
/// relative to a manifest.
fn without_paths(text: &str) -> String {
    let text = text.replace(&checkout(), "<checkout>");
    let mut shown = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("path = \"../") {
        let (before, path) = rest.split_at(at + "path = \"".len());
        let place = path.find("/crates/").unwrap_or(0);
        shown.extend([before, if place > 0 { "<checkout>" } else { "" }]);
        rest = &path[place..];
    }
    shown + rest
}

/// The checkout that the tests belong to.
pub(crate) fn checkout() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = path.canonicalize().expect("the crate is in a checkout");
    path.display().to_string()
}
