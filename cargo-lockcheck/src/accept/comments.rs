//! Comments that accept findings: `// lockcheck: allow(rule) reason`.
//!
//! The comment stands on the line of code that it is for, or on lines of its own above a statement,
//! which it is then for as a whole, up to the first brace. One that was meant to accept something and
//! does not is said to be wrong: in a block or documentation comment, or written otherwise.

use std::ops::RangeInclusive;

use ra_ap_rustc_lexer::{FrontmatterAllowed, Token, TokenKind, strip_shebang, tokenize};

/// The word that such a comment begins with.
const WORD: &str = "lockcheck";

/// What the comments of one file say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Comments {
    /// Those that accept something.
    pub allowances: Vec<Allowance>,
    /// Those that were meant to, each by its line.
    pub mistakes: Vec<(u32, Mistake)>,
}

/// A comment that accepts something.
#[derive(Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The line of the comment.
    pub line: u32,
    /// The lines of code that it is for.
    pub lines: RangeInclusive<u32>,
    /// The rules, as they are written.
    pub rules: Vec<String>,
    /// Why, in the words of whoever wrote it.
    pub reason: String,
}

/// Why a comment accepts nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// It is written in another way.
    Unknown,
    /// It is a block comment.
    Block,
    /// It is documentation.
    Documentation,
}

impl Mistake {
    /// Why, as the end of a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Mistake::Unknown => "is not understood",
            Mistake::Block => "is in a block",
            Mistake::Documentation => "is documentation",
        }
    }
}

/// What a comment says, without its slashes.
enum Said {
    Nothing,
    Allow { rules: Vec<String>, reason: String },
    Unclear,
}

/// Reads the comments of a source file.
pub fn read(text: &str) -> Comments {
    let mut comments = Comments::default();
    if !text.contains(WORD) {
        return comments;
    }
    let file = File::new(text);
    for (at, (begin, token)) in file.tokens.iter().enumerate() {
        let written = &text[*begin..begin + token.len as usize];
        let (content, mistake) = match token.kind {
            TokenKind::LineComment { doc_style: None } => (&written[2..], None),
            TokenKind::LineComment { .. } => (&written[3..], Some(Mistake::Documentation)),
            TokenKind::BlockComment { doc_style, .. } => {
                let content = written.trim_start_matches(['/', '*', '!']);
                (content, Some(doc_style.map_or(Mistake::Block, |_| Mistake::Documentation)))
            }
            _ => continue,
        };
        let line = file.line(*begin);
        match (said(content), mistake) {
            (Said::Nothing, _) => {}
            (Said::Unclear, None) => comments.mistakes.push((line, Mistake::Unknown)),
            (_, Some(mistake)) => comments.mistakes.push((line, mistake)),
            (Said::Allow { rules, reason }, None) => {
                let lines = if file.begins_a_line(*begin) {
                    file.statement_after(at).unwrap_or(line..=line)
                } else {
                    line..=line
                };
                comments.allowances.push(Allowance { line, lines, rules, reason });
            }
        }
    }
    comments
}

fn said(content: &str) -> Said {
    let Some(rest) = content.trim_start().strip_prefix(WORD) else { return Said::Nothing };
    let rest = rest.trim_start();
    let (rest, has_colon) = match rest.strip_prefix(':') {
        Some(rest) => (rest.trim_start(), true),
        None => (rest, false),
    };
    // Prose may begin with the word as well.
    let is_meant = if has_colon {
        rest.starts_with("allow") || rest.contains('(')
    } else {
        rest.starts_with("allow(")
    };
    let allowed = || {
        let list = rest.strip_prefix("allow")?.trim_start().strip_prefix('(')?;
        let (rules, reason) = list.split_once(')')?;
        let rules = rules.split(',').map(|rule| rule.trim().to_owned()).collect();
        Some(Said::Allow { rules, reason: reason.trim().to_owned() })
    };
    match is_meant {
        false => Said::Nothing,
        true => has_colon.then(allowed).flatten().unwrap_or(Said::Unclear),
    }
}

/// A source file in tokens, each with the offset of its first byte.
struct File<'t> {
    text: &'t str,
    tokens: Vec<(usize, Token)>,
    /// The offsets at which lines begin.
    lines: Vec<usize>,
}

impl<'t> File<'t> {
    fn new(text: &'t str) -> File<'t> {
        let mut at = strip_shebang(text).unwrap_or(0);
        let tokens = tokenize(&text[at..], FrontmatterAllowed::No).map(|token| {
            let begin = at;
            at += token.len as usize;
            (begin, token)
        });
        let tokens = tokens.collect();
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        File { text, tokens, lines: [0].into_iter().chain(ends).collect() }
    }

    /// The number of the line of an offset.
    fn line(&self, at: usize) -> u32 {
        self.lines.partition_point(|begin| *begin <= at) as u32
    }

    /// Whether there is only space before it on its line.
    fn begins_a_line(&self, at: usize) -> bool {
        let begin = self.lines[self.line(at) as usize - 1];
        self.text[begin..at].trim().is_empty()
    }

    /// The lines of the statement, or of the beginning of one with a block, that follows a token.
    fn statement_after(&self, token: usize) -> Option<RangeInclusive<u32>> {
        let mut code = self.tokens[token + 1..].iter().filter(|(_, token)| {
            !matches!(
                token.kind,
                TokenKind::Whitespace
                    | TokenKind::LineComment { .. }
                    | TokenKind::BlockComment { .. }
            )
        });
        let first = code.next()?;
        let mut depth = 0_u32;
        let mut last = first.0;
        for (begin, token) in [first].into_iter().chain(code) {
            match token.kind {
                TokenKind::OpenParen | TokenKind::OpenBracket => depth += 1,
                TokenKind::CloseParen | TokenKind::CloseBracket => match depth.checked_sub(1) {
                    Some(outer) => depth = outer,
                    None => break,
                },
                TokenKind::CloseBrace => break,
                _ => {}
            }
            last = *begin;
            let ends = match token.kind {
                TokenKind::OpenBrace => true,
                TokenKind::Semi | TokenKind::Comma => depth == 0,
                _ => false,
            };
            if ends {
                break;
            }
        }
        Some(self.line(first.0)..=self.line(last))
    }
}

#[cfg(test)]
mod tests {
    use super::{Mistake, read};

    /// For each comment: its line, the lines that it is for, and how many rules it names.
    fn seen(text: &str) -> Vec<(u32, (u32, u32), usize)> {
        let allowances = read(text).allowances.into_iter();
        allowances.map(|a| (a.line, (*a.lines.start(), *a.lines.end()), a.rules.len())).collect()
    }

    #[test]
    fn comments_are_for_their_line_or_the_next_statement() {
        let text = "a();\n// lockcheck: allow(double-lock, lock-order) it is reentrant\n// more\nb();\n\
                    c(); // lockcheck: allow(lock-order)\nlet s = \"lockcheck: allow(x)\";\n";
        assert_eq!(seen(text), [(2, (4, 4), 2), (5, (5, 5), 1)]);
        assert_eq!(read(text).allowances[0].reason, "it is reentrant");
    }

    #[test]
    fn a_statement_may_have_several_lines_and_ends_before_a_block() {
        let text = "// lockcheck: allow(lock-order)\nlet sum = self\n    .accounts\n    .lock()\n    \
                    .unwrap();\nlater();\n";
        assert_eq!(seen(text), [(1, (2, 5), 1)]);
        let text = "// lockcheck: allow(lock-order)\nspawn(\n    move || {\n    inside();\n});\n";
        assert_eq!(seen(text), [(1, (2, 3), 1)]);
        let text =
            "match x {\n    // lockcheck: allow(lock-order)\n    A => a.lock(),\n    B => b,\n}";
        assert_eq!(seen(text), [(2, (3, 3), 1)]);
        let text = "{\n    // lockcheck: allow(lock-order)\n    a.lock()\n}\nb();";
        assert_eq!(seen(text), [(2, (3, 3), 1)]);
        assert_eq!(seen("f();\n// lockcheck: allow(lock-order)"), [(2, (2, 2), 1)]);
    }

    #[test]
    fn what_a_string_says_is_no_comment() {
        let text = "fn f() {\n    print(\"é // lockcheck: allow(double-lock)\", a());\n    \
                    g(\"//\"); // lockcheck: allow(lock-order) one at a time\n    let s = \"\n\
                    // lockcheck: allow(double-lock)\n\";\n}\n";
        assert_eq!(seen(text), [(3, (3, 3), 1)]);
        assert!(read(text).mistakes.is_empty());
    }

    #[test]
    fn space_may_be_missing() {
        for text in ["//lockcheck: allow(x)", "// lockcheck:allow(x)", "//  lockcheck : allow (x)"]
        {
            assert_eq!(seen(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn what_was_meant_to_accept_something_is_told() {
        for (text, mistake) in [
            ("// lockcheck: allow double-lock", Mistake::Unknown),
            ("// lockcheck: alow(double-lock)", Mistake::Unknown),
            ("// lockcheck allow(double-lock)", Mistake::Unknown),
            ("// lockcheck: allow(double-lock", Mistake::Unknown),
            ("/* lockcheck: allow(double-lock) */", Mistake::Block),
            ("/** lockcheck: allow(double-lock) */", Mistake::Documentation),
            ("/// lockcheck: allow(double-lock)", Mistake::Documentation),
        ] {
            let comments = read(&format!("\n{text}\nf();"));
            assert_eq!((comments.allowances.len(), &*comments.mistakes), (0, &[(2, mistake)][..]));
        }
        for text in
            ["// lockcheck finds this", "// lockcheck: see the manual", "/// Like lockcheck: x"]
        {
            assert_eq!(read(text), Default::default(), "{text}");
        }
    }
}
