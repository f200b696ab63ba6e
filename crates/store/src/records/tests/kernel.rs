//! What requests with a key were answered.

use hookyard_domain::{FirstAnswer, Secret};

use super::{assert_golden, golden};
use crate::records::{FirstAnswerRecord, to_json};

#[test]
fn first_answers_are_read_and_written() {
    let answer = FirstAnswer {
        status: 201,
        headers: vec![
            (
                "content-type".to_owned(),
                "application/json; charset=UTF-8".to_owned(),
            ),
            ("etag".to_owned(), "\"1\"".to_owned()),
        ],
        body: Secret::new(r#"{"id":"7","clientSecret":"Zm9v"}"#),
    };
    assert_golden::<FirstAnswerRecord<'_>, FirstAnswer>(
        golden!("first-requests-answer"),
        &[answer],
        |answer| to_json(&FirstAnswerRecord::from(answer)),
    );
}
