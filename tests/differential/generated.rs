//! Expressions that are made up by chance.

use proptest::prelude::*;

/// What expressions can refer to.
const NUMBERS: &str = "%define five 5\n%define neg -3\n%define word abc\n%define list(a:) %{-a*}%#\n";

fn integer() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..40_u32).prop_map(|number| number.to_string()),
        Just("%{five}".to_owned()),
        Just("%neg".to_owned()),
        Just("%{?nosuch}7".to_owned()),
        Just("%{five}0".to_owned()),
        Just("%[1+1]".to_owned()),
    ]
}

fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c ]{0,3}",
        Just("%word".to_owned()),
        Just("%{nosuch}".to_owned()),
        Just("x%{five}".to_owned())
    ]
    .prop_map(|text| format!("\"{text}\""))
}

fn version() -> impl Strategy<Value = String> {
    "([0-9]:)?[0-9a]{1,2}([.~^][0-9a]{1,2})?(-[0-9])?".prop_map(|text| format!("v\"{text}\""))
}

fn operator() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("+"),
        Just("-"),
        Just("*"),
        Just("/"),
        Just("=="),
        Just("!="),
        Just("<"),
        Just("<="),
        Just(">"),
        Just(">="),
        Just("&&"),
        Just("||"),
    ]
}

fn term() -> BoxedStrategy<String> {
    let leaf = prop_oneof![5 => integer(), 3 => string(), 2 => version()];
    leaf.prop_recursive(5, 24, 3, |inner| {
        prop_oneof![
            6 => (inner.clone(), operator(), inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            2 => inner.clone().prop_map(|a| format!("({a})")),
            1 => inner.clone().prop_map(|a| format!("!{a}")),
            1 => inner.clone().prop_map(|a| format!("-{a}")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("{a} ? {b} : {c}")),
            1 => inner.clone().prop_map(|a| format!("lua:string.reverse({a})")),
        ]
    })
    .boxed()
}

/// An expression; now and then a broken one.
pub fn expression() -> impl Strategy<Value = String> {
    let damage =
        prop_oneof![9 => Just(None), 1 => (any::<prop::sample::Index>(), "[()!?:&|\"%$]").prop_map(Some)];
    (term(), damage, any::<bool>()).prop_map(|(mut text, damage, is_expanded_first)| {
        if let Some((at, piece)) = damage {
            let at = at.index(text.len() + 1);
            text.insert_str(at, &piece);
        }
        if is_expanded_first { format!("{NUMBERS}%{{expr:{text}}}") } else { format!("{NUMBERS}%[{text}]") }
    })
}

fn name() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("aa"), Just("bb"), Just("cc"), Just("five"), Just("word"), Just("nosuch"), Just("list")]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z ]{0,5}",
        2 => name().prop_map(|name| format!("%{name} ")),
        2 => name().prop_map(|name| format!("%{{{name}}}")),
        1 => name().prop_map(|name| format!("%{{?{name}}}")),
        1 => Just("%%".to_owned()),
        1 => Just("%1 %# %*".to_owned()),
        1 => Just("%{-a*} %{-a}".to_owned()),
        1 => Just("%[1 + %{five}]".to_owned()),
        1 => Just("\\".to_owned()),
    ]
}

fn piece() -> BoxedStrategy<String> {
    text()
        .prop_recursive(4, 20, 3, |inner| {
            prop_oneof![
                4 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}{b}")),
                2 => (name(), inner.clone()).prop_map(|(name, a)| format!("%{{?{name}:{a}}}")),
                2 => (name(), inner.clone()).prop_map(|(name, a)| format!("%{{!?{name}:{a}}}")),
                2 => inner.clone().prop_map(|a| format!("%{{list -a 1 {a}}}")),
                1 => inner.clone().prop_map(|a| format!("%{{list:{a}}}")),
                1 => inner.clone().prop_map(|a| format!("%{{expand:{a}}}")),
                1 => inner.clone().prop_map(|a| format!("%{{shrink:{a}}}")),
                1 => inner.clone().prop_map(|a| format!("%{{-a:{a}}}")),
                1 => (name(), inner.clone()).prop_map(|(name, a)| format!("%{{define {name} {a}}}")),
                1 => (name(), inner.clone()).prop_map(|(name, a)| format!("%{{global {name} {a}}}")),
                1 => name().prop_map(|name| format!("%{{undefine {name}}}")),
                1 => inner.clone().prop_map(|a| format!("%{{lua:print([==[{a}]==])}}")),
                1 => inner.clone().prop_map(|a| format!("%(echo '{a}')")),
            ]
        })
        .boxed()
}

/// A few definitions and a text that uses them.
pub fn macros() -> impl Strategy<Value = String> {
    let how = prop_oneof![Just("define"), Just("global")];
    let options = prop_oneof![2 => Just(""), 1 => Just("()"), 1 => Just("(a:b)"), 1 => Just("(-)")];
    let definition = (how, name(), options, piece())
        .prop_map(|(how, name, options, body)| format!("%{how} {name}{options} {body}\n"));
    (prop::collection::vec(definition, 0..4), piece())
        .prop_map(|(definitions, text)| format!("{NUMBERS}{}{text}", definitions.concat()))
}
