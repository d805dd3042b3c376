//! What the files of repositories are to HTTP.

/// The value of `Content-Type` for a file, by its name (RFC 9110, section 8.3).
pub fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("rpm") => "application/x-rpm",
        Some("xml") => "application/xml",
        Some("gz") => "application/gzip",
        Some("zst") => "application/zstd",
        Some("asc" | "key") => "application/pgp-keys",
        Some("repo") => "text/plain; charset=utf-8",
        Some(_) | None => "application/octet-stream",
    }
}
