//! How large rich dependencies become when they are solved.

use super::pool_ids::Join;

/// How large a rich dependency may become. libsolv multiplies it out; a hostile one would take all memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct RichSize {
    depth: u32,
    /// How many terms it has as a conjunction of alternatives, at most, and as alternatives of conjunctions.
    conjunction: u32,
    alternatives: u32,
}

const DEEPEST: u32 = 64;
const LARGEST: u32 = 1024;

impl RichSize {
    /// That of a name.
    pub const PLAIN: Self = Self { depth: 0, conjunction: 1, alternatives: 1 };

    /// That of two that are joined; `None` if it is too large.
    pub fn join(self, join: Join, other: Self) -> Option<Self> {
        let (sum, product) =
            (|a: u32, b: u32| a.saturating_add(b).saturating_add(1), |a: u32, b: u32| a.saturating_mul(b));
        let (conjunction, alternatives) = match join {
            Join::And | Join::With => {
                (sum(self.conjunction, other.conjunction), product(self.alternatives, other.alternatives))
            }
            Join::Or | Join::Else => {
                (product(self.conjunction, other.conjunction), sum(self.alternatives, other.alternatives))
            }
            // What is denied counts the other way round; with an `else`, in both.
            Join::If | Join::Unless | Join::Without => {
                let both = other.conjunction.saturating_add(other.alternatives);
                (product(self.conjunction, both), product(self.alternatives, both))
            }
        };
        let depth = self.depth.max(other.depth) + 1;
        let fits = depth <= DEEPEST && conjunction <= LARGEST && alternatives <= LARGEST;
        fits.then_some(Self { depth, conjunction, alternatives })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_multiplied_out_without_end_is_refused() {
        let pair = RichSize::PLAIN.join(Join::And, RichSize::PLAIN).unwrap();
        let mut size = pair;
        let joined =
            std::iter::repeat_with(|| size.join(Join::Or, pair).map(|joined| size = joined)).take(20);
        assert!(joined.take_while(Option::is_some).count() < 15);
        let chain = (0..60).try_fold(RichSize::PLAIN, |size, _| RichSize::PLAIN.join(Join::Or, size));
        assert!(chain.is_some());
        let deeper = (0..100).try_fold(RichSize::PLAIN, |size, _| RichSize::PLAIN.join(Join::Or, size));
        assert!(deeper.is_none());
    }
}
