//! `rpm.open`: a file, packed or not (rpm-lua(7), "rpm extension"; rpm-payloadflags(7)).

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::rc::Rc;

use bstr::ByteSlice;
use bzip2::read::MultiBzDecoder;
use bzip2::write::BzEncoder;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use liblzma::read::XzDecoder;
use liblzma::write::XzEncoder;
use mlua::{AnyUserData, Lua, LuaString, MetaMethod, MultiValue, UserData, UserDataMethods, Value};
use rustix::fs::{Mode, OFlags};

use super::super::limits::{LARGEST_TEXT, MOST_FILES};
use super::native::{Answer, Call, Native, error_bytes, error_with_place, io_error, type_name};

/// The functions of the `rpm` library that are here.
pub(super) const FUNCTIONS: &[Native] = &[("open", open)];

/// Functions with which the prelude opens files where macros may only read.
pub(super) const HOLDING: &[Native] = &[("hold", hold)];

/// An open file that Lua's own functions open once more by its number, so that no path is followed twice.
struct Held(Option<std::fs::File>);

impl UserData for Held {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method_mut("release", |_, this, ()| {
            this.0 = None;
            Ok(())
        });
    }
}

/// Opens the file at the second argument for what the first one names.
fn hold(call: &Call<'_>) -> Answer {
    let (what, path) = (call.string(1)?, call.string(2)?);
    if !call.language.may_look_at(&what.to_str_lossy(), &path) {
        return Ok(vec![Value::Nil, call.new_string(b"not allowed here")?, Value::Integer(1)]);
    }
    match call.language.host.open_file(&path) {
        Ok(file) => {
            let name = format!("/proc/self/fd/{}", file.as_raw_fd());
            let held = call.lua.create_userdata(Held(Some(file))).map_err(error_bytes)?;
            Ok(vec![Value::UserData(held), call.new_string(name.as_bytes())?])
        }
        Err(error) => call.fail(&path, &error),
    }
}

/// A file that counts as open.
struct Counted {
    file: std::fs::File,
    count: Rc<Cell<usize>>,
}

impl Counted {
    fn new(file: std::fs::File, count: &Rc<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Self { file, count: Rc::clone(count) }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.count.set(self.count.get().saturating_sub(1));
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Write for Counted {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.file.write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Counted {
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        self.file.seek(target)
    }
}

/// Opens a file within reach, if not too many are open.
fn open_closed(call: &Call<'_>, path: &[u8]) -> io::Result<std::fs::File> {
    let open = &call.language.open_files;
    if open.get() >= MOST_FILES {
        // Streams that nobody knows any more are closed with this.
        let _ = call.lua.gc_collect();
    }
    if open.get() >= MOST_FILES {
        return Err(io_error(rustix::io::Errno::MFILE));
    }
    call.language.host.open_file(path)
}

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    Gzip(u32),
    Bzip2(u32),
    Xz(u32),
    Zstd(i32),
}

/// A mode of `rpm.open`: `r`, `w.gzdio`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OpenMode {
    flags: OFlags,
    packing: Packing,
}

impl OpenMode {
    /// Reads `MODE[.FLAGS]`.
    fn parse(text: &[u8]) -> Option<Self> {
        let text = text.to_str().ok()?;
        let (letters, packing) = text.split_once('.').unwrap_or((text, "ufdio"));
        let mut flags = match letters.chars().next()? {
            'r' => OFlags::RDONLY,
            'w' => OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC,
            'a' => OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND,
            _ => return None,
        };
        let mut level = None;
        for letter in letters.chars().skip(1) {
            match letter {
                '+' => flags = (flags - OFlags::WRONLY) | OFlags::RDWR,
                'x' => flags |= OFlags::EXCL,
                digit if digit.is_ascii_digit() => {
                    let tens = level.unwrap_or(0_u32).saturating_mul(10);
                    level = Some(tens.saturating_add(digit.to_digit(10).unwrap_or(0)));
                }
                _ => {}
            }
        }
        let level = |default: u32| level.unwrap_or(default);
        let packing = match packing {
            "ufdio" | "fdio" | "fpio" | "" => Packing::None,
            "gzdio" | "gzip" => Packing::Gzip(level(6).min(9)),
            "bzdio" | "bzip2" => Packing::Bzip2(level(9).clamp(1, 9)),
            "xzdio" | "xz" => Packing::Xz(level(6).min(9)),
            "zstdio" | "zstd" => Packing::Zstd(i32::try_from(level(3)).unwrap_or(3).clamp(1, 19)),
            _ => return None,
        };
        Some(Self { flags, packing })
    }

    fn writes(self) -> bool {
        self.flags.intersects(OFlags::WRONLY | OFlags::RDWR)
    }
}

/// An open file.
enum Stream {
    Plain(Counted),
    /// With how many bytes have been read.
    Reads(Box<dyn Read>, u64),
    Writes(Box<dyn Write>),
    Closed,
}

impl Stream {
    fn new(file: Counted, mode: OpenMode) -> io::Result<Self> {
        Ok(match (mode.packing, mode.writes()) {
            (Packing::None, _) => Self::Plain(file),
            (Packing::Gzip(_), false) => Self::Reads(Box::new(MultiGzDecoder::new(file)), 0),
            (Packing::Bzip2(_), false) => Self::Reads(Box::new(MultiBzDecoder::new(file)), 0),
            (Packing::Xz(_), false) => Self::Reads(Box::new(XzDecoder::new_multi_decoder(file)), 0),
            (Packing::Zstd(_), false) => Self::Reads(Box::new(zstd::Decoder::new(file)?), 0),
            (Packing::Gzip(level), true) => {
                Self::Writes(Box::new(GzEncoder::new(file, flate2::Compression::new(level))))
            }
            (Packing::Bzip2(level), true) => {
                Self::Writes(Box::new(BzEncoder::new(file, bzip2::Compression::new(level))))
            }
            (Packing::Xz(level), true) => Self::Writes(Box::new(XzEncoder::new(file, level))),
            (Packing::Zstd(level), true) => {
                Self::Writes(Box::new(zstd::Encoder::new(file, level)?.auto_finish()))
            }
        })
    }

    fn read(&mut self, length: Option<u64>) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let length = length.unwrap_or(LARGEST_TEXT).min(LARGEST_TEXT);
        match self {
            Self::Plain(file) => file.take(length).read_to_end(&mut text)?,
            Self::Reads(reader, place) => {
                let read = reader.take(length).read_to_end(&mut text)?;
                *place += read as u64;
                read
            }
            Self::Writes(_) | Self::Closed => return Err(io_error(rustix::io::Errno::BADF)),
        };
        Ok(text)
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(text),
            Self::Writes(writer) => writer.write_all(text),
            Self::Reads(..) | Self::Closed => Err(io_error(rustix::io::Errno::BADF)),
        }
    }

    /// Packed files are only read forward.
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        match (self, target) {
            (Self::Plain(file), target) => file.seek(target),
            (Self::Reads(reader, place), SeekFrom::Current(offset)) if offset >= 0 => {
                // What is packed may be endless: more than is read at a time is not passed over at a time.
                *place +=
                    io::copy(&mut reader.take(offset.unsigned_abs().min(LARGEST_TEXT)), &mut io::sink())?;
                Ok(*place)
            }
            (Self::Reads(reader, place), SeekFrom::Start(wanted)) if wanted >= *place => {
                *place += io::copy(&mut reader.take((wanted - *place).min(LARGEST_TEXT)), &mut io::sink())?;
                Ok(*place)
            }
            _ => Err(io_error(rustix::io::Errno::SPIPE)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Writes(writer) => writer.flush(),
            Self::Reads(..) => Ok(()),
            Self::Closed => Err(io_error(rustix::io::Errno::BADF)),
        }
    }
}

fn open_failure(path: &[u8], reason: &str) -> Vec<u8> {
    [path, b" open failed: ", reason.as_bytes()].concat()
}

fn open(call: &Call<'_>) -> Answer {
    let path = call.string(1)?;
    let text = call.optional_string(2)?.unwrap_or_else(|| b"r".to_vec());
    let mode = OpenMode::parse(&text).ok_or_else(|| call.argument_error(2, "invalid open mode"))?;
    if mode.writes() && call.check_change(&path).is_err() {
        return Err(open_failure(&path, "not allowed here"));
    }
    if call.may_look_at(&path).is_err() {
        return Err(open_failure(&path, "not allowed here"));
    }
    let opened = if call.is_closed() {
        open_closed(call, &path)
    } else {
        let local = call.language.host.local_path(&path);
        let flags = mode.flags | OFlags::CLOEXEC;
        let opened = rustix::fs::open(local.as_slice(), flags, Mode::from_bits_truncate(0o666));
        opened.map(Into::into).map_err(io_error)
    };
    let opened = opened.and_then(|file| Stream::new(Counted::new(file, &call.language.open_files), mode));
    let stream = opened.map_err(|error| open_failure(&path, &crate::files::reason(&error)))?;
    let stream = NamedStream { name: path, stream };
    Ok(vec![Value::UserData(call.lua.create_userdata(stream).map_err(error_bytes)?)])
}

/// A file that Lua has open, by its name.
struct NamedStream {
    name: Vec<u8>,
    stream: Stream,
}

impl NamedStream {
    /// What messages call it.
    fn shown_name(&self) -> String {
        match self.stream {
            Stream::Closed => "[none]".to_owned(),
            Stream::Plain(_) | Stream::Reads(..) | Stream::Writes(_) => self.name.to_str_lossy().into_owned(),
        }
    }

    /// Fails with the message that `describe` makes of the file's name and the reason.
    fn check<T>(
        &self,
        lua: &Lua,
        result: io::Result<T>,
        describe: impl FnOnce(&str, &str) -> String,
    ) -> mlua::Result<T> {
        result.map_err(|error| {
            error_with_place(lua, &describe(&self.shown_name(), &crate::files::reason(&error)))
        })
    }

    fn read(&mut self, lua: &Lua, length: Option<i64>) -> mlua::Result<LuaString> {
        // Without a length, or with one below 0, it is all that is left.
        let read = self.stream.read(length.and_then(|length| u64::try_from(length).ok()));
        lua.create_string(self.check(lua, read, |name, reason| format!("error reading {name}: {reason}"))?)
    }

    fn write(&mut self, lua: &Lua, text: &[u8], length: Option<i64>) -> mlua::Result<usize> {
        let length = length.map_or(text.len(), |length| usize::try_from(length).unwrap_or(0));
        let kept = text.get(..length).unwrap_or(text);
        let written = self.stream.write(kept);
        self.check(lua, written, |name, reason| format!("error writing {name}: {reason}"))?;
        Ok(kept.len())
    }

    fn seek(&mut self, lua: &Lua, from: Option<&str>, offset: i64) -> mlua::Result<i64> {
        let target = match from {
            Some("set") => u64::try_from(offset).map(SeekFrom::Start),
            None | Some("cur") => Ok(SeekFrom::Current(offset)),
            Some("end") => Ok(SeekFrom::End(offset)),
            Some(other) => {
                return Err(error_with_place(
                    lua,
                    &format!("bad argument #1 to 'seek' (invalid option '{other}')"),
                ));
            }
        };
        let moved = match target {
            Ok(target) => self.stream.seek(target),
            Err(_) => Err(io_error(rustix::io::Errno::INVAL)),
        };
        let place = self.check(lua, moved, |name, reason| format!("{name}: seek failed: {reason}"))?;
        Ok(i64::try_from(place).unwrap_or(i64::MAX))
    }

    /// Gives 0, or -1 where that fails, as for what is closed.
    fn close(&mut self) -> i64 {
        let flushed = self.stream.flush();
        self.stream = Stream::Closed;
        if flushed.is_ok() { 0 } else { -1 }
    }

    fn reopen(&mut self, lua: &Lua, mode: &[u8]) -> mlua::Result<()> {
        let mode = OpenMode::parse(mode).ok_or_else(|| {
            error_with_place(lua, &format!("{} stream reopen failed (invalid mode?)", self.shown_name()))
        })?;
        self.stream = match std::mem::replace(&mut self.stream, Stream::Closed) {
            Stream::Plain(file) => Stream::new(file, mode).map_err(mlua::Error::external)?,
            other => other,
        };
        Ok(())
    }
}

/// The text that a method is called with.
fn text_argument(lua: &Lua, method: &str, values: &MultiValue) -> mlua::Result<LuaString> {
    let given = values.front().cloned();
    let got = given.as_ref().map_or("no value", type_name);
    let text = given.map(|value| lua.coerce_string(value)).transpose()?.flatten();
    text.ok_or_else(|| {
        error_with_place(lua, &format!("bad argument #1 to '{method}' (string expected, got {got})"))
    })
}

impl UserData for NamedStream {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method_mut("read", |lua, this, length: Option<i64>| this.read(lua, length));
        methods.add_method_mut("write", |lua, this, values: MultiValue| {
            let text = text_argument(lua, "write", &values)?;
            let length = values.get(1).and_then(Value::as_i64);
            this.write(lua, &text.as_bytes(), length)
        });
        methods.add_method_mut("flush", |_, this, ()| Ok(if this.stream.flush().is_ok() { 0 } else { -1 }));
        methods.add_method_mut("seek", |lua, this, (from, offset): (Option<String>, Option<i64>)| {
            this.seek(lua, from.as_deref(), offset.unwrap_or(0))
        });
        methods.add_method_mut("close", |_, this, ()| Ok(this.close()));
        methods.add_function("reopen", |lua, (this, mode): (AnyUserData, LuaString)| {
            this.borrow_mut::<Self>()?.reopen(lua, &mode.as_bytes())?;
            Ok(this)
        });
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.shown_name()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_have_letters_a_level_and_a_packing() {
        let mode = OpenMode::parse(b"w9.gzdio").unwrap();
        assert_eq!(mode.packing, Packing::Gzip(9));
        assert!(mode.writes());
        assert!(OpenMode::parse(b"r+").unwrap().writes());
        assert!(!OpenMode::parse(b"r.xzdio").unwrap().writes());
        assert_eq!(OpenMode::parse(b"r.nosuch"), None);
        assert_eq!(OpenMode::parse(b""), None);
        assert_eq!(OpenMode::parse(b"w99999999999.gzdio").unwrap().packing, Packing::Gzip(9));
    }
}
