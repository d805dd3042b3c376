//! What a build found out about each file, as `rpmbuild --rpmfcdebug` shows it.

use std::collections::BTreeSet;
use std::fmt::Write;

use bstr::ByteSlice;

use super::super::classify::Class;
use super::classified_files::ClassifiedFiles;
use super::generators::Generated;
use super::letters::dictionary_letter;

/// Reports on each file: a line with its class, its attributes and what was found that it depends on.
pub(crate) fn report_files(found: &ClassifiedFiles<'_>, generated: &[Generated]) -> String {
    let kept: Vec<_> = found.classes.iter().map(Class::kept_description).collect();
    let known = kept.iter().filter(|class| !class.is_empty()).count();
    // The dictionary begins with the class of all that is not known.
    let classes = 1 + kept.iter().filter(|class| !class.is_empty()).collect::<BTreeSet<_>>().len();
    let files = found.files.len();
    let percent = (100 * known).checked_div(files).unwrap_or(0);
    let dependencies = generated.len();
    let mut text = format!(
        "===================================== final: files {files} cdict[{classes}] {percent}% ddictx[{dependencies}]\n"
    );
    // They are in the order of the files.
    let mut left = generated.iter().peekable();
    for (index, ((entry, class), kept)) in found.files.iter().zip(found.classes).zip(&kept).enumerate() {
        let mut line = format!("{index:3} {}{}\t", found.root.path(), entry.path);
        match class.color {
            0 => line.push_str(&kept.to_str_lossy()),
            color => drop(write!(line, "{color:#x}")),
        }
        let attributes = found.attributes.iter().filter(|attribute| attribute.matches(entry, class));
        let names: Vec<&str> = attributes.map(|attribute| attribute.name.as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(",") };
        line.push_str(&format!(" [{names}]\n"));
        while let Some(one) = left.next_if(|one| one.file == index) {
            line.push_str(&format!("\t{} {}\n", char::from(dictionary_letter(one.kind)), one.row));
        }
        text.push_str(&line);
    }
    text
}
