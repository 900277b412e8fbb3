use lockdep::sync::RwLock;

struct Names {
    names: RwLock<Vec<String>>,
}

impl Names {
    fn len(&self) -> usize {
        self.names.read().unwrap().len()
    }

    fn print(&self) {
        let names = self.names.read().unwrap();
        println!("{} names: {names:?}", self.len());
    }
}

fn main() {
    Names { names: RwLock::default() }.print();
}
