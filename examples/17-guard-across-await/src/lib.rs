//! A cache that keeps a lock of the standard library across an `.await`, on the one thread that it has.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Mutex;

use tokio::task::{JoinError, spawn_local};

/// Pages by name, each fetched once.
#[derive(Default)]
pub struct Cache {
    pages: Mutex<HashMap<String, String>>,
    fetched: RefCell<usize>,
}

impl Cache {
    async fn fetch(&self, name: &str) -> String {
        tokio::task::yield_now().await;
        *self.fetched.borrow_mut() += 1;
        format!("the page {name}")
    }

    /// The page of this name.
    #[expect(clippy::await_holding_lock, reason = "it is what this shows")]
    pub async fn page(&self, name: &str) -> String {
        let mut pages = self.pages.lock().unwrap();
        if let Some(page) = pages.get(name) {
            return page.clone();
        }
        let page = self.fetch(name).await;
        pages.insert(name.to_owned(), page.clone());
        page
    }
}

/// Gets two pages, each in a task.
pub async fn two(cache: Rc<Cache>) -> Result<usize, JoinError> {
    let get = |name: &'static str| {
        let cache = Rc::clone(&cache);
        spawn_local(async move { cache.page(name).await.len() })
    };
    let (one, other) = (get("one"), get("other"));
    Ok(one.await? + other.await?)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use tokio::task::LocalSet;

    use super::{Cache, two};

    #[tokio::test]
    async fn two_pages_are_fetched() {
        let length = LocalSet::new().run_until(two(Rc::new(Cache::default()))).await;
        assert_eq!(length.unwrap(), 25);
    }
}
