//! The dependencies of generated code.

use std::path::{Path, PathBuf};

use crate::edit::manifest::{self, Dependency, DependencySource};
use crate::failure::{Context as _, Failure, Outcome};

/// Where generated packages take our crates from.
#[derive(Clone, Debug)]
pub(crate) enum OurCrates {
    /// The registry, in the version of this command line.
    Registry,
    /// A folder that holds the crates.
    Folder(PathBuf),
}

impl OurCrates {
    /// The checkout at `--local-path`; without it, where the package takes
    /// nest-gateway from, or else the registry.
    pub(crate) fn choose(local_path: Option<&Path>, manifest: Option<&str>) -> Outcome<Self> {
        if let Some(checkout) = local_path {
            return Self::checkout(checkout);
        }
        let Some(text) = manifest else {
            return Ok(Self::Registry);
        };
        let present = manifest::dependency_path(text, "nest-gateway")?;
        let folder = present.as_deref().map(Path::new).and_then(Path::parent);
        Ok(folder.map_or(Self::Registry, |folder| Self::Folder(folder.to_owned())))
    }

    fn checkout(path: &Path) -> Outcome<Self> {
        let option = || format!("--local-path {}", path.display());
        let absolute = path.canonicalize().context(option())?;
        if !absolute.join("crates/nest-gateway/Cargo.toml").is_file() {
            return Err(Failure::new(format!(
                "{} is not a checkout of nest-gateway: it has no crates/nest-gateway",
                option()
            )));
        }
        Ok(Self::Folder(absolute.join("crates")))
    }

    fn source(&self, folder: &str) -> DependencySource {
        match self {
            Self::Registry => DependencySource::Version(env!("CARGO_PKG_VERSION").to_owned()),
            Self::Folder(crates) => {
                let path = crates.join(folder).display().to_string();
                DependencySource::Path(path.replace('\\', "/"))
            }
        }
    }

    /// The library, with these features.
    pub(crate) fn gateway(&self, features: &[&'static str]) -> Dependency {
        Dependency {
            name: "nest-gateway",
            source: self.source("nest-gateway"),
            features: features.to_vec(),
            default_features: true,
        }
    }

    /// The test kit, with these features.
    pub(crate) fn testkit(&self, features: &[&'static str]) -> Dependency {
        Dependency {
            name: "nest-gateway-testkit",
            source: self.source("testkit"),
            features: features.to_vec(),
            default_features: true,
        }
    }
}

/// Serialising of bodies.
pub(crate) fn serde() -> Dependency {
    Dependency {
        name: "serde",
        source: DependencySource::Version("1".to_owned()),
        features: vec!["derive"],
        default_features: true,
    }
}

/// JSON schemas of bodies.
pub(crate) fn schemars() -> Dependency {
    Dependency {
        name: "schemars",
        source: DependencySource::Version("1".to_owned()),
        features: Vec::new(),
        default_features: true,
    }
}

/// The runtime.
pub(crate) fn tokio() -> Dependency {
    Dependency {
        name: "tokio",
        source: DependencySource::Version("1".to_owned()),
        features: vec!["macros", "rt-multi-thread"],
        default_features: true,
    }
}

/// Streams, for replies of several items.
pub(crate) fn futures_util() -> Dependency {
    Dependency {
        name: "futures-util",
        source: DependencySource::Version("0.3".to_owned()),
        features: vec!["std"],
        default_features: false,
    }
}

/// The log of a program.
pub(crate) fn tracing_subscriber() -> Dependency {
    Dependency {
        name: "tracing-subscriber",
        source: DependencySource::Version("0.3".to_owned()),
        features: Vec::new(),
        default_features: true,
    }
}
