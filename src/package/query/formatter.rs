//! The formats of single items.

use bstr::ByteSlice;

use super::super::header::Item;
use super::super::tag::Tag;
use super::names;
use super::surroundings::Surroundings;
use crate::process::shell_quoted;

macro_rules! formatters {
    ($($variant:ident $name:literal,)*) => {
        /// How an item is shown.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Formatter { $($variant,)* }

        impl Formatter {
            /// The format of that name.
            pub fn named(name: &[u8]) -> Option<Self> {
                $(if name == $name.as_bytes() { return Some(Self::$variant); })*
                None
            }
        }
    };
}

formatters! {
    Armor "armor",
    ArraySize "arraysize",
    Base64 "base64",
    Date "date",
    Day "day",
    DependencyFlags "depflags",
    DependencyType "deptype",
    Expand "expand",
    FileFlags "fflags",
    FileState "fstate",
    FileStatus "fstatus",
    HashAlgorithm "hashalgo",
    Hex "hex",
    HumanIec "humaniec",
    HumanSi "humansi",
    Json "json",
    Octal "octal",
    Permissions "perms",
    Signature "pgpsig",
    ShellEscape "shescape",
    String "string",
    TagName "tagname",
    TagNumber "tagnum",
    TriggerType "triggertype",
    VerifyFlags "vflags",
    Xml "xml",
}

impl Formatter {
    /// Shows an item of a tag.
    pub fn show(self, item: Item<'_>, tag: Tag, around: &Surroundings<'_>) -> Vec<u8> {
        match self {
            Self::ArraySize | Self::String => plain(item),
            Self::TagName => tag.to_string().into_bytes(),
            Self::TagNumber => tag.0.to_string().into_bytes(),
            Self::Json => json(item),
            Self::Xml => xml(item),
            Self::ShellEscape => match item {
                Item::Text(text) => shell_quoted(text),
                Item::Number(_) | Item::Bytes(_) => plain(item),
            },
            Self::Expand => match item {
                Item::Text(text) => (around.expand)(text).unwrap_or_else(|| b"(not a string)".to_vec()),
                Item::Number(_) | Item::Bytes(_) => b"(not a string)".to_vec(),
            },
            Self::Base64 => match item {
                Item::Bytes(bytes) => base64(bytes, 0).into_bytes(),
                Item::Text(_) | Item::Number(_) => b"(not a blob)".to_vec(),
            },
            Self::Armor => match item {
                Item::Bytes(bytes) => armor(&base64(bytes, 64)).into_bytes(),
                Item::Text(text) if is_base64(text) => {
                    armor(&wrap_lines(&text.to_str_lossy(), 64)).into_bytes()
                }
                Item::Text(_) => b"(not base64)".to_vec(),
                Item::Number(_) => b"(invalid type)".to_vec(),
            },
            // A signature's issuer and time are read where packages are verified.
            Self::Signature => match item {
                Item::Bytes(_) => b"(not an OpenPGP signature)".to_vec(),
                Item::Text(_) | Item::Number(_) => b"(invalid type)".to_vec(),
            },
            Self::Date
            | Self::Day
            | Self::DependencyFlags
            | Self::DependencyType
            | Self::FileFlags
            | Self::FileState
            | Self::FileStatus
            | Self::HashAlgorithm
            | Self::Hex
            | Self::HumanIec
            | Self::HumanSi
            | Self::Octal
            | Self::Permissions
            | Self::TriggerType
            | Self::VerifyFlags => match item {
                Item::Number(number) => self.number(number).into_bytes(),
                Item::Text(_) | Item::Bytes(_) => b"(not a number)".to_vec(),
            },
        }
    }

    fn number(self, number: u64) -> String {
        match self {
            Self::Date => date(number, "%a %b %e %H:%M:%S %Y"),
            Self::Day => date(number, "%a %b %d %Y"),
            Self::DependencyFlags => names::comparison(number),
            Self::DependencyType => names::dependency_types(number),
            Self::FileFlags => names::file_flags(number),
            Self::FileState => names::file_state(number).to_owned(),
            Self::FileStatus => names::verify_flags(number, Some('.')),
            Self::VerifyFlags => names::verify_flags(number, None),
            Self::HashAlgorithm => names::hash_algorithm(number).to_owned(),
            Self::Hex => format!("{number:x}"),
            Self::Octal => format!("{number:o}"),
            Self::HumanIec => names::human(number, 1024),
            Self::HumanSi => names::human(number, 1000),
            Self::Permissions => names::permissions(number),
            Self::TriggerType => names::trigger_type(number).to_owned(),
            Self::Armor
            | Self::ArraySize
            | Self::Base64
            | Self::Expand
            | Self::Json
            | Self::Signature
            | Self::ShellEscape
            | Self::String
            | Self::TagName
            | Self::TagNumber
            | Self::Xml => number.to_string(),
        }
    }
}

fn plain(item: Item<'_>) -> Vec<u8> {
    match item {
        Item::Text(text) => text.to_vec(),
        Item::Number(number) => number.to_string().into_bytes(),
        Item::Bytes(bytes) => bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect(),
    }
}

/// A time of this machine's zone.
fn date(seconds: u64, format: &str) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    match time {
        Some(time) => time.to_zoned(jiff::tz::TimeZone::system()).strftime(format).to_string(),
        None => seconds.to_string(),
    }
}

fn json(item: Item<'_>) -> Vec<u8> {
    let text = match item {
        Item::Number(number) => return number.to_string().into_bytes(),
        Item::Bytes(bytes) => base64(bytes, 0).into_bytes(),
        Item::Text(text) => text.to_vec(),
    };
    let mut out = vec![b'"'];
    for byte in text {
        match byte {
            b'"' => out.extend(br#"\""#),
            b'\\' => out.extend(br"\\"),
            b'\n' => out.extend(br"\n"),
            b'\t' => out.extend(br"\t"),
            b'\r' => out.extend(br"\r"),
            8 => out.extend(br"\b"),
            12 => out.extend(br"\f"),
            byte if byte < 0x20 => out.extend(format!("\\u{byte:04x}").into_bytes()),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
    out
}

fn xml(item: Item<'_>) -> Vec<u8> {
    let (name, text) = match item {
        Item::Number(number) => ("integer", number.to_string().into_bytes()),
        Item::Bytes(bytes) => ("base64", base64(bytes, 0).into_bytes()),
        Item::Text(text) => ("string", escape_xml(text)),
    };
    if text.is_empty() {
        return format!("\t<{name}/>").into_bytes();
    }
    [format!("\t<{name}>").as_bytes(), &text, format!("</{name}>").as_bytes()].concat()
}

fn escape_xml(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'<' => out.extend(b"&lt;"),
            b'>' => out.extend(b"&gt;"),
            b'&' => out.extend(b"&amp;"),
            byte => out.push(*byte),
        }
    }
    out
}

fn base64(bytes: &[u8], width: usize) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    if width == 0 { text } else { wrap_lines(&text, width) }
}

fn is_base64(text: &[u8]) -> bool {
    use base64::Engine as _;
    !text.is_empty() && base64::engine::general_purpose::STANDARD.decode(text).is_ok()
}

/// Text in lines.
fn wrap_lines(text: &str, width: usize) -> String {
    let lines = text.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned());
    lines.collect::<Vec<_>>().join("\n")
}

fn armor(text: &str) -> String {
    format!("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{text}\n-----END PGP PUBLIC KEY BLOCK-----\n")
}
