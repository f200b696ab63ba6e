//! One look at JSON bytes before they are parsed: how deep they nest, and whether they carry NUL.

use hookyard_domain::kernel::limits::JSON_DEPTH_MAX;

/// Why bytes are refused before parsing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonFault {
    TooDeep,
    /// `\u0000`: databases to come cannot hold it, so none may.
    Nul,
}

/// Looks at brackets and escapes outside and inside of strings; everything else is the parser's.
pub fn check(bytes: &[u8]) -> Result<(), JsonFault> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (in_string, byte) {
            (_, 0) => return Err(JsonFault::Nul),
            (true, b'\\') => {
                if bytes[at..].starts_with(b"\\u0000") {
                    return Err(JsonFault::Nul);
                }
                at += 1;
            }
            (true, b'"') => in_string = false,
            (false, b'"') => in_string = true,
            (false, b'{' | b'[') => {
                depth += 1;
                if depth > JSON_DEPTH_MAX {
                    return Err(JsonFault::TooDeep);
                }
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_of_strings() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check(nested(JSON_DEPTH_MAX).as_bytes()), Ok(()));
        assert_eq!(
            check(nested(JSON_DEPTH_MAX + 1).as_bytes()),
            Err(JsonFault::TooDeep)
        );
        assert_eq!(check(format!("\"{}\"", "[".repeat(99)).as_bytes()), Ok(()));
    }

    #[test]
    fn nul_is_found_in_both_spellings() {
        assert_eq!(check(br#"{"a":"\u0000"}"#), Err(JsonFault::Nul));
        assert_eq!(check(b"{\"a\":\"\0\"}"), Err(JsonFault::Nul));
        assert_eq!(
            check(br#"{"a":"\\u0000"}"#),
            Ok(()),
            "an escaped backslash before u0000"
        );
    }
}
