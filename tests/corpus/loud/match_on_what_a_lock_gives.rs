//! A tokenizer shared by a parser and its error recovery.
use std::sync::Mutex;

#[derive(Debug, PartialEq, Clone)]
enum Token {
    Word(String),
    Open,
    Close,
}

struct Tokens {
    rest: Mutex<Vec<Token>>,
}

impl Tokens {
    fn skip_to_close(&self) -> usize {
        let mut rest = self.rest.lock().unwrap(); // found: double-lock
        let before = rest.len();
        while let Some(t) = rest.pop() {
            if t == Token::Close {
                break;
            }
        }
        before - rest.len()
    }
    fn word(&self) -> Result<String, String> {
        match self.rest.lock().unwrap().pop() {
            Some(Token::Word(w)) => Ok(w),
            Some(Token::Open) => Err(format!("skipped {}", self.skip_to_close())), // found: double-lock
            other => Err(format!("unexpected {other:?}")),
        }
    }
}

fn main() {
    let t = Tokens { rest: Mutex::new(vec![Token::Close, Token::Word("a".into()), Token::Open]) };
    println!("{:?}", t.word());
}
