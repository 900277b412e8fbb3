//! The cured form of `loud/guard_struct_with_hook.rs`: a value with a `Drop` that locks is
//! dropped under the lock.
use std::sync::Mutex;

pub struct Tracer {
    spans: Mutex<Vec<&'static str>>,
}

pub struct Span<'t> {
    tracer: &'t Tracer,
    name: &'static str,
}

impl Tracer {
    pub fn enter(&self, name: &'static str) -> Span<'_> {
        self.spans.lock().unwrap().push(name);
        Span { tracer: self, name }
    }

    pub fn flush(&self) {
        let span = self.enter("flush");
        let mut spans = self.spans.lock().unwrap();
        spans.retain(|s| *s != "idle");
        drop(spans);
        drop(span);
    }
}

impl Drop for Span<'_> {
    fn drop(&mut self) {
        self.tracer.spans.lock().unwrap().retain(|s| *s != self.name);
    }
}

fn main() {
    Tracer { spans: Mutex::default() }.flush();
}
