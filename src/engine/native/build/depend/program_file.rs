//! Programs of the root that are known by what they hold.

use std::io::Read;

use bstr::ByteSlice;

use super::super::world::World;
use crate::files::HostPath;

/// Larger than any that is known, in bytes.
const LARGEST_PROGRAM: u64 = 4 << 20;

/// What a program of the root holds, as much of it as is looked at.
pub(super) fn read_program(world: World<'_>, path: &[u8]) -> Option<Vec<u8>> {
    let mut program = Vec::new();
    let file = world.files.open_file(&HostPath::new(path.to_path().ok()?)?).ok()?;
    file.take(LARGEST_PROGRAM).read_to_end(&mut program).ok()?;
    Some(program)
}
