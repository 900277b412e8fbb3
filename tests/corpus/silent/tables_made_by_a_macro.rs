//! Two tables that a macro makes, locked in one order.
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

macro_rules! tables {
    ($name:ident { $($table:ident / $write:ident : $row:ty),* $(,)? }) => {
        #[derive(Default)]
        struct $name { $($table: RwLock<Vec<$row>>),* }
        impl $name {
            $(
                fn $table(&self) -> RwLockReadGuard<'_, Vec<$row>> { self.$table.read().unwrap() }
                fn $write(&self) -> RwLockWriteGuard<'_, Vec<$row>> { self.$table.write().unwrap() }
            )*
        }
    };
}

tables!(Db { users / users_mut: String, posts / posts_mut: (usize, String) });

impl Db {
    fn post(&self, user: &str, text: &str) {
        let users = self.users();
        let Some(at) = users.iter().position(|u| u == user) else { return };
        self.posts_mut().push((at, text.into()));
    }
    fn rename(&self, from: usize, to: &str) {
        let mut users = self.users_mut();
        let posts = self.posts();
        if posts.iter().any(|p| p.0 == from) {
            users[from] = to.into();
        }
    }
}

fn main() {
    let db = Db::default();
    std::thread::scope(|s| {
        s.spawn(|| db.post("a", "hi"));
        s.spawn(|| db.rename(0, "b"));
    });
}
