//! `defaults`: what all files say together.

use super::declaration::OptionsDecl;
use super::mistakes::Mistakes;
use crate::text::Spanned;

impl Mistakes<'_> {
    /// The defaults of all files together.
    pub fn resolve_defaults(&mut self, decls: Vec<OptionsDecl>) -> OptionsDecl {
        let mut all = OptionsDecl::default();
        for decl in decls {
            self.join("`engine`", &mut all.engine, decl.engine);
            self.join("`isolation`", &mut all.isolation, decl.isolation);
            self.join("`network`", &mut all.network, decl.network);
            self.join("`timeout`", &mut all.timeout, decl.timeout);
            self.join("`retries`", &mut all.retries, decl.retries);
            self.join("`priority`", &mut all.priority, decl.priority);
            self.join("`on-failure`", &mut all.on_failure, decl.on_failure);
            self.join("`bootstrap`", &mut all.bootstrap, decl.bootstrap);
            let (limits, added) = (&mut all.layer.settings.limits, decl.layer.settings.limits.clone());
            self.join("`memory`", &mut limits.memory, added.memory);
            self.join("`processes`", &mut limits.processes, added.processes);
            self.join("`disk`", &mut limits.disk, added.disk);
            self.join("`open-files`", &mut limits.open_files, added.open_files);
            self.join("`log`", &mut limits.log, added.log);
            all.chroots = all.chroots.or(decl.chroots);
            all.layer.extend(decl.layer);
        }
        all
    }

    fn join<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        all: &mut Option<Spanned<T>>,
        new: Option<Spanned<T>>,
    ) {
        let (Some(known), Some(added)) = (&*all, &new) else {
            *all = all.take().or(new);
            return;
        };
        if known.value != added.value {
            let text = |said: &Spanned<T>| {
                let span = said.place.span();
                said.place.source().text().get(span).unwrap_or_default().to_owned()
            };
            let (one, other) = (text(known), text(added));
            self.report_contradiction(
                &format!("{what} in `defaults`"),
                (&one, &known.place),
                (&other, &added.place),
            );
        }
    }
}
