//! Functions with few parameters.

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{ImplItemFn, ItemFn, ItemImpl, Signature, TraitItemFn};

use super::rule::check_rule;
use super::sources::library;

/// As clippy's `too_many_arguments` counts: `self` is one, and what a trait prescribes counts where the trait is.
const MOST_PARAMETERS: usize = 5;

#[derive(Default)]
struct Signatures {
    too_long: Vec<(String, usize)>,
}

impl Signatures {
    fn count(&mut self, signature: &Signature) {
        if signature.inputs.len() > MOST_PARAMETERS {
            self.too_long.push((signature.ident.to_string(), signature.inputs.len()));
        }
    }
}

impl<'ast> Visit<'ast> for Signatures {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.count(&function.sig);
        visit::visit_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.count(&function.sig);
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_item_impl(&mut self, block: &'ast ItemImpl) {
        if block.trait_.is_none() {
            visit::visit_item_impl(self, block);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.count(&function.sig);
        visit::visit_impl_item_fn(self, function);
    }
}

#[test]
fn no_function_has_more_than_five_parameters() {
    let mut found = Vec::new();
    let mut seen = 0;
    for file in library() {
        let mut signatures = Signatures::default();
        for item in &file.items {
            signatures.visit_item(item);
        }
        seen += file.items.len();
        for (function, count) in signatures.too_long {
            let name = format!("{}::{function}", file.below_top());
            found.push((file.top().to_owned(), name, format!("{count} parameters")));
        }
    }
    assert!(seen > 2000, "the functions were not found: {seen}");
    check_rule("at most five parameters", &found);
}

#[test]
fn parameters_are_counted_with_self() {
    let block: ItemImpl = syn::parse_str("impl X { fn f(&self, a: A, b: B, c: C, d: D, e: E) {} }").unwrap();
    let mut signatures = Signatures::default();
    signatures.visit_item_impl(&block);
    assert_eq!(signatures.too_long, [("f".to_owned(), 6)], "{}", block.to_token_stream());
}
