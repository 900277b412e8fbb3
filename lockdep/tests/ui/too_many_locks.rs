use lockdep::sync::Mutex;

fn main() {
    let l = [const { Mutex::new(0) }; 13];
    lockdep::lock_all!(
        l[0], l[1], l[2], l[3], l[4], l[5], l[6], l[7], l[8], l[9], l[10], l[11], l[12]
    );
}
