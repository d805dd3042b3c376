//! Requests and messages, as they are written.

use std::collections::BTreeSet;
use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use super::reading::{ReadOrder, SpecAnswer};
use super::scriptlets::{ScriptletOrder, ScriptletProgress};
use crate::engine::{JobSpec, RootAnswer, Secret, Settings, Unmet, Value, WrittenContent};
use crate::files::RootPath;
use crate::spec::{Finding, SectionKind};

/// The version of what is written here. A worker takes requests of its own version only: both are the same program.
pub const PROTOCOL: u32 = 1;

/// What a worker is asked to do. It has no `Debug`: it may hold secrets.
#[derive(Clone)]
pub struct Request {
    /// What begins each message: a script that writes to the worker's descriptors does not know it.
    pub token: Token,
    /// What is asked.
    pub asked: Asked,
}

/// The kinds of requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Asked {
    /// To build.
    Build(Box<BuildOrder>),
    /// To read specs.
    Read(ReadOrder),
    /// To tell what is installed.
    Installed(InstalledOrder),
    /// To run scriptlets of packages, as root of the root.
    Scriptlets(ScriptletOrder),
}

/// What is to be built, and what of it is the engine's own business.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BuildOrder {
    /// The job.
    pub job: JobSpec,
    /// Whether `BuildRequires` are checked against the root's package database: it would refuse every build, were the database
    /// of a root of another kind empty.
    pub checks_dependencies: bool,
    /// Nothing is built: the beginning of this section's script is written down.
    #[serde(default)]
    pub only_beginning_of: Option<SectionKind>,
}

/// Packages of the root that are asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InstalledOrder {
    /// The settings: macros say where the package database is.
    pub settings: Settings,
    /// Names that packages provide, and files of theirs.
    pub names: BTreeSet<String>,
    /// Macros that the root's files may define.
    #[serde(default)]
    pub macros: BTreeSet<String>,
}

/// The names of requests, as they are written.
const REQUESTS: [&str; 4] = ["build", "read", "installed", "scriptlets"];

/// A word that nobody can guess.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// How many random bytes a token has.
const TOKEN_BYTES: usize = 16;

/// Why a request is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// It is no request at all.
    #[error("this is no request: {0}")]
    NotARequest(String),
    /// It is of another version.
    #[error("the request is of version {found}, and this worker knows version {PROTOCOL}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// It asks for something unknown.
    #[error("this worker does not know the request `{name}`")]
    Unknown {
        /// Its name.
        name: String,
    },
}

/// The document on standard input.
#[derive(Serialize, Deserialize)]
struct Document<A> {
    protocol: u32,
    token: String,
    /// The secrets of the settings, in their order there: the settings themselves are written without them.
    secrets: Vec<String>,
    asked: A,
}

/// What is looked at of a document first.
#[derive(Deserialize)]
struct Head {
    protocol: u32,
    asked: AskedName,
}

/// The name of a request.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AskedName {
    request: String,
}

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// The kernel gives no random bytes.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; TOKEN_BYTES];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            filled += rustix::rand::getrandom(rest, rustix::rand::GetRandomFlags::empty())?;
        }
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Request {
    /// As it is written to a worker's standard input.
    ///
    /// # Errors
    /// A path in it is not UTF-8.
    pub fn encode(&self) -> io::Result<Vec<u8>> {
        let secrets = self.asked.settings().into_iter().flat_map(Settings::secrets);
        let secrets = secrets.map(|(_, secret)| secret.reveal().to_owned()).collect();
        let document =
            Document { protocol: PROTOCOL, token: self.token.0.clone(), secrets, asked: &self.asked };
        Ok(serde_json::to_vec(&document)?)
    }

    /// Reads what [`Request::encode`] has written.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, RequestError> {
        // What serde says of a text may repeat it, and there may be secrets in it.
        let broken = |at: &str| RequestError::NotARequest(format!("{at} can't be read"));
        let Head { protocol, asked: AskedName { request } } =
            serde_json::from_slice(bytes).map_err(|_| broken("the document"))?;
        if protocol != PROTOCOL {
            return Err(RequestError::Version { found: protocol });
        }
        if !REQUESTS.contains(&request.as_str()) {
            return Err(RequestError::Unknown { name: request });
        }
        let document: Document<Asked> = serde_json::from_slice(bytes).map_err(|_| broken("the order"))?;
        let (mut asked, mut secrets) = (document.asked, document.secrets.into_iter());
        asked.settings_mut().into_iter().for_each(|settings| put_back(settings, &mut secrets));
        Ok(Self { token: Token(document.token), asked })
    }
}

impl Asked {
    /// All settings in it, in a fixed order.
    fn settings(&self) -> Vec<&Settings> {
        match self {
            Self::Build(order) => vec![&order.job.settings],
            Self::Read(order) => order.settings().collect(),
            Self::Installed(order) => vec![&order.settings],
            Self::Scriptlets(_) => Vec::new(),
        }
    }

    /// As [`Asked::settings`].
    fn settings_mut(&mut self) -> Vec<&mut Settings> {
        match self {
            Self::Build(order) => vec![&mut order.job.settings],
            Self::Read(order) => order.settings_mut().collect(),
            Self::Installed(order) => vec![&mut order.settings],
            Self::Scriptlets(_) => Vec::new(),
        }
    }
}

/// Puts secrets back into settings that were written without them.
fn put_back(settings: &mut Settings, secrets: &mut impl Iterator<Item = String>) {
    let bodies = settings.macros.iter_mut().filter_map(|setting| setting.body.as_mut());
    for value in bodies.chain(settings.environment.values_mut()) {
        if let Value::Digested(digest) = value {
            *value = Value::Secret(Secret::with_digest(secrets.next().unwrap_or_default(), *digest));
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(token)")
    }
}

/// What a worker tells of its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "kebab-case")]
pub enum Message {
    /// A stage begins.
    Stage {
        /// Its name, as in specs.
        name: String,
    },
    /// Something is wrong, or may not be meant.
    Problem(Finding),
    /// A package was written.
    Wrote {
        /// The file.
        path: RootPath,
        /// What it held then: whoever takes it checks that it holds it still.
        content: WrittenContent,
    },
    /// The reading of a spec begins.
    Reading {
        /// Its place in the order.
        number: usize,
    },
    /// What was asked of a spec.
    Answered {
        /// Its place in the order.
        number: usize,
        /// The answer.
        answer: SpecAnswer,
    },
    /// What is installed.
    Installed {
        /// The answer.
        answer: RootAnswer,
    },
    /// How far scriptlets are.
    Scriptlet(ScriptletProgress),
    /// It is done. No message follows.
    Ended(WorkerEnd),
    /// Something that only a newer worker tells.
    #[serde(other)]
    Unknown,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum WorkerEnd {
    /// All was built.
    Built,
    /// All that was asked has been answered.
    Answered,
    /// The build failed; problems have been told.
    Failed {
        /// The script that failed, if it was one.
        script: Option<FailedScript>,
    },
    /// What it needs is not there, or what it conflicts with is.
    Unmet {
        /// What.
        unmet: Vec<Unmet>,
    },
    /// The request was not carried out.
    Refused {
        /// Why.
        reason: String,
    },
}

/// A script that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedScript {
    /// Its name: `%build`.
    pub name: String,
    /// Its exit code; minus the signal that ended it.
    pub code: i32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Begin, FactsRequest, MacroLevel, MacroSetting, Part, SecretKey, SpecOrder};

    fn request() -> Request {
        let secret = Secret::new("hunter2".to_owned(), &SecretKey::new([7; SecretKey::SIZE]));
        let body = Some(Value::Secret(secret.clone()));
        let macros = vec![
            MacroSetting { name: "a".to_owned(), options: None, body, level: MacroLevel::Package },
            MacroSetting { name: "b".to_owned(), options: None, body: None, level: MacroLevel::Package },
        ];
        let environment = [("T".to_owned(), Value::Secret(secret)), ("U".to_owned(), "u".into())].into();
        let job = JobSpec {
            part: Part::Packages,
            begin: Begin::Anew,
            spec: RootPath::new("/top/a.spec").unwrap(),
            sources: RootPath::new("/top").unwrap(),
            top: RootPath::new("/top").unwrap(),
            settings: Settings { macros, environment, ..Settings::default() },
            search: Vec::new(),
            staged: Vec::new(),
            source_date_epoch: 1,
            varied: Default::default(),
        };
        let order = BuildOrder { job, checks_dependencies: true, only_beginning_of: None };
        Request { token: Token::random().unwrap(), asked: Asked::Build(Box::new(order)) }
    }

    fn job(asked: &Asked) -> &JobSpec {
        let Asked::Build(order) = asked else { panic!("{asked:?}") };
        &order.job
    }

    #[test]
    fn a_request_is_read_as_it_was_written_secrets_included() {
        let sent = request();
        let read = Request::decode(&sent.encode().unwrap()).unwrap();
        assert_eq!(read.token, sent.token);
        assert_eq!(job(&read.asked).settings, job(&sent.asked).settings);
        assert_eq!(job(&read.asked).settings.macros[0].body.as_ref().unwrap().reveal(), "hunter2");
        assert_eq!(job(&read.asked).settings.environment["T"].reveal(), "hunter2");
        assert_eq!(job(&read.asked).settings.environment["U"].reveal(), "u");
    }

    #[test]
    fn each_spec_gets_its_own_secrets_back() {
        let spec = |secret: &str| {
            let secret = Secret::new(secret.to_owned(), &SecretKey::new([7; SecretKey::SIZE]));
            let environment = [("T".to_owned(), Value::Secret(secret))].into();
            let request = FactsRequest {
                spec: RootPath::new("/a.spec").unwrap(),
                sources: RootPath::new("/").unwrap(),
                settings: Settings { environment, ..Settings::default() },
                may_run: true,
                readable: Vec::new(),
            };
            SpecOrder { request, earlier: None }
        };
        let sent = ReadOrder { folder: None, specs: vec![spec("one"), spec("two")] };
        let request = Request { token: Token::random().unwrap(), asked: Asked::Read(sent.clone()) };
        let read = Request::decode(&request.encode().unwrap()).unwrap();
        let Asked::Read(read) = read.asked else { panic!("{:?}", read.asked) };
        assert_eq!(read.specs, sent.specs);
        let revealed = read.settings().map(|settings| settings.environment["T"].reveal());
        assert_eq!(revealed.collect::<Vec<_>>(), ["one", "two"]);
        // What observations are salted with is the same in the worker.
        assert!(read.settings().map(Settings::salt).eq(sent.settings().map(Settings::salt)));
    }

    #[test]
    fn a_job_alone_holds_no_secret() {
        let Asked::Build(job) = request().asked else { panic!("it is to build") };
        assert!(!serde_json::to_string(&job).unwrap().contains("hunter2"));
    }

    #[test]
    fn what_is_unknown_is_refused_by_name_and_skipped_in_messages() {
        let text = |protocol: u32, name: &str| {
            format!(r#"{{"protocol":{protocol},"token":"t","secrets":["s"],"asked":{{"request":"{name}"}}}}"#)
        };
        let refused = |text: String| Request::decode(text.as_bytes()).err().unwrap().to_string();
        assert_eq!(refused(text(1, "fly")), "this worker does not know the request `fly`");
        let of_other_version = "the request is of version 2, and this worker knows version 1";
        assert_eq!(refused(text(2, "build")), of_other_version);
        assert_eq!(refused(text(1, "build")), "this is no request: the order can't be read");
        assert_eq!(refused("s".to_owned()), "this is no request: the document can't be read");
        let message: Message = serde_json::from_str(r#"{"message":"sang","song":1}"#).unwrap();
        assert_eq!(message, Message::Unknown);
    }
}
