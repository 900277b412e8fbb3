use lockdep::sync::Mutex;
use lockdep::thread;

static GATE: Mutex<()> = Mutex::new(());
static LEFT: Mutex<u32> = Mutex::new(0);
static RIGHT: Mutex<u32> = Mutex::new(0);

fn main() {
    thread::scope(|scope| {
        scope.spawn(|| {
            let _gate = GATE.lock().unwrap();
            let _left = LEFT.lock().unwrap();
            let _right = RIGHT.lock().unwrap();
        });
        scope.spawn(|| {
            let _gate = GATE.lock().unwrap();
            let _right = RIGHT.lock().unwrap();
            let _left = LEFT.lock().unwrap();
        });
    });
}
