//! Pages of every list (contract section 2.2): how many records they have, the tokens that lead
//! from one to the next, and how rows are cut. A list says what its rows are in the order of.

mod answers;
mod asked;
mod numbered;
mod picked;
mod query;
mod size;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use self::answers::{AllRecords, FormerListing, Listing, Records};
pub(crate) use self::asked::Asked;
pub(crate) use self::numbered::{Numbered, PageNumber, PageQuery, Paging};
pub(crate) use self::picked::Picking;
pub(crate) use self::query::{BeforeQuery, LimitQuery, ListQuery, RecordQuery};
pub(crate) use self::size::records_at_most;
