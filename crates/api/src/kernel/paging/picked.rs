//! Pages of rows that are picked out of many, because not all of them are for whoever asks.

use hookyard_domain::kernel::ports::Page;

use super::answers::Listing;
use super::asked::Asked;
use crate::kernel::problem::ApiResult;

/// Where rows are picked from.
pub(crate) trait Picking: Send {
    type Row: Send;
    type View: Send;

    /// Rows read at once: each may hold a large body.
    const READ_MAX: u32;
    /// Rows looked through for one page.
    const EXAMINED_MAX: usize;

    /// Reads rows, newest first.
    fn read(
        &self,
        page: Page,
        limit: u32,
    ) -> impl Future<Output = ApiResult<Vec<Self::Row>>> + Send;

    /// The id that rows are in the order of.
    fn id(row: &Self::Row) -> u64;

    /// What is shown of a row, if anything is.
    fn pick(
        &mut self,
        row: Self::Row,
    ) -> impl Future<Output = ApiResult<Option<Self::View>>> + Send;
}

impl Asked<'_> {
    /// Reads on until the page is full, the list has ended, or enough was looked through.
    pub(crate) async fn picked<P: Picking>(&self, mut from: P) -> ApiResult<Listing<P::View>> {
        let wanted = usize::try_from(self.rows()).expect("pages are small");
        let mut page = self.page;
        let mut shown = Vec::new();
        let mut stopped_at = None;
        let mut examined = 0;
        while shown.len() < wanted {
            let rows = from.read(page, P::READ_MAX).await?;
            let ended = u32::try_from(rows.len()).is_ok_and(|count| count < P::READ_MAX);
            for row in rows {
                let id = P::id(&row);
                page = Page::Before(id);
                examined += 1;
                if let Some(view) = from.pick(row).await? {
                    shown.push((id, view));
                }
                if shown.len() == wanted {
                    break;
                }
                stopped_at = Some(id);
            }
            if ended {
                stopped_at = None;
                break;
            }
            if examined >= P::EXAMINED_MAX {
                break;
            }
        }
        let listing = self.listing_after(shown, stopped_at, |(id, _)| *id);
        Ok(listing.map(|(_, view)| view))
    }
}
