//! Every error code has a page that says cause, example and remedy.

use std::collections::BTreeSet;
use std::path::Path;

use hookyard_domain::Code;

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    let mut known = BTreeSet::new();
    for code in Code::ALL {
        let file = folder.join(format!("{}.md", code.name()));
        let page = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{}", file.display()));
        let title = format!(
            "# {}\n\nHTTP {}: `{}`\n",
            code.name(),
            code.status(),
            code.summary()
        );
        assert!(page.starts_with(&title), "{}:\n{title}", file.display());
        for heading in ["\n## Cause\n", "\n## Example\n", "\n## Remedy\n"] {
            assert!(page.contains(heading), "{} lacks {heading}", file.display());
        }
        known.insert(format!("{}.md", code.name()));
    }
    let pages = std::fs::read_dir(&folder).expect("the folder is there");
    let pages = pages.map(|page| page.expect("it can be listed").file_name());
    let pages = pages.map(|name| name.into_string().expect("codes are plain text"));
    assert_eq!(pages.collect::<BTreeSet<_>>(), known);
}
