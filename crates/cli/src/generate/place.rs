//! Where generated files go.

use std::path::{Component, Path, PathBuf};

use crate::cli::GenerateOne;
use crate::failure::{Failure, Outcome};
use crate::name::{Name, NamedPath};
use crate::project::Project;

/// A place in a package.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) name: Name,
    /// The module, as names from the crate's root, that holds the files.
    pub(crate) modules: Vec<String>,
    /// The folder of that module.
    pub(crate) folder: PathBuf,
    /// All folders and the name, as names: `admin`, `chat`.
    pub(crate) full: Vec<String>,
    /// Whether the files are in a folder that is not theirs alone.
    pub(crate) flat: bool,
}

impl Place {
    /// The place that the options ask for. `ending` is what the type's name
    /// ends with.
    pub(crate) fn find(project: &Project, options: &GenerateOne, ending: &str) -> Outcome<Self> {
        let mut path = NamedPath::parse(&options.name, ending)?;
        if let Some(folder) = &options.path {
            let outer = folders(project, folder)?;
            path.folders.splice(0..0, outer);
        }
        path.check_root(&project.dependencies)?;
        let mut full = path.folders.clone();
        full.push(path.name.snake.clone());
        let modules = if options.flat {
            path.folders
        } else {
            full.clone()
        };
        Ok(Self {
            folder: modules
                .iter()
                .fold(project.source.clone(), |folder, name| folder.join(name)),
            name: path.name,
            modules,
            full,
            flat: options.flat,
        })
    }

    /// The path of the module that holds the files: `crate::chat`.
    pub(crate) fn module(&self) -> String {
        std::iter::once("crate")
            .chain(self.modules.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join("::")
    }
}

/// The folders of `--path`, which may begin with `src`.
fn folders(project: &Project, path: &Path) -> Outcome<Vec<String>> {
    let relative = match path.strip_prefix(&project.root) {
        Ok(inside) => inside,
        Err(_) => path,
    };
    let source = project
        .source
        .strip_prefix(&project.root)
        .unwrap_or(Path::new("src"));
    let relative = relative.strip_prefix(".").unwrap_or(relative);
    let relative = relative.strip_prefix(source).unwrap_or(relative);
    relative
        .components()
        .filter(|component| !matches!(component, Component::CurDir))
        .map(|component| match component {
            Component::Normal(name) => Ok(Name::parse(&name.to_string_lossy())?.snake),
            _ => Err(Failure::new(format!(
                "--path {} leaves the package's src",
                path.display()
            ))),
        })
        .collect()
}
