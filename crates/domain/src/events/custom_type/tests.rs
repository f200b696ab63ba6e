use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const LATER: Timestamp = Timestamp::from_millis(1_800_000_060_000);

fn plain() -> TypeVersion {
    TypeVersion::read(None, None, NOW).unwrap()
}

fn invoice() -> CustomType {
    let name = TypeName::parse("invoice.paid").unwrap();
    CustomType::new(AccountId(1), name, "It is paid.".to_owned(), plain()).unwrap()
}

fn patch() -> CustomTypePatch {
    CustomTypePatch::default()
}

#[test]
fn names_of_the_catalogue_and_of_hookyard_are_taken() {
    let new = |name: &str| {
        let name = TypeName::parse(name).unwrap();
        CustomType::new(AccountId(1), name, String::new(), plain())
    };
    assert!(matches!(new("presence"), Err(CustomTypeError::BuiltIn(_))));
    assert!(matches!(
        new("post.PostAdded"),
        Err(CustomTypeError::BuiltIn(_))
    ));
    assert_eq!(new("hookyard.mine"), Err(CustomTypeError::Reserved));
    assert!(new("hookyard").is_ok() && new("post").is_ok());
}

#[test]
fn every_change_relies_on_the_version_before() {
    let first = invoice();
    let change = first.clone().register();
    let guard = |version| Guard::version(AccountId(1), first.name.clone(), version);
    assert_eq!(change.guards, [guard(0)]);
    let (change, second) = first.add_version(plain()).unwrap();
    assert_eq!(change.guards, [guard(1)]);
    assert_eq!((second.version, second.newest_number()), (2, 2));
    assert_eq!(second.numbered(1), Some(&first.versions[0]));
    assert_eq!((second.numbered(0), second.numbered(3)), (None, None));
    assert_eq!(second.delete().guards, [guard(2)]);
}

#[test]
fn a_type_is_deprecated_with_a_note_and_taken_back() {
    let note = |text: &str| Some(text.to_owned());
    let first = invoice();
    let deprecate = CustomTypePatch {
        deprecated: Some(true),
        deprecation_note: note("Use invoice.settled."),
        ..patch()
    };
    let (_, second) = first.change(deprecate.clone(), NOW).unwrap();
    let expect = Some((NOW, "Use invoice.settled.".to_owned()));
    assert_eq!(second.deprecated, expect);
    let (_, same) = second.change(deprecate, LATER).unwrap();
    assert_eq!(same.deprecated, expect, "since when does not change");
    let renote = CustomTypePatch {
        deprecation_note: note("No longer sent."),
        ..patch()
    };
    let (_, renoted) = second.change(renote.clone(), LATER).unwrap();
    assert_eq!(
        renoted.deprecated,
        Some((NOW, "No longer sent.".to_owned()))
    );
    let refused = first.change(renote, NOW);
    assert_eq!(
        refused.unwrap_err(),
        CustomTypeError::NoteWithoutDeprecation
    );
    let back = CustomTypePatch {
        deprecated: Some(false),
        ..patch()
    };
    assert_eq!(second.change(back, LATER).unwrap().1.deprecated, None);
}

#[test]
fn texts_and_versions_are_bounded() {
    let long = |chars: usize| Some("ü".repeat(chars));
    let described = |description| {
        invoice().change(
            CustomTypePatch {
                description,
                ..patch()
            },
            NOW,
        )
    };
    assert!(described(long(DESCRIPTION_CHARS_MAX)).is_ok());
    assert_eq!(
        described(long(DESCRIPTION_CHARS_MAX + 1)).unwrap_err(),
        CustomTypeError::DescriptionTooLong
    );
    let mut full = invoice();
    full.versions = vec![plain(); TYPE_VERSIONS_MAX];
    assert_eq!(
        full.add_version(plain()).unwrap_err(),
        CustomTypeError::TooManyVersions
    );
}

#[test]
fn examples_are_bounded() {
    let long = format!("\"{}\"", "x".repeat(TYPE_EXAMPLE_BYTES_MAX));
    let refused = TypeVersion::read(None, Some(&long), NOW);
    assert!(matches!(refused, Err(CustomTypeError::Example(_))));
}
