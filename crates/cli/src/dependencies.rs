//! The dependencies of generated code.

use std::path::{Component, Path, PathBuf};

use crate::edit::manifest::{self, Dependency, DependencySource, Origin, Section};
use crate::failure::{Context as _, Failure, Outcome};
use crate::project::workspace_around;

/// The library's name.
const OURS: &str = "nest-gateway";

/// Where generated packages take our crates from.
#[derive(Clone, Debug)]
pub(crate) enum OurCrates {
    /// The registry, in the version of this command line.
    Registry,
    /// A folder that holds the crates.
    Folder(PathBuf),
    /// A repository: the keys of a dependency that say which, and what of it.
    Repository(Vec<(String, String)>),
}

impl OurCrates {
    /// For the package in the folder `root`: the checkout at `--local-path`;
    /// without it, where the package (or its workspace) takes nest-gateway
    /// from, or else the registry.
    pub(crate) fn choose(
        local_path: Option<&Path>,
        root: &Path,
        manifest: Option<&str>,
    ) -> Outcome<Self> {
        if let Some(checkout) = local_path {
            return Self::checkout(checkout, root);
        }
        let Some(text) = manifest else {
            return Ok(Self::Registry);
        };
        match manifest::origin(text, Section::Normal.key(), OURS)? {
            Some(Origin::Workspace) => Self::of_workspace(root),
            origin => Ok(Self::of(origin, |path| path)),
        }
    }

    /// Where the workspace around a package takes nest-gateway from.
    fn of_workspace(root: &Path) -> Outcome<Self> {
        let Some((path, text)) = workspace_around(root)? else {
            return Ok(Self::Registry);
        };
        let origin = manifest::origin(&text, "workspace.dependencies", OURS)?;
        // Paths in it are relative to it, and ours to the package.
        let workspace = path.parent().unwrap_or(root);
        Ok(Self::of(origin, |inside| {
            let folder = workspace.join(inside);
            relative(root, &folder).unwrap_or(folder)
        }))
    }

    fn of(origin: Option<Origin>, place: impl FnOnce(PathBuf) -> PathBuf) -> Self {
        match origin {
            Some(Origin::Path(path)) => match Path::new(&path).parent() {
                Some(crates) => Self::Folder(place(crates.to_owned())),
                None => Self::Registry,
            },
            Some(Origin::Repository(keys)) => Self::Repository(keys),
            Some(Origin::Workspace) | None => Self::Registry,
        }
    }

    fn checkout(path: &Path, root: &Path) -> Outcome<Self> {
        let option = || format!("--local-path {}", path.display());
        let absolute = path.canonicalize().context(option())?;
        if !absolute.join("crates/nest-gateway/Cargo.toml").is_file() {
            return Err(Failure::new(format!(
                "{} is not a checkout of nest-gateway: it has no crates/nest-gateway",
                option()
            )));
        }
        let crates = absolute.join("crates");
        Ok(Self::Folder(relative(root, &crates).unwrap_or(crates)))
    }

    fn source(&self, folder: &str) -> DependencySource {
        match self {
            Self::Registry => DependencySource::Version(env!("CARGO_PKG_VERSION").to_owned()),
            Self::Folder(crates) => {
                let path = crates.join(folder).display().to_string();
                DependencySource::Path(path.replace('\\', "/"))
            }
            Self::Repository(keys) => DependencySource::Repository(keys.clone()),
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

/// The way from one folder to another, so that both can be moved together.
/// `None` when they share no folder but the root of the file system: then
/// nothing would be won. The first folder need not exist yet.
fn relative(from: &Path, to: &Path) -> Option<PathBuf> {
    let (from, to) = (resolved(from), resolved(to));
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let is_named = |part: &Component<'_>| matches!(part, Component::Normal(_));
    if !from[..shared].iter().any(is_named) {
        return None;
    }
    let up = from[shared..].iter().map(|_| Component::ParentDir);
    Some(up.chain(to[shared..].iter().copied()).collect())
}

/// A folder without links and dots, as far as it exists.
fn resolved(folder: &Path) -> PathBuf {
    for above in folder.ancestors() {
        if let (Ok(real), Ok(rest)) = (above.canonicalize(), folder.strip_prefix(above)) {
            return real.join(rest);
        }
    }
    folder.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_share_one_are_named_from_each_other() {
        for (from, to, way) in [
            (
                "/nowhere/app",
                "/nowhere/repo/crates",
                Some("../repo/crates"),
            ),
            ("/nowhere/a/b/app", "/nowhere/repo", Some("../../../repo")),
            (
                "/nowhere/repo/apps/one",
                "/nowhere/repo/crates",
                Some("../../crates"),
            ),
            ("/here/app", "/elsewhere/repo", None),
        ] {
            let found = relative(Path::new(from), Path::new(to));
            assert_eq!(found.as_deref(), way.map(Path::new), "{from} to {to}");
        }
    }
}
