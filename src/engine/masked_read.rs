//! Takes secrets out of what reading a spec came to: facts and messages are remembered and shown.

use super::{Read, Reading, Settings};

/// `read` without the secrets of `settings`. Observations have placeholders for them already.
pub(super) fn mask_read(read: Read, settings: &Settings) -> Read {
    if settings.secrets().next().is_none() {
        return read;
    }
    let mask = settings.mask();
    let json = serde_json::to_value(&read.reading).map(|mut json| {
        mask_texts(&mut json, &|text| mask.text(text).into_owned());
        json
    });
    // What serde has written it reads.
    let reading = json.and_then(serde_json::from_value).unwrap_or(Reading::Withheld(Vec::new()));
    Read { reading, ..read }
}

fn mask_texts(json: &mut serde_json::Value, mask: &dyn Fn(&str) -> String) {
    match json {
        serde_json::Value::String(text) => *text = mask(text),
        serde_json::Value::Array(all) => all.iter_mut().for_each(|one| mask_texts(one, mask)),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(|one| mask_texts(one, mask)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}
