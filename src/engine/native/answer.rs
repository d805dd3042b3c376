//! Questions that a worker answers in its root.

use rayon::prelude::*;

use super::NativeReader;
use crate::engine::{Channel, InstalledOrder, Message, ReadOrder};

/// Reads specs, several at a time, and answers each.
pub fn read_specs(order: &ReadOrder, channel: &Channel) {
    let reader = match &order.folder {
        Some(folder) => NativeReader::in_folder(&folder.on_host()),
        None => NativeReader::default(),
    };
    order.specs.par_iter().enumerate().for_each(|(number, spec)| {
        channel.send(&Message::Reading { number });
        channel.send(&Message::Answered { number, answer: reader.answer(spec) });
    });
}

/// Tells what is installed.
pub fn tell_installed(order: &InstalledOrder, channel: &Channel) {
    let answer = NativeReader::default().ask_root(order);
    channel.send(&Message::Installed { answer });
}
