a();
// lockcheck: allow(double-lock, lock-order) it is reentrant
// more

b();
//// lockcheck: allow(x)
// lockcheck: allow(lock-order
