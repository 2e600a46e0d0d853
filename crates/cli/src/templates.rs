//! The templates: built in, and a project's own in front of them.

use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

use crate::failure::{Context as _, Outcome};
use crate::plan::read_file;

/// All built-in templates by name.
const BUILT_IN: [(&str, &str); 15] = [
    (
        "app/Cargo.toml",
        include_str!("../templates/app/Cargo.toml"),
    ),
    ("app/README.md", include_str!("../templates/app/README.md")),
    (
        "app/app_module.rs",
        include_str!("../templates/app/app_module.rs"),
    ),
    ("app/gitignore", include_str!("../templates/app/gitignore")),
    ("app/lib.rs", include_str!("../templates/app/lib.rs")),
    ("app/main.rs", include_str!("../templates/app/main.rs")),
    (
        "filter/filter.rs",
        include_str!("../templates/filter/filter.rs"),
    ),
    (
        "gateway/dto.rs",
        include_str!("../templates/gateway/dto.rs"),
    ),
    (
        "gateway/gateway.rs",
        include_str!("../templates/gateway/gateway.rs"),
    ),
    (
        "gateway/test.rs",
        include_str!("../templates/gateway/test.rs"),
    ),
    (
        "guard/guard.rs",
        include_str!("../templates/guard/guard.rs"),
    ),
    (
        "interceptor/interceptor.rs",
        include_str!("../templates/interceptor/interceptor.rs"),
    ),
    ("mod.rs", include_str!("../templates/mod.rs")),
    (
        "module/module.rs",
        include_str!("../templates/module/module.rs"),
    ),
    (
        "service/service.rs",
        include_str!("../templates/service/service.rs"),
    ),
];

/// The built-in templates, by name, that a package can have its own of.
pub(crate) fn of_packages() -> impl Iterator<Item = (&'static str, &'static str)> {
    // `new` runs before there is a package.
    let all = BUILT_IN.into_iter();
    all.filter(|(name, _)| !name.starts_with("app/"))
}

/// Templates of a project, which may have files of its own in
/// `.nest-gateway/templates`.
pub(crate) struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// The built-in ones, with those of this folder instead where it has them.
    pub(crate) fn new(own: Option<&Path>) -> Outcome<Self> {
        let mut environment = Environment::new();
        environment.set_syntax(whole_lines()?);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        for (name, built_in) in BUILT_IN {
            let path = own.map(|folder| folder.join(name));
            let text = path.as_deref().map(read_file).transpose()?.flatten();
            let from = match (&text, &path) {
                (Some(_), Some(path)) => path.display().to_string(),
                _ => format!("the built-in template {name}"),
            };
            environment
                .add_template_owned(name, text.unwrap_or_else(|| built_in.to_owned()))
                .context(from)?;
        }
        Ok(Self { environment })
    }

    /// The template's text with the values filled in.
    pub(crate) fn render(&self, name: &str, values: &Value) -> Outcome<String> {
        let doing = format_args!("template {name}");
        let template = self.environment.get_template(name).context(doing)?;
        template.render(values.clone()).context(doing)
    }
}

/// Tags on lines of their own leave nothing behind.
fn whole_lines() -> Outcome<SyntaxConfig> {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .context("the templates' syntax")
}
