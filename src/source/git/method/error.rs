//! Why a method makes no sources of a repository.

/// Why a method makes no sources of a repository.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum MethodError {
    /// Something in `{{{ … }}}` that forge doesn't do.
    #[error("{file}, line {line}: `{{{{{{ {text} }}}}}}`: {reason}")]
    #[diagnostic(
        code(forge::source::rpkg_template),
        help(
            "forge works out rpkg's own macros (`git_dir_name`, `git_dir_version`, …) itself and runs no bash: write the value, or use \
             `source custom`"
        )
    )]
    Template {
        /// The template.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What stands between the braces, shortened.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A name or version that the spec doesn't say in so many words.
    #[error("{file} doesn't say `{tag}:` so that it can be read without running anything")]
    #[diagnostic(
        code(forge::source::method_spec_tag),
        help("write it in the preamble, by itself or by macros that the spec defines with `%global`")
    )]
    SpecTag {
        /// The spec.
        file: String,
        /// `Name` or `Version`.
        tag: &'static str,
    },
    /// No package of tito's.
    #[error("{repository} has no `{path}` at {commit}")]
    #[diagnostic(
        code(forge::source::tito_package),
        help("`tito tag` writes it: was the package tagged? `method=tito-test` builds what has no tag yet")
    )]
    TitoPackage {
        /// The repository.
        repository: String,
        /// `.tito/packages/NAME`.
        path: String,
        /// The commit.
        commit: String,
    },
    /// A builder that runs programs or reaches elsewhere.
    #[error("{file} asks for `{builder}`, which forge doesn't have")]
    #[diagnostic(
        code(forge::source::tito_builder),
        help(
            "forge does what `tito.builder.Builder` and `tito.builder.NoTgzBuilder` do; others run programs of the project"
        )
    )]
    TitoBuilder {
        /// The file.
        file: String,
        /// The builder.
        builder: String,
    },
    /// A tag that is not there.
    #[error("{repository} has no tag `{tag}`")]
    #[diagnostic(
        code(forge::source::method_tag),
        help("were the tags pushed (`git push --follow-tags`)? `forge update` looks for them anew")
    )]
    NoTag {
        /// The repository.
        repository: String,
        /// The tag.
        tag: String,
    },
    /// A configuration that is none.
    #[error("{repository}, {file}: {reason}")]
    #[diagnostic(
        code(forge::source::packit_config),
        help(
            "https://packit.dev/docs/configuration says what it holds; `packit validate-config` looks it through"
        )
    )]
    PackitConfig {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An action: a command of the project.
    #[error(
        "{repository}, {file}: the action `{action}` runs commands, which forge doesn't do while it fetches"
    )]
    #[diagnostic(
        code(forge::source::packit_action),
        help("what such a command does belongs into a root: write it as `source custom`, which has one")
    )]
    PackitAction {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// The action.
        action: String,
    },
}
