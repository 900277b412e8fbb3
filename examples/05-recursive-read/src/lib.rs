//! A page that reads its settings while it reads its settings.

use std::sync::RwLock;

/// What a page looks like.
pub struct Page {
    settings: RwLock<Settings>,
}

struct Settings {
    title: String,
    language: String,
}

impl Page {
    /// An English page.
    pub fn new(title: &str) -> Page {
        let settings = Settings { title: title.to_owned(), language: "en".to_owned() };
        Page { settings: RwLock::new(settings) }
    }

    /// The title: reads `settings`.
    pub fn title(&self) -> String {
        self.settings.read().unwrap().title.clone()
    }

    /// The whole page: reads `settings`, and again for the title.
    pub fn render(&self) -> String {
        let settings = self.settings.read().unwrap();
        format!("<html lang={}><h1>{}</h1></html>", settings.language, self.title())
    }

    /// Changes the title: writes `settings`. When it comes between the two reads of `render`, it
    /// waits for the first, and the second waits for it.
    pub fn rename(&self, title: &str) {
        title.clone_into(&mut self.settings.write().unwrap().title);
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn a_page_has_its_title() {
        let page = Page::new("Home");
        page.rename("Work");
        assert_eq!(page.render(), "<html lang=en><h1>Work</h1></html>");
    }
}
