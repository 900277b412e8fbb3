//! A value of any type is removed from a map under the lock that its `Drop` takes.
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Mutex;

static SERVICES: Mutex<Option<HashMap<TypeId, Box<dyn Any + Send>>>> = Mutex::new(None);

struct Mailer;

impl Drop for Mailer {
    fn drop(&mut self) {
        let count = SERVICES.lock().unwrap().as_ref().map_or(0, HashMap::len);
        eprintln!("{count} services remain");
    }
}

fn register<T: Any + Send>(service: T) {
    let old = SERVICES.lock().unwrap().get_or_insert_default().insert(TypeId::of::<T>(), Box::new(service));
    drop(old);
}

fn unregister<T: Any>() {
    if let Some(map) = SERVICES.lock().unwrap().as_mut() {
        map.remove(&TypeId::of::<T>()); // found: drop-under-lock
    }
}

fn main() {
    register(1u32);
    unregister::<u32>();
    register(Mailer);
    unregister::<Mailer>();
}
