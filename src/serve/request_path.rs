//! The path of a request.

/// The path of the file that a request means, relative to the folder; none where it means no file that is served.
pub(super) fn file_path(path: &str) -> Option<String> {
    let decoded = decode(path.strip_prefix('/')?)?;
    let is_served =
        |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(char::is_control);
    decoded.split('/').all(is_served).then_some(decoded)
}

/// The text that is meant by one with `%` and two digits (RFC 3986, section 2.1).
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_meant_by_their_paths_and_nothing_hidden_or_outside() {
        let path = |path: &str| file_path(path);
        assert_eq!(path("/repodata/repomd.xml").as_deref(), Some("repodata/repomd.xml"));
        assert_eq!(path("/a-1/c%2B%2B-1.rpm").as_deref(), Some("a-1/c++-1.rpm"));
        for other in [
            "",
            "/",
            "*",
            "repodata/repomd.xml",
            "//etc/passwd",
            "/../etc/passwd",
            "/a/%2e%2e/%2E%2E/etc/passwd",
            "/a%2f..%2f..%2fetc",
            "/.forge-repository",
            "/%2eforge-repository",
            "/.forge-publishing/0",
            "/a/",
            "/a/./b",
            "/a%00b",
            "/a%zz",
            "/a%4",
            "/%ff",
        ] {
            assert_eq!(path(other), None, "{other}");
        }
    }
}
