//! The pattern of a namespace: from a path to its parameters and back.

use crate::adapter::PathParams;

/// A namespace's pattern, such as `/room/{id}`.
pub(crate) struct Pattern {
    text: Box<str>,
    router: matchit::Router<()>,
}

impl Pattern {
    /// `None` for a plain path, and for what is no pattern.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let is_plain = !text.replace("{{", "").contains('{');
        let mut router = matchit::Router::new();
        router.insert(text, ()).ok()?;
        (!is_plain).then(|| Self {
            text: text.into(),
            router,
        })
    }

    /// The parameters of a path, taken as they stand there: nothing is
    /// percent-decoded. `None` when it is no path of the pattern.
    pub(crate) fn params(&self, path: &str) -> Option<PathParams> {
        let found = self.router.at(path).ok()?;
        Some(to_params(&found.params))
    }

    /// The path with these parameters.
    pub(crate) fn path(&self, params: &PathParams) -> String {
        let mut path = String::new();
        let mut rest = &*self.text;
        for (name, value) in params {
            let [plain, catch_all] = [format!("{{{name}}}"), format!("{{*{name}}}")];
            let split = rest.split_once(&plain).or(rest.split_once(&catch_all));
            let Some((before, after)) = split else { break };
            path.extend([before, value]);
            rest = after;
        }
        path.push_str(rest);
        path
    }
}

/// The parameters of a match, as clients keep them.
pub(crate) fn to_params(params: &matchit::Params<'_, '_>) -> PathParams {
    let params = params.iter();
    params.map(|(k, v)| (k.into(), v.into())).collect()
}

/// A path without the slash at its end, which does not matter.
pub(crate) fn trim_slash(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some("") | None => path,
        Some(shorter) => shorter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_its_parameters_say_the_same() {
        for (pattern, path) in [
            ("/room/{id}", "/room/7"),
            ("/room/{id}", "/room/{id}"),
            ("/board/{board}/list/{list}", "/board/{list}/list/2"),
            ("/files/{*path}", "/files/a/b c"),
            ("/v{version}/{id}.json", "/v2/x.json"),
        ] {
            let pattern = Pattern::new(pattern).expect("it has parameters");
            let params = pattern.params(path).expect("it is a path of it");
            assert_eq!(pattern.path(&params), path);
        }
    }

    #[test]
    fn a_path_without_parameters_is_no_pattern() {
        assert!(Pattern::new("/chat").is_none());
        assert!(Pattern::new("/{{chat}}").is_none());
        assert!(Pattern::new("/room/{id}").is_some_and(|p| p.params("/chat").is_none()));
    }
}
