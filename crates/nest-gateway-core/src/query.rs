//! Query strings (`application/x-www-form-urlencoded`).

/// The decoded pairs of a query string, in order.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> + '_ {
    form_urlencoded::parse(query.as_bytes()).into_owned()
}
