//! Nodes → declarations: tokens that servers are shown.

use kdl::KdlNode;

use super::problem::ManifestProblem;
use super::read::DeclarationReader;
use super::values::{entry_place, spelling};
use crate::fetch::{Address, BearerToken, TokenScope, without_login};
use crate::text::{Located, Place};

impl DeclarationReader<'_> {
    /// `bearer` of a node, for each of these addresses. What is no address is told where it is fetched from.
    pub(super) fn read_tokens(
        &mut self,
        node: &KdlNode,
        addresses: &[String],
        scope: TokenScope,
    ) -> Vec<BearerToken> {
        let Some(entry) = node.entry("bearer") else { return Vec::new() };
        let place = entry_place(self.values.source, entry);
        if entry.ty().is_none_or(|annotation| annotation.value() != "env") {
            let problem = ManifestProblem::WrongValue {
                what: "`bearer`".to_owned(),
                wanted: "taken from a variable of the environment".to_owned(),
                written: "…".to_owned(),
                help: "whoever reads the manifest would read the token: write `bearer=(env)\"NAME\"`"
                    .to_owned(),
            };
            self.values.errors.push(Located::new(problem, "this value", place));
            return Vec::new();
        }
        let variable = spelling(entry);
        // Plans, and builds of what is there already, need no token.
        let token = self.values.environment.variable(&variable).map(str::to_owned);
        let mut tokens = Vec::new();
        for text in addresses {
            // What variables of a repository stand for is not known yet; the server is, and the folder above them.
            let fixed = text.split_once('$').map_or(text.as_str(), |(fixed, _)| fixed);
            let fixed = if fixed.len() < text.len() { upper_folder(fixed) } else { fixed };
            let Ok(address) = Address::parse(fixed) else { continue };
            let token = match &token {
                Some(token) => BearerToken::new(address, scope, token),
                None => BearerToken::unset(address, scope, &variable),
            };
            match token {
                Ok(token) => tokens.push(token),
                Err(error) => self.report_token(text, error.to_string(), place.clone()),
            }
        }
        tokens
    }

    fn report_token(&mut self, address: &str, help: String, place: Place) {
        let problem = ManifestProblem::WrongValue {
            what: "`bearer`".to_owned(),
            wanted: "a token, and an address that it may be sent to".to_owned(),
            written: without_login(address),
            help,
        };
        self.values.errors.push(Located::new(problem, "this token", place));
    }
}

/// The folder that an address is in as far as it is known.
fn upper_folder(fixed: &str) -> &str {
    fixed.rfind('/').and_then(|at| fixed.get(..=at)).unwrap_or_default()
}
