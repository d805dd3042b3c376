//! YAML as specifications of gems are written in it, within limits.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser};

/// How many values a document may have, those counted again that it names again.
const MOST_NODES: usize = 500_000;
/// How deep values may lie in others.
const MOST_DEPTH: usize = 64;

/// A value. What type of Ruby's it has is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Yaml {
    /// A text, a number, or nothing at all.
    Scalar(String),
    /// A list.
    List(Vec<Yaml>),
    /// Keys that are scalars, and their values.
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(pairs) => pairs.iter().find(|(known, _)| known == key).map(|(_, value)| value),
            Self::Scalar(_) | Self::List(_) => None,
        }
    }

    /// The text of a scalar that is more than nothing.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar(text) if !text.is_empty() && text != "~" && text != "null" => Some(text),
            Self::Scalar(_) | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The values of a list.
    pub fn list(&self) -> &[Self] {
        match self {
            Self::List(values) => values,
            Self::Scalar(_) | Self::Map(_) => &[],
        }
    }

    /// The texts of a list.
    pub fn texts(&self) -> Vec<String> {
        self.list().iter().filter_map(Self::text).map(str::to_owned).collect()
    }

    fn count(&self) -> usize {
        match self {
            Self::Scalar(_) => 1,
            Self::List(values) => 1 + values.iter().map(Self::count).sum::<usize>(),
            Self::Map(pairs) => 1 + pairs.iter().map(|(_, value)| value.count()).sum::<usize>(),
        }
    }
}

/// A value that is not whole yet, and the number that it may be named again by.
enum Open {
    List(usize, Vec<Yaml>),
    Map(usize, Vec<(String, Yaml)>, Option<String>),
}

/// Reads the first document of a text.
///
/// # Errors
/// What is wrong with it.
pub fn read_yaml(text: &str) -> Result<Yaml, String> {
    let mut reader = Reader { open: Vec::new(), named: HashMap::new(), nodes: 0, done: None };
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| error.to_string())?;
        reader.take(event)?;
        if let Some(done) = reader.done.take() {
            return Ok(done);
        }
    }
    Err("it is empty".to_owned())
}

struct Reader {
    open: Vec<Open>,
    named: HashMap<usize, (Yaml, usize)>,
    nodes: usize,
    done: Option<Yaml>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, _, anchor, _) => self.put(Yaml::Scalar(text.into_owned()), anchor),
            Event::SequenceStart(anchor, _) => self.begin(Open::List(anchor, Vec::new())),
            Event::MappingStart(anchor, _) => self.begin(Open::Map(anchor, Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(anchor, values)) => self.put(Yaml::List(values), anchor),
                Some(Open::Map(anchor, pairs, _)) => self.put(Yaml::Map(pairs), anchor),
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                // Counted before it is copied: names of names of names grow beyond all limits.
                let count = self.named.get(&anchor).map_or(1, |(_, count)| *count);
                self.count(count)?;
                let named = self.named.get(&anchor).map(|(value, _)| value.clone());
                self.put(named.unwrap_or(Yaml::Scalar(String::new())), 0)
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), String> {
        self.open.push(open);
        if self.open.len() > MOST_DEPTH {
            Err("its values lie too deep in each other".to_owned())
        } else {
            Ok(())
        }
    }

    fn count(&mut self, nodes: usize) -> Result<(), String> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MOST_NODES { Err("it has too many values".to_owned()) } else { Ok(()) }
    }

    fn put(&mut self, value: Yaml, anchor: usize) -> Result<(), String> {
        self.count(1)?;
        if anchor > 0 {
            let count = value.count();
            self.count(count)?;
            self.named.insert(anchor, (value.clone(), count));
        }
        match self.open.last_mut() {
            None => self.done = Some(value),
            Some(Open::List(_, values)) => values.push(value),
            Some(Open::Map(_, pairs, key)) => match key.take() {
                Some(key) => pairs.push((key, value)),
                // A key that is a list or a map is none that is looked for.
                None => *key = Some(value.text().unwrap_or_default().to_owned()),
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_whatever_type_they_have_in_ruby() {
        let text = "--- !ruby/object:Gem::Specification\nname: x\nversion: !ruby/object:Gem::Version\n  version: 1.2\n\
                    licenses:\n- MIT\na: &1\n  b: c\nd: *1\n";
        let yaml = read_yaml(text).unwrap();
        assert_eq!(
            yaml.get("version").and_then(|version| version.get("version")).and_then(Yaml::text),
            Some("1.2")
        );
        assert_eq!(yaml.get("licenses").unwrap().texts(), ["MIT"]);
        assert_eq!(yaml.get("d"), yaml.get("a"));
    }

    #[test]
    fn names_of_names_have_an_end() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let again = vec![format!("*a{}", level - 1); 10].join(", ");
            text += &format!("a{level}: &a{level} [{again}]\n");
        }
        assert_eq!(read_yaml(&text).unwrap_err(), "it has too many values");
        assert!(read_yaml(&"[".repeat(100_000)).is_err());
        assert!(read_yaml("").is_err());
    }
}
