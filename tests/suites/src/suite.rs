//! The suites, and the crates that are linted: which crate, which version, which features.

/// A crate whose tests are run as they were published.
pub(crate) struct Suite {
    /// The crate's name.
    pub(crate) name: &'static str,
    /// The exact version.
    pub(crate) version: &'static str,
    /// What cargo is told besides `test`.
    pub(crate) cargo: &'static [&'static str],
}

impl Suite {
    const fn new(name: &'static str, version: &'static str) -> Suite {
        Suite { name, version, cargo: &[] }
    }

    const fn cargo(mut self, words: &'static [&'static str]) -> Suite {
        self.cargo = words;
        self
    }

    /// Its features as cargo is told of them in a workspace: `moka/sync`.
    pub(crate) fn member_features(&self) -> Vec<String> {
        let told = self.cargo.windows(2).filter(|pair| pair[0] == "--features");
        let each = told.flat_map(|pair| pair[1].split(','));
        each.map(|feature| format!("{}/{feature}", self.name)).collect()
    }

    /// The name of its directory.
    pub(crate) fn directory(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

/// Channels, thread pools, caches, pools of connections, and what they are made of.
pub(crate) const SUITES: &[Suite] = &[
    Suite::new("crossbeam-channel", "0.5.15"),
    Suite::new("flume", "0.11.1"),
    Suite::new("async-channel", "2.5.0"),
    Suite::new("event-listener", "5.4.1"),
    Suite::new("rayon-core", "1.13.0"),
    Suite::new("threadpool", "1.8.1"),
    Suite::new("scheduled-thread-pool", "0.2.8"),
    Suite::new("r2d2", "0.8.10"),
    Suite::new("once_cell", "1.21.4"),
    Suite::new("thread_local", "1.1.9"),
    Suite::new("sharded-slab", "0.1.7"),
    Suite::new("arc-swap", "1.9.2"),
    Suite::new("dashmap", "6.2.1"),
    Suite::new("moka", "0.12.16").cargo(&["--features", "sync,future"]),
    Suite::new("parking_lot", "0.12.5"),
    Suite::new("parking_lot", "0.13.0"),
    Suite::new("tracing-core", "0.1.36"),
    Suite::new("tracing-appender", "0.2.5"),
];

/// Crates with locks, by the size of their source. Lints that they deny would stop them.
pub(crate) const LINTED: &[Suite] = &[
    Suite::new("r2d2", "0.8.10"),
    Suite::new("deadpool", "0.13.1"),
    Suite::new("quinn", "0.11.12"),
    Suite::new("indicatif", "0.18.6"),
    Suite::new("rayon-core", "1.13.0"),
    Suite::new("prometheus", "0.14.0"),
    Suite::new("sqlx-core", "0.9.0"),
    Suite::new("sled", "0.34.7"),
    Suite::new("salsa", "0.28.5"),
    Suite::new("tracing-subscriber", "0.3.23"),
    Suite::new("async-std", "1.13.2"),
    Suite::new("moka", "0.12.16").cargo(&["--features", "sync,future"]),
    Suite::new("redb", "4.6.0"),
    Suite::new("wgpu-core", "30.0.1"),
    Suite::new("tokio", "1.54.1").cargo(&["--features", "full"]),
    Suite::new("tantivy", "0.27.0"),
];

/// Those of the linted crates that build together as members of one workspace.
pub(crate) const TOGETHER: &[&str] = &[
    "r2d2",
    "deadpool",
    "quinn",
    "indicatif",
    "prometheus",
    "sqlx-core",
    "sled",
    "salsa",
    "tracing-subscriber",
    "async-std",
    "moka",
    "redb",
];
