//! Where packages come from, in the forms that others read: in-toto statements with SLSA provenance, and lists of what is in a package
//! and in the root that it was built in (SPDX, CycloneDX).
//!
//! All of it says what the result folder of a build says: nothing is guessed, and nothing secret is in there.

mod attested;
mod cyclonedx;
mod envelope;
mod error;
mod forms;
mod material;
mod spdx_document;
mod statement;

pub use attested::{AttestedBuild, AttestedPackage};
pub use cyclonedx::cyclonedx_document;
pub use envelope::Envelope;
pub use error::AttestationError;
pub use material::{Material, MaterialKind};
pub use spdx_document::spdx_document;
pub use statement::{STATEMENT_TYPE, provenance_statement};
