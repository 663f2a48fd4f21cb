//! Whether a log is whole: every line is as it was written, and none is missing between them.

use std::io::{self, BufRead, Read as _};

use crate::audit::chain::{Chain, Link};

/// The longest line that a log can have, in bytes: far above what an event amounts to.
const MAX_LINE: u64 = 64 * 1024;

/// Where a chain breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// The line is not one of an audit log.
    #[error("line {0} is not a line of an audit log")]
    NotALine(u64),
    /// The line was changed, or is not the one that belongs behind the one before it.
    #[error("line {line} does not follow what is before it: number {seq} behind {behind}")]
    NotNext {
        /// The line of the file, from 1 on.
        line: u64,
        /// The number that it has in the log.
        seq: u64,
        /// The number of the line before.
        behind: u64,
    },
    /// The first line does not say what it goes on from, so what was before it is missing.
    #[error("line 1 is not the first line of a file: what was before it is missing")]
    NoStart,
}

/// Why a log was not found whole.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// The chain breaks.
    #[error(transparent)]
    Broken(#[from] Break),
}

/// Reads a file's lines, behind those of the files before it if there are any, and says how far the
/// log has come. Without one before it, it may start anywhere in the chain, where an anchor stands.
///
/// # Errors
/// [`VerifyError`] with the first line that is wrong.
pub fn verify(mut file: impl BufRead, before: Option<Chain>) -> Result<Option<Chain>, VerifyError> {
    let mut chain = before;
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = (&mut file).take(MAX_LINE).read_until(b'\n', &mut bytes)?;
        if read == 0 {
            break;
        }
        let text = bytes
            .strip_suffix(b"\n")
            .and_then(|it| str::from_utf8(it).ok());
        let link = text.and_then(Link::read).ok_or(Break::NotALine(line))?;
        let behind = match chain {
            Some(chain) => chain,
            None => start(&link).ok_or(Break::NoStart)?,
        };
        let next = link.follows(behind).ok_or(Break::NotNext {
            line,
            seq: link.seq,
            behind: behind.seq,
        })?;
        chain = Some(next);
    }
    Ok(chain)
}

/// What a file's first line goes on from, by its own account.
fn start(link: &Link<'_>) -> Option<Chain> {
    Some(Chain {
        seq: link.seq.checked_sub(1)?,
        hash: link.prev?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::event::{Act, Event};
    use crate::clock::UnixTime;

    /// A log of so many lines, the first an anchor.
    fn log(chain: &mut Chain, lines: u64) -> Vec<String> {
        let line = |number| {
            let event = Event {
                detail: Some(format!("{number} \"}},\"hash\":\"")),
                ..Event::new(Act::Mint)
            };
            chain.link(UnixTime::from_secs(number), &event, number == 0)
        };
        (0..lines).map(line).collect()
    }

    fn check(lines: &[String], before: Option<Chain>) -> Result<Option<Chain>, VerifyError> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        verify(text.as_bytes(), before)
    }

    fn broken(lines: &[String]) -> Break {
        match check(lines, None).unwrap_err() {
            VerifyError::Broken(found) => found,
            VerifyError::Unreadable(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_whole_log_is_whole_also_over_several_files() {
        let mut chain = Chain::default();
        let first = log(&mut chain, 5);
        let middle = chain;
        assert_eq!(check(&first, None).unwrap(), Some(middle));
        let second = log(&mut chain, 3);
        assert_eq!(check(&second, Some(middle)).unwrap(), Some(chain));
        assert_eq!(check(&second, None).unwrap(), Some(chain));
        assert!(check(&second, Some(Chain::default())).is_err());
        assert_eq!(check(&[], None).unwrap(), None);
    }

    #[test]
    fn the_first_wrong_line_is_named() {
        let mut chain = Chain::default();
        let whole = log(&mut chain, 6);
        for gone in 1..5 {
            let mut lines = whole.clone();
            lines.remove(gone);
            let line = u64::try_from(gone).unwrap() + 1;
            let (seq, behind) = (line + 1, line - 1);
            assert_eq!(broken(&lines), Break::NotNext { line, seq, behind });
        }
        for changed in 0..6 {
            let mut lines = whole.clone();
            lines[changed] = lines[changed].replace("mint", "stop");
            let line = u64::try_from(changed).unwrap() + 1;
            let (seq, behind) = (line, line - 1);
            assert_eq!(broken(&lines), Break::NotNext { line, seq, behind });
        }
        let mut swapped = whole.clone();
        swapped.swap(2, 3);
        assert!(matches!(broken(&swapped), Break::NotNext { line: 3, .. }));
        let mut twice = whole.clone();
        twice.insert(3, whole[2].clone());
        assert!(matches!(broken(&twice), Break::NotNext { line: 4, .. }));
        assert_eq!(broken(&whole[1..]), Break::NoStart);
    }

    #[test]
    fn what_is_no_line_is_named() {
        let mut chain = Chain::default();
        let mut lines = log(&mut chain, 3);
        lines[1] = "{}".to_owned();
        assert_eq!(broken(&lines), Break::NotALine(2));
        let whole = log(&mut Chain::default(), 2).join("\n");
        let cut = verify(whole.as_bytes(), None).unwrap_err();
        assert!(matches!(cut, VerifyError::Broken(Break::NotALine(2))));
        let endless = verify(io::BufReader::new(io::repeat(b'x').take(1 << 20)), None);
        assert!(matches!(
            endless,
            Err(VerifyError::Broken(Break::NotALine(1)))
        ));
    }
}
