//! Lua's patterns (Lua 5.4 manual, 6.4.1), for code that nobody trusts: a pattern that takes for ever ends in time, as no
//! function of Lua's own library does.

use bstr::ByteSlice;
use mlua::Value;

use super::super::limits::{DEEPEST_MATCH, MOST_CAPTURES};
use super::interpreter::LATE;
use super::native::{Answer, Call, Native};

/// Functions from which `confined.lua` makes those of `string`.
pub(super) const FUNCTIONS: &[Native] = &[("find_plain", find_plain), ("find_pattern", find_pattern)];

/// After how many steps they are counted among Lua's instructions, and it is looked at how late it is.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 14;

/// How many bytes that are only compared count as one step.
const BYTES_A_STEP: usize = 16;

/// Why nothing could be matched, in Lua's words.
type PatternError = String;

/// How far a capture goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// It is not closed yet.
    Open,
    /// It is a place, not a text.
    Place,
    /// So many bytes.
    Bytes(usize),
}

/// One try to match a pattern.
struct Matcher<'a> {
    subject: &'a [u8],
    pattern: &'a [u8],
    captures: Vec<(usize, Extent)>,
    depth: usize,
    /// The steps that have not been paid for.
    steps: u64,
    spend: &'a dyn Fn(u64) -> Result<(), PatternError>,
}

impl Matcher<'_> {
    fn count_step(&mut self) -> Result<(), PatternError> {
        self.count_steps(1)
    }

    fn count_steps(&mut self, steps: usize) -> Result<(), PatternError> {
        self.steps = self.steps.saturating_add(steps as u64);
        if self.steps >= STEPS_BETWEEN_LOOKS { self.pay() } else { Ok(()) }
    }

    fn pay(&mut self) -> Result<(), PatternError> {
        (self.spend)(std::mem::take(&mut self.steps))
    }

    fn letter(&self, at: usize) -> Option<u8> {
        self.pattern.get(at).copied()
    }

    /// Matches the pattern from `p` at `s`; gives where the match ends.
    fn match_at(&mut self, s: usize, p: usize) -> Result<Option<usize>, PatternError> {
        if self.depth >= DEEPEST_MATCH {
            return Err("pattern too complex".to_owned());
        }
        self.depth += 1;
        let end = self.match_items(s, p);
        self.depth -= 1;
        end
    }

    fn match_items(&mut self, mut s: usize, mut p: usize) -> Result<Option<usize>, PatternError> {
        loop {
            self.count_step()?;
            let Some(first) = self.letter(p) else {
                return Ok(Some(s));
            };
            match (first, self.letter(p + 1)) {
                (b'(', Some(b')')) => return self.open_capture(s, p + 2, Extent::Place),
                (b'(', _) => return self.open_capture(s, p + 1, Extent::Open),
                (b')', _) => return self.close_capture(s, p + 1),
                (b'$', None) => return Ok((s == self.subject.len()).then_some(s)),
                (b'%', Some(b'b')) => match self.match_balanced(s, p + 2)? {
                    Some(end) => (s, p) = (end, p + 4),
                    None => return Ok(None),
                },
                (b'%', Some(b'f')) => match self.match_frontier(s, p + 2)? {
                    Some(after) => p = after,
                    None => return Ok(None),
                },
                (b'%', Some(digit)) if digit.is_ascii_digit() => match self.match_captured(s, digit)? {
                    Some(end) => (s, p) = (end, p + 2),
                    None => return Ok(None),
                },
                _ => {
                    let after = self.class_end(p)?;
                    self.count_steps((after - p) / BYTES_A_STEP)?;
                    let is_one = self.is_single(s, p, after);
                    match self.letter(after) {
                        Some(b'?') if is_one => match self.match_at(s + 1, after + 1)? {
                            Some(end) => return Ok(Some(end)),
                            None => p = after + 1,
                        },
                        Some(b'+') if is_one => return self.match_most(s + 1, p, after),
                        Some(b'*') if is_one => return self.match_most(s, p, after),
                        Some(b'-') if is_one => return self.match_fewest(s, p, after),
                        Some(b'*' | b'?' | b'-') => p = after + 1,
                        _ if is_one => (s, p) = (s + 1, after),
                        _ => return Ok(None),
                    }
                }
            }
        }
    }

    /// Where the single character or class that begins at `p` ends.
    fn class_end(&self, p: usize) -> Result<usize, PatternError> {
        match self.letter(p) {
            Some(b'%') if p + 1 >= self.pattern.len() => Err("malformed pattern (ends with '%')".to_owned()),
            Some(b'%') => Ok(p + 2),
            Some(b'[') => {
                let mut at = p + 1 + usize::from(self.letter(p + 1) == Some(b'^'));
                loop {
                    let letter = self.letter(at);
                    let letter = letter.ok_or_else(|| "malformed pattern (missing ']')".to_owned())?;
                    at += 1;
                    if letter == b'%' && at < self.pattern.len() {
                        at += 1;
                    }
                    if self.letter(at) == Some(b']') {
                        return Ok(at + 1);
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    /// Whether the byte at `s` is one that the class from `p` to `after` means.
    fn is_single(&self, s: usize, p: usize, after: usize) -> bool {
        let Some(byte) = self.subject.get(s).copied() else {
            return false;
        };
        match self.letter(p) {
            Some(b'.') => true,
            Some(b'%') => self.letter(p + 1).is_some_and(|class| is_of_class(byte, class)),
            Some(b'[') => self.is_of_set(byte, p, after - 1),
            letter => letter == Some(byte),
        }
    }

    /// Whether a set in brackets, the last of them at `last`, has a byte.
    fn is_of_set(&self, byte: u8, p: usize, last: usize) -> bool {
        let is_negated = self.letter(p + 1) == Some(b'^');
        let mut at = p + 1 + usize::from(is_negated);
        while at < last {
            let Some(letter) = self.letter(at) else { break };
            if letter == b'%' {
                at += 1;
                if self.letter(at).is_some_and(|class| is_of_class(byte, class)) {
                    return !is_negated;
                }
            } else if let (Some(b'-'), Some(to), true) =
                (self.letter(at + 1), self.letter(at + 2), at + 2 < last)
            {
                at += 2;
                if letter <= byte && byte <= to {
                    return !is_negated;
                }
            } else if letter == byte {
                return !is_negated;
            }
            at += 1;
        }
        is_negated
    }

    fn match_balanced(&mut self, s: usize, p: usize) -> Result<Option<usize>, PatternError> {
        let (Some(opening), Some(closing)) = (self.letter(p), self.letter(p + 1)) else {
            return Err("malformed pattern (missing arguments to '%b')".to_owned());
        };
        if self.subject.get(s) != Some(&opening) {
            return Ok(None);
        }
        let mut open = 1_usize;
        let mut at = s + 1;
        while let Some(byte) = self.subject.get(at).copied() {
            self.count_step()?;
            at += 1;
            if byte == closing {
                open -= 1;
                if open == 0 {
                    return Ok(Some(at));
                }
            } else if byte == opening {
                open += 1;
            }
        }
        Ok(None)
    }

    fn match_frontier(&mut self, s: usize, p: usize) -> Result<Option<usize>, PatternError> {
        if self.letter(p) != Some(b'[') {
            return Err("missing '[' after '%f' in pattern".to_owned());
        }
        let after = self.class_end(p)?;
        self.count_steps((after - p) / BYTES_A_STEP)?;
        let byte = |at: Option<usize>| at.and_then(|at| self.subject.get(at)).copied().unwrap_or(0);
        let is_of_set = |byte| self.is_of_set(byte, p, after - 1);
        let is_frontier = !is_of_set(byte(s.checked_sub(1))) && is_of_set(byte(Some(s)));
        Ok(is_frontier.then_some(after))
    }

    fn match_captured(&mut self, s: usize, digit: u8) -> Result<Option<usize>, PatternError> {
        let number = usize::from(digit - b'0');
        let captured = number.checked_sub(1).and_then(|place| self.captures.get(place)).copied();
        let length = match captured {
            Some((_, Extent::Bytes(length))) => length,
            Some((_, Extent::Place)) => return Ok(None),
            Some((_, Extent::Open)) | None => {
                return Err(format!("invalid capture index %{number}"));
            }
        };
        let from = captured.map_or(0, |(from, _)| from);
        self.count_steps(1 + length / BYTES_A_STEP)?;
        let (text, rest) = (self.subject.get(from..from + length), self.subject.get(s..));
        let is_there = text.zip(rest).is_some_and(|(text, rest)| rest.starts_with(text));
        Ok(is_there.then_some(s + length))
    }

    /// `*` and `+`: matches as many as there are, then fewer, until the rest of the pattern matches.
    fn match_most(&mut self, s: usize, p: usize, after: usize) -> Result<Option<usize>, PatternError> {
        let mut at = s;
        while self.is_single(at, p, after) {
            self.count_steps(1 + (after - p) / BYTES_A_STEP)?;
            at += 1;
        }
        loop {
            if let Some(end) = self.match_at(at, after + 1)? {
                return Ok(Some(end));
            }
            if at == s {
                return Ok(None);
            }
            at -= 1;
        }
    }

    /// `-`: matches as few as are needed for the rest of the pattern to match.
    fn match_fewest(&mut self, mut s: usize, p: usize, after: usize) -> Result<Option<usize>, PatternError> {
        loop {
            if let Some(end) = self.match_at(s, after + 1)? {
                return Ok(Some(end));
            }
            self.count_steps((after - p) / BYTES_A_STEP)?;
            if !self.is_single(s, p, after) {
                return Ok(None);
            }
            s += 1;
        }
    }

    fn open_capture(&mut self, s: usize, p: usize, extent: Extent) -> Result<Option<usize>, PatternError> {
        if self.captures.len() >= MOST_CAPTURES {
            return Err("too many captures".to_owned());
        }
        self.captures.push((s, extent));
        let end = self.match_at(s, p)?;
        if end.is_none() {
            self.captures.pop();
        }
        Ok(end)
    }

    fn close_capture(&mut self, s: usize, p: usize) -> Result<Option<usize>, PatternError> {
        let open = self.captures.iter().rposition(|(_, extent)| *extent == Extent::Open);
        let place = open.ok_or_else(|| "invalid pattern capture".to_owned())?;
        if let Some(capture) = self.captures.get_mut(place) {
            capture.1 = Extent::Bytes(s - capture.0);
        }
        let end = self.match_at(s, p)?;
        if end.is_none()
            && let Some(capture) = self.captures.get_mut(place)
        {
            capture.1 = Extent::Open;
        }
        Ok(end)
    }
}

fn is_of_class(byte: u8, class: u8) -> bool {
    let is_one = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'g' => byte.is_ascii_graphic(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        _ => return class == byte,
    };
    is_one != class.is_ascii_uppercase()
}

/// A match: where it begins and ends, and what it captured.
#[derive(Debug)]
struct PatternMatch {
    start: usize,
    end: usize,
    captures: Vec<(usize, Extent)>,
}

/// Looks for a match from `from` on that does not end at `last`, as `gmatch` does.
fn search(
    subject: &[u8],
    pattern: &[u8],
    from: usize,
    last: Option<usize>,
    spend: &dyn Fn(u64) -> Result<(), PatternError>,
) -> Result<Option<PatternMatch>, PatternError> {
    let (pattern, is_anchored) = match pattern.strip_prefix(b"^") {
        Some(rest) => (rest, true),
        None => (pattern, false),
    };
    let mut matcher = Matcher { subject, pattern, captures: Vec::new(), depth: 0, steps: 0, spend };
    for start in from..=subject.len() {
        matcher.captures.clear();
        let end = matcher.match_at(start, 0)?.filter(|end| Some(*end) != last);
        if let Some(end) = end {
            matcher.pay()?;
            return Ok(Some(PatternMatch { start, end, captures: matcher.captures }));
        }
        if is_anchored {
            break;
        }
    }
    matcher.pay()?;
    Ok(None)
}

/// Counts steps among the instructions of Lua.
fn spend(call: &Call<'_>, steps: u64) -> Result<(), PatternError> {
    if call.language.is_late() {
        return Err(LATE.to_owned());
    }
    call.language.lua.get().map_or(Ok(()), |lua| lua.spend(steps, call.language.limits.lua_instructions))
}

fn read_place(call: &Call<'_>, place: usize) -> Result<Option<usize>, Vec<u8>> {
    Ok(call.optional_integer(place)?.and_then(|number| usize::try_from(number).ok()))
}

fn number(place: usize) -> Value {
    Value::Integer(i64::try_from(place).unwrap_or(i64::MAX))
}

/// `(subject, text, from)`: where the text begins, counted from 0.
fn find_plain(call: &Call<'_>) -> Answer {
    // It is called for each match within a long text: that one is not copied.
    let (subject, text) = (call.borrowed_string(1)?, call.string(2)?);
    let (subject, from) = (subject.as_bytes(), read_place(call, 3)?.unwrap_or(0));
    let found = subject.get(from..).and_then(|rest| rest.find(&text));
    Ok(vec![found.map_or(Value::Nil, |found| number(from + found))])
}

/// `(subject, pattern, from, last)`: where the match begins and ends, counted from 0, and what it captured.
fn find_pattern(call: &Call<'_>) -> Answer {
    let (subject, pattern) = (call.borrowed_string(1)?, call.borrowed_string(2)?);
    let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let (from, last) = (read_place(call, 3)?.unwrap_or(0), read_place(call, 4)?);
    let found = search(&subject, &pattern, from, last, &|steps| spend(call, steps));
    let Some(PatternMatch { start, end, captures }) = found.map_err(String::into_bytes)? else {
        return Ok(vec![Value::Nil]);
    };
    let mut values = vec![number(start), number(end)];
    for (from, extent) in captures {
        values.push(match extent {
            Extent::Open => return Err(b"unfinished capture".to_vec()),
            Extent::Place => number(from + 1),
            Extent::Bytes(length) => call.new_string(subject.get(from..from + length).unwrap_or_default())?,
        });
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lua's own library says what is right.
    fn by_lua(subject: &str, pattern: &str) -> String {
        let lua = mlua::Lua::new();
        let found = "local found = table.pack(pcall(string.find, ...)) \
                     for at = 1, found.n do found[at] = tostring(found[at]) end return table.concat(found, ' ')";
        lua.load(found).call((subject, pattern)).unwrap()
    }

    fn ours(subject: &str, pattern: &str) -> String {
        if !pattern.contains(['^', '$', '*', '+', '?', '.', '(', '[', '%', '-']) {
            // `string.find` looks for such a text as it is.
            let found = subject.find(pattern).map(|at| format!("true {} {}", at + 1, at + pattern.len()));
            return found.unwrap_or_else(|| "true nil".to_owned());
        }
        match search(subject.as_bytes(), pattern.as_bytes(), 0, None, &|_| Ok(())) {
            Err(wrong) => format!("false {wrong}"),
            Ok(None) => "true nil".to_owned(),
            Ok(Some(PatternMatch { start, end, captures })) => {
                let mut shown = format!("true {} {end}", start + 1);
                for (from, extent) in captures {
                    match extent {
                        Extent::Open => return "false unfinished capture".to_owned(),
                        Extent::Place => shown.push_str(&format!(" {}", from + 1)),
                        Extent::Bytes(length) => {
                            shown.push_str(&format!(" {}", &subject[from..from + length]))
                        }
                    }
                }
                shown
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        #[test]
        fn patterns_mean_what_they_mean_to_lua(
            subject in "[abAB1 ()\\[\\]%.-]{0,12}",
            pattern in "([ab1. ]|%[adlpsuwxADS.%1b]|\\[\\^?[ab%d-]{1,3}\\]|\\(|\\)|\\(\\)|[*+?-]|\\^|\\$|%b\\(\\)|%f\\[%a\\]){0,8}",
        ) {
            proptest::prop_assert_eq!(ours(&subject, &pattern), by_lua(&subject, &pattern));
        }
    }

    #[test]
    fn a_pattern_that_takes_for_ever_ends_when_it_is_late() {
        let subject = vec![b'a'; 10_000];
        let found = search(&subject, b".-.-.-.-.-.-.-.-b", 0, None, &|_| Err(LATE.to_owned()));
        assert_eq!(found.unwrap_err(), LATE);
    }

    /// All steps of a search.
    fn steps(subject: &[u8], pattern: &[u8]) -> u64 {
        let all = std::cell::Cell::new(0);
        let count = |steps| {
            all.set(all.get() + steps);
            Ok(())
        };
        search(subject, pattern, 0, None, &count).unwrap();
        all.get()
    }

    #[test]
    fn a_byte_that_is_compared_with_a_long_set_takes_more_steps() {
        let set = [b"[".as_slice(), &[b'b'; 1600], b"]"].concat();
        let repeated = |times: u8| [set.as_slice(), &[times, b'x']].concat();
        assert!(steps(&[b'a'; 50], b"b") < 200);
        for pattern in [set.clone(), repeated(b'-'), repeated(b'*'), [b"%f", set.as_slice()].concat()] {
            assert!(steps(&[b'a'; 50], &pattern) > 50 * 100, "{}", pattern.len());
        }
    }
}
