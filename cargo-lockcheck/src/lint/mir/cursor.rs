//! A position in one line of MIR, and the few moves that reading it takes.

/// A position in a text. Every move either succeeds or leaves the rest as it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Cursor<'a> {
        Cursor { rest: text }
    }

    pub(crate) fn rest(self) -> &'a str {
        self.rest
    }

    pub(crate) fn is_empty(self) -> bool {
        self.rest.is_empty()
    }

    /// Goes past a word if it stands here.
    pub(crate) fn eat(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Goes past a word, or says that it does not stand here.
    pub(crate) fn expect(&mut self, word: &str) -> Option<()> {
        self.eat(word).then_some(())
    }

    /// A decimal number.
    pub(crate) fn number<N: std::str::FromStr>(&mut self) -> Option<N> {
        let end = self.rest.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(self.rest.len());
        let number = self.rest[..end].parse().ok()?;
        self.rest = &self.rest[end..];
        Some(number)
    }

    /// Everything up to the first of `stops` outside brackets and literals; the rest begins there.
    /// With `angles`, `<` and `>` are brackets too.
    pub(crate) fn until(&mut self, stops: &[u8], angles: bool) -> &'a str {
        let bytes = self.rest.as_bytes();
        let mut depth = 0usize;
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            if depth == 0 && stops.contains(&byte) {
                break;
            }
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b'<' if angles => depth += 1,
                b'>' if angles && (at == 0 || bytes[at - 1] != b'-') => {
                    depth = depth.saturating_sub(1);
                }
                b'"' => at = end_of_string(bytes, at),
                b'\'' => at = end_of_char(bytes, at),
                _ => {}
            }
            at += 1;
        }
        // Every stop is ASCII, so `at` lies on a character's boundary; a literal that does not
        // close leaves it at or past the end.
        let at = at.min(bytes.len());
        let (taken, rest) = self.rest.split_at(at);
        self.rest = rest;
        taken
    }
}

/// The index of the quote that closes the string that begins at `at`, or the end.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

/// The index of the quote that closes the character that begins at `at`, or `at` for a lifetime.
fn end_of_char(bytes: &[u8], at: usize) -> usize {
    if bytes.get(at + 1) == Some(&b'\\') {
        // An escape: the first quote after the escaped character.
        let from = at + 3;
        return match bytes.get(from..).and_then(|rest| rest.iter().position(|&b| b == b'\'')) {
            Some(found) if found <= 10 => from + found,
            _ => at,
        };
    }
    // One character of up to four bytes, then the quote.
    let is_ascii = bytes.get(at + 1).is_some_and(u8::is_ascii);
    let closes = if is_ascii {
        (bytes.get(at + 2) == Some(&b'\'')).then_some(at + 2)
    } else {
        (at + 3..=at + 5).find(|&end| bytes.get(end) == Some(&b'\''))
    };
    closes.unwrap_or(at)
}

/// The last place of a short word that stands near the end of a line.
pub(crate) fn rfind<const N: usize>(text: &str, word: &[u8; N]) -> Option<usize> {
    let mut rest = text.as_bytes();
    loop {
        let at = memchr::memrchr(*word.last()?, rest)?;
        if rest[..=at].ends_with(word) {
            return Some(at + 1 - N);
        }
        rest = &rest[..at];
    }
}
