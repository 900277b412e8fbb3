//! Two statics, each of which needs the other to come into being.

use std::sync::LazyLock;

/// Where the program writes its log.
pub static LOG: LazyLock<String> = LazyLock::new(|| format!("{}/log.txt", CONFIG.home));

/// What the program was told.
pub static CONFIG: LazyLock<Config> = LazyLock::new(Config::load);

/// See [`CONFIG`].
pub struct Config {
    /// The directory of the program.
    pub home: String,
}

impl Config {
    fn load() -> Config {
        match option_env!("PROGRAM_HOME") {
            Some(home) => Config { home: home.to_owned() },
            None => {
                // Tell the log, whose place is in the configuration.
                let home = "/tmp".to_owned();
                println!("{}: no home, {home} is used", *LOG);
                Config { home }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CONFIG;

    #[test]
    fn there_is_a_home() {
        assert!(!CONFIG.home.is_empty());
    }
}
