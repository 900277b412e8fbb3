//! Small runs, each with the circles that it has and how sure they are.

use cargo_lockcheck::predict::{Limits, predict};

use super::notation::{recording, shown};

/// A run, and its circles by tier.
struct Run {
    name: &'static str,
    steps: &'static str,
    circles: &'static [(&'static str, &'static str)],
}

const fn run(
    name: &'static str,
    steps: &'static str,
    circles: &'static [(&'static str, &'static str)],
) -> Run {
    Run { name, steps, circles }
}

const RUNS: &[Run] = &[
    run(
        "opposite orders",
        "M fork(T0) fork(T1); T0 acq(A) acq(B) rel(B) rel(A); T1 acq(B) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        &[("T0:A->B T1:B->A", "predicted")],
    ),
    run(
        "under a gate",
        "M fork(T0) fork(T1); T0 acq(G) acq(A) acq(B) rel(B) rel(A) rel(G); T1 acq(G) acq(B) acq(A) rel(A) rel(B) rel(G); M join(T0) join(T1)",
        &[("T0:A->B T1:B->A", "guarded")],
    ),
    run(
        "gate of the parent, given back early",
        "M fork(T1) fork(T2); T1 acq(G) fork(T3) rel(G); T3 acq(L1) acq(L2) rel(L2) rel(L1); T1 join(T3); T2 acq(G) acq(L2) acq(L1) rel(L1) rel(L2) rel(G); M join(T2) join(T1)",
        &[("T2:L2->L1 T3:L1->L2", "predicted")],
    ),
    run(
        "gate of the parent, kept",
        "M fork(T1) fork(T2); T1 acq(G) fork(T3); T3 acq(L1) acq(L2) rel(L2) rel(L1); T1 join(T3) rel(G); T2 acq(G) acq(L2) acq(L1) rel(L1) rel(L2) rel(G); M join(T2) join(T1)",
        &[("T2:L2->L1 T3:L1->L2", "guarded")],
    ),
    run(
        "gate of the parent, taken twice",
        "M fork(T1) fork(T2); T1 acq(G) fork(T3) rel(G) acq(G); T3 acq(L1) acq(L2) rel(L2) rel(L1); T1 join(T3) rel(G); T2 acq(G) acq(L2) acq(L1) rel(L1) rel(L2) rel(G); M join(T2) join(T1)",
        &[("T2:L2->L1 T3:L1->L2", "predicted")],
    ),
    run(
        "given back in another order",
        "M fork(T0) fork(T1); T0 acq(A) acq(B) rel(A) rel(B); T1 acq(B) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        &[("T0:A->B T1:B->A", "predicted")],
    ),
    run(
        "joined before the other is spawned",
        "M fork(T0); T0 acq(A) acq(B) rel(B) rel(A); M join(T0) fork(T1); T1 acq(B) acq(A) rel(A) rel(B); M join(T1)",
        &[("T0:A->B T1:B->A", "ordered")],
    ),
    run(
        "three, one of them later",
        "M fork(T0) fork(T1); T0 acq(A) acq(B) rel(B) rel(A); T1 acq(B) acq(C) rel(C) rel(B); M join(T0) fork(T2); T2 acq(C) acq(A) rel(A) rel(C); M join(T1) join(T2)",
        &[("T0:A->B T1:B->C T2:C->A", "ordered")],
    ),
    run(
        "one of three candidates",
        "M fork(T1) fork(T2); T1 acq(G) acq(L1) acq(L2) rel(L2) rel(L1) rel(G) fork(T3); T3 acq(L1) acq(L2) rel(L2) rel(L1); T1 join(T3) acq(L2) acq(L1) rel(L1) rel(L2); T2 acq(G) acq(L2) acq(L1) rel(L1) rel(L2) rel(G); M join(T2) join(T1)",
        &[
            ("T2:L2->L1 T3:L1->L2", "predicted"),
            ("T1:L1->L2 T2:L2->L1", "guarded"),
            ("T1:L2->L1 T3:L1->L2", "ordered"),
        ],
    ),
    run(
        "a join under a lock",
        "M fork(T1); T1 acq(G) rel(G); M acq(G) join(T1) rel(G)",
        &[("M:G->J:T1 T1:J:T1->G", "predicted")],
    ),
    run(
        "four, one of them twice",
        "M fork(T0) fork(T1) fork(T2); T0 acq(L1) acq(L2) rel(L2) rel(L1) acq(L3) acq(L4) rel(L4) rel(L3); T1 acq(L2) acq(L3) rel(L3) rel(L2); T2 acq(L4) acq(L1) rel(L1) rel(L4); M join(T0) join(T1) join(T2)",
        &[("T0:L1->L2 T1:L2->L3 T0:L3->L4 T2:L4->L1", "needs-thread")],
    ),
    run(
        "with more held",
        "M fork(T0) fork(T1); T0 acq(L1) acq(L2) rel(L2) rel(L1) acq(L3) acq(L4) rel(L4) rel(L3); T1 acq(L2) acq(L4) acq(L3) rel(L3) rel(L4) rel(L2); M join(T0) join(T1)",
        &[("T0:L3->L4 T1:L4->L3", "predicted")],
    ),
    run(
        "beside another order",
        "M fork(T1) fork(T4); T1 acq(o1) acq(o2) rel(o2) rel(o1) acq(o3) acq(o4) rel(o4) rel(o3); T4 acq(o4) acq(o3) rel(o3) rel(o4); M join(T1) join(T4)",
        &[("T1:o3->o4 T4:o4->o3", "predicted")],
    ),
    run(
        "with a child that it spawned",
        "M fork(T1); T1 fork(T4) acq(o1) acq(o2) rel(o2) rel(o1) acq(o3) acq(o4) rel(o4) rel(o3); T4 acq(o4) acq(o3) rel(o3) rel(o4); T1 join(T4); M join(T1)",
        &[("T1:o3->o4 T4:o4->o3", "predicted")],
    ),
    run(
        "one thread does both",
        "T0 fork(T1); T1 acq(L1) rel(L1); T0 acq(L1) acq(L2) rel(L2) rel(L1) acq(L2) acq(L1) rel(L1) rel(L2)",
        &[("T0:L1->L2 T0:L2->L1", "needs-thread")],
    ),
    run(
        "one thread does both under a gate",
        "T0 acq(G) acq(L1) acq(L2) rel(L2) rel(L1) acq(L2) acq(L1) rel(L1) rel(L2) rel(G)",
        &[],
    ),
    run(
        "ordered by data",
        "T0 fork(T1) acq(L1) acq(L2) rel(L2) rel(L1) acq(L3) w(V1) rel(L3); T1 acq(L3) r(V1) rel(L3) acq(L2) acq(L1) rel(L1) rel(L2)",
        &[("T0:L1->L2 T1:L2->L1", "potential")],
    ),
    run(
        "through a join",
        "T0 fork(T2) acq(L1) fork(T1); T1 acq(L2) rel(L2); T0 join(T1) rel(L1); T2 acq(L2) acq(L1) rel(L1) rel(L2)",
        &[("T0:L1->J:T1 T1:J:T1->L2 T2:L2->L1", "predicted")],
    ),
    run(
        "gate of the parent, at the other one",
        "T0 fork(T2) acq(G) fork(T1); T1 acq(A) acq(B) rel(B) rel(A); T0 join(T1) rel(G); T2 acq(G) acq(B) acq(A) rel(A) rel(B) rel(G)",
        &[("T1:A->B T2:B->A", "guarded")],
    ),
    run(
        "spawned under a lock that it takes first",
        "T1 acq(G) fork(T2) acq(A) acq(B) rel(B) rel(A) rel(G); T2 acq(G) rel(G) acq(B) acq(A) rel(A) rel(B); T1 join(T2)",
        &[("T1:A->B T2:B->A", "ordered")],
    ),
    run(
        "a lock in between",
        "M fork(T0) fork(T1); T0 acq(m) acq(n) rel(n) acq(q) rel(q) rel(m); T1 acq(q) acq(n) rel(n) acq(m) rel(m) rel(q); M join(T0) join(T1)",
        &[("T0:m->q T1:q->m", "predicted")],
    ),
    run(
        "a flag is polled",
        "M fork(T0) fork(T1); T1 spin(done); T0 acq(A) acq(B) rel(B) rel(A) w(done); T1 r(done) acq(B) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        &[("T0:A->B T1:B->A", "potential")],
    ),
    run(
        "a hierarchy",
        "M fork(T0) fork(T1) fork(T2); T0 acq(A) acq(B) acq(C) acq(D) rel(D) rel(C) rel(B) rel(A); T1 acq(A) acq(C) acq(D) rel(D) rel(C) rel(A); T2 acq(B) acq(D) rel(D) rel(B)",
        &[],
    ),
    run(
        "four, only two of which can meet",
        "M fork(T0) fork(T1); T0 acq(A) acq(B) acq(C) rel(C) rel(B) rel(A); T1 acq(C) acq(A) rel(A) rel(C); M join(T0) join(T1)",
        &[("T0:A->C T1:C->A", "predicted")],
    ),
    run(
        "both only read",
        "M fork(T0) fork(T1); T0 racq(A) racq(B) rrel(B) rrel(A); T1 racq(B) racq(A) rrel(A) rrel(B); M join(T0) join(T1)",
        &[("T0:A->B T1:B->A", "needs-writer")],
    ),
    run(
        "both read, and two write",
        "M fork(T0) fork(T1) fork(W1) fork(W2); T0 racq(A) racq(B) rrel(B) rrel(A); T1 racq(B) racq(A) rrel(A) rrel(B); W1 acq(A) rel(A); W2 acq(B) rel(B)",
        &[("T0:A->B T1:B->A", "predicted")],
    ),
    run(
        "both read, and one writes both",
        "M fork(T0) fork(T1) fork(W1); T0 racq(A) racq(B) rrel(B) rrel(A); T1 racq(B) racq(A) rrel(A) rrel(B); W1 acq(A) rel(A) acq(B) rel(B)",
        &[("T0:A->B T1:B->A", "refuted")],
    ),
    run(
        "both read locks that let readers in",
        "M fork(T0) fork(T1) fork(W1) fork(W2); T0 racq(pA) racq(pB) rrel(pB) rrel(pA); T1 racq(pB) racq(pA) rrel(pA) rrel(pB); W1 acq(pA) rel(pA); W2 acq(pB) rel(pB)",
        &[],
    ),
    run(
        "a gate that is only read",
        "M fork(T0) fork(T1); T0 racq(G) acq(A) acq(B) rel(B) rel(A) rrel(G); T1 racq(G) acq(B) acq(A) rel(A) rel(B) rrel(G); M join(T0) join(T1)",
        &[("T0:A->B T1:B->A", "predicted")],
    ),
    run(
        "a gate that one reads and one writes",
        "M fork(T0) fork(T1); T0 racq(G) acq(A) acq(B) rel(B) rel(A) rrel(G); T1 acq(G) acq(B) acq(A) rel(A) rel(B) rel(G); M join(T0) join(T1)",
        &[("T0:A->B T1:B->A", "guarded")],
    ),
    run(
        "read, then written",
        "M fork(T0) fork(T1); T0 racq(A) acq(B) rel(B) rrel(A); T1 racq(B) acq(A) rel(A) rrel(B); M join(T0) join(T1)",
        &[("T0:A->B T1:B->A", "predicted")],
    ),
    run(
        "read twice beside a writer",
        "M fork(T0) fork(T1); T0 racq(A) racq(A) rrel(A) rrel(A); T1 acq(A) rel(A); M join(T0) join(T1)",
        &[("T0:A->A", "predicted")],
    ),
    run(
        "both only try",
        "M fork(T0) fork(T1); T0 acq(A) try(B) rel(B) rel(A); T1 acq(B) try(A) rel(A) rel(B); M join(T0) join(T1)",
        &[],
    ),
    run(
        "tried, then waited under",
        "M fork(T0) fork(T1); T0 try(A) acq(B) rel(B) rel(A); T1 acq(B) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        &[("T0:A->B T1:B->A", "predicted")],
    ),
    run(
        "one tries",
        "M fork(T0) fork(T1); T0 acq(A) try(B) rel(B) rel(A); T1 acq(B) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        &[],
    ),
    run(
        "taken twice by one",
        "M fork(T0) fork(T1); T0 acq(A) acq(A) acq(B) rel(A) rel(B) rel(A); T1 acq(B) acq(A) rel(A) rel(B)",
        &[("T0:A->B T1:B->A", "predicted")],
    ),
    run(
        "a notification before the spawn",
        "M fork(T1) acq(cm) rel(cm) cvwait(cv); T1 acq(l1) acq(l2) acq(cm) notify(cv) rel(cm) rel(l2) rel(l1); M acq(cm) rel(cm) fork(T2); T2 acq(l2) acq(l1) rel(l1) rel(l2); M join(T1) join(T2)",
        &[("T1:l1->l2 T2:l2->l1", "ordered")],
    ),
    run(
        "notified by one of two",
        "M fork(T1) fork(T3) acq(cm) rel(cm) cvwait(cv); T1 acq(l1) acq(l2) acq(cm) notify(cv) rel(cm) rel(l2) rel(l1); T3 acq(cm) notify(cv) rel(cm); M acq(cm) rel(cm) fork(T2); T2 acq(l2) acq(l1) rel(l1) rel(l2); M join(T1) join(T2)",
        &[("T1:l1->l2 T2:l2->l1", "potential")],
    ),
    run(
        "a wait under another lock",
        "M fork(T1) fork(T2) fork(T3); T1 acq(l1) acq(cm) rel(cm) cvwait(cv:c); T2 acq(l2) rel(l2) acq(cm) w(c) notify(cv) rel(cm); T1 acq(cm) r(c) rel(cm) rel(l1); T3 acq(l2) acq(l1) rel(l1) rel(l2)",
        &[("T1:l1->E:cv T2:E:cv->l2 T3:l2->l1", "potential")],
    ),
    run(
        "a wait under another lock, notified by another too",
        "M fork(T1) fork(T2) fork(T4); T1 acq(l1) acq(cm) rel(cm) cvwait(cv:c); T2 acq(l1) rel(l1) acq(cm) w(c) notify(cv) rel(cm); T4 acq(cm) w(c) notify(cv) rel(cm)",
        &[],
    ),
    run(
        "a wait without a predicate",
        "M fork(T1) fork(T2); T1 acq(m) rel(m) cvwait(c); T2 acq(m) notify(c) rel(m); T1 acq(m) rel(m)",
        &[],
    ),
    run(
        "a predicate without its mutex",
        "M fork(T1) fork(T2); T1 acq(m) rel(m) cvwait(c:x); T2 w(x) notify(c); T1 acq(m) r(x) rel(m)",
        &[],
    ),
    run(
        "two wait, all are notified",
        "M fork(T1) fork(T2) fork(T3) fork(T4); T1 acq(m) rel(m) cvwait(c:x); T2 acq(m) rel(m) cvwait(c:y); T3 acq(m) w(x) notifyAll(c) rel(m); T1 acq(m) rel(m); T4 acq(m) w(y) notifyAll(c) rel(m); T2 acq(m) rel(m)",
        &[],
    ),
    run(
        "receives under the lock of the sender",
        "M fork(T1) fork(T2); T2 acq(m) rel(m) send(c); T1 acq(m) recv(c) rel(m)",
        &[("T1:m->E:c T2:E:c->m", "potential")],
    ),
    run(
        "sends under the lock of the receiver",
        "M fork(T1) fork(T2); T1 acq(m) send(c,1) send(c,1) rel(m); T2 acq(m) rel(m) recv(c) recv(c)",
        &[("T1:m->R:c T2:R:c->m", "potential")],
    ),
    run(
        "sends with room under the lock of the receiver",
        "M fork(T1) fork(T2); T1 acq(m) send(c,2) send(c,2) rel(m); T2 acq(m) rel(m) recv(c) recv(c)",
        &[],
    ),
    run("sends to each other without room", "M fork(T0) fork(T1); T0 send(a,1); T1 send(b,1)", &[]),
    run(
        "sends to each other with room",
        "M fork(T0) fork(T1); T0 send(a,2) send(a,2); T1 send(b,2) send(b,2); T0 recv(b) recv(b); T1 recv(a) recv(a)",
        &[],
    ),
    run("receives once more than is sent", "M fork(T1); M send(c); T1 recv(c)", &[]),
    run(
        "a barrier under a lock",
        "M fork(T0) fork(T1); T0 acq(A) bar(b,2); T1 bar(b,2); T0 rel(A); T1 acq(A) rel(A); M join(T0) join(T1)",
        &[],
    ),
    run(
        "a barrier under a lock that the other needs before",
        "M fork(T0) fork(T1); T1 acq(A) rel(A); T0 acq(A) bar(b,2); T1 bar(b,2); T0 rel(A); M join(T0) join(T1)",
        &[("T0:A->E:b T1:E:b->A", "potential")],
    ),
    run(
        "a barrier between phases",
        "M fork(T0) fork(T1); T0 acq(A) acq(B) rel(B) rel(A) bar(b,2); T1 bar(b,2) acq(B) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        &[("T0:A->B T1:B->A", "ordered")],
    ),
    run(
        "permits of two semaphores",
        "M fork(T0) fork(T1); T0 P(s) P(t) V(t) V(s); T1 P(t) P(s) V(s) V(t); M join(T0) join(T1)",
        &[("T0:s->t T1:t->s", "predicted")],
    ),
    run(
        "five philosophers",
        "M fork(P0) fork(P1) fork(P2) fork(P3) fork(P4); P0 acq(f0) acq(f1) rel(f1) rel(f0); P1 acq(f1) acq(f2) rel(f2) rel(f1); P2 acq(f2) acq(f3) rel(f3) rel(f2); P3 acq(f3) acq(f4) rel(f4) rel(f3); P4 acq(f4) acq(f0) rel(f0) rel(f4)",
        &[("P0:f0->f1 P1:f1->f2 P2:f2->f3 P3:f3->f4 P4:f4->f0", "predicted")],
    ),
    run(
        "holds the other way round",
        "M fork(T0) fork(T1); T0 acq(C) rel(C) acq(A) acq(B) rel(B) rel(A); T1 acq(B) acq(C) rel(C) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        &[("T0:A->B T1:B->A", "predicted")],
    ),
    run(
        "hand over hand",
        "M fork(T0) fork(T1); T0 acq(n1) acq(n2) rel(n1) acq(n3) rel(n2) rel(n3); T1 acq(n1) acq(n2) rel(n1) acq(n3) rel(n2) rel(n3); M join(T0) join(T1)",
        &[],
    ),
    run(
        "holds of one lock the other way round",
        "M fork(T0) fork(T1); T0 acq(A) acq(B) rel(B) rel(A); T1 acq(A) rel(A) acq(B) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        &[("T0:A->B T1:B->A", "predicted")],
    ),
    run(
        "one of three in the shadow of another",
        "M fork(T0) fork(T1); T1 acq(L0) acq(L2) rel(L2) acq(L1) acq(L2) rel(L2) rel(L1) rel(L0); T0 acq(L2) acq(L0) rel(L0) acq(L1) rel(L1) rel(L2); M join(T0) join(T1)",
        &[
            ("T0:L2->L0 T1:L0->L2", "predicted"),
            ("T0:L2->L0 T1:L0->L2", "predicted"),
            ("T0:L2->L1 T1:L1->L2", "refuted"),
        ],
    ),
    run(
        "a read lock among them",
        "M fork(T1) fork(T2); T1 acq(A) racq(S) acq(B) rel(B) rrel(S) rel(A); T2 acq(B) acq(S) rel(S) acq(A) rel(A) rel(B)",
        &[("T1:A->B T2:B->A", "predicted"), ("T1:S->B T2:B->S", "predicted")],
    ),
    run(
        "set up before the spawn",
        "M acq(A) acq(B) rel(B) rel(A) fork(T1); T1 acq(B) acq(A) rel(A) rel(B); M join(T1)",
        &[("M:A->B T1:B->A", "ordered")],
    ),
    run(
        "spawned under the child's lock",
        "M acq(A) fork(T1) rel(A); T1 acq(A) rel(A); M join(T1)",
        &[],
    ),
    run(
        "a gate given back first",
        "M fork(T1) fork(T2); T1 acq(G) acq(A) acq(B) rel(G) rel(B) rel(A); T2 acq(G) acq(B) acq(A) rel(G) rel(A) rel(B); M join(T1) join(T2)",
        &[("T1:A->B T2:B->A", "guarded")],
    ),
    run(
        "different variables",
        "M fork(T1) fork(T2); T1 acq(A) acq(B) rel(B) rel(A) w(x); T2 r(y) acq(B) acq(A) rel(A) rel(B)",
        &[("T1:A->B T2:B->A", "predicted")],
    ),
    run(
        "always joined under the lock of the child",
        "M fork(c) acq(m); M rel(m); c acq(m) rel(m); M acq(m) join(c) rel(m)",
        &[("M:m->J:c c:J:c->m", "predicted")],
    ),
    run(
        "first under a gate, then not",
        "M fork(T0) fork(T1); T0 acq(G) acq(A) acq(B) rel(B) rel(A) rel(G); T1 acq(G) acq(B) acq(A) rel(A) rel(B) rel(G); T0 acq(A) acq(B) rel(B) rel(A); T1 acq(B) acq(A) rel(A) rel(B); M join(T0) join(T1)",
        &[
            ("T0:A->B T1:B->A", "predicted"),
            ("T0:A->B T1:B->A", "predicted"),
            ("T0:A->B T1:B->A", "predicted"),
            ("T0:A->B T1:B->A", "guarded"),
        ],
    ),
];

#[test]
fn each_has_its_verdict() {
    let mut wrong = Vec::new();
    for Run { name, steps, circles } in RUNS {
        let recording = recording(steps);
        let prediction = predict(&recording, Limits::default());
        let found: Vec<(String, &str)> = prediction
            .circles
            .iter()
            .map(|circle| (shown(&recording, circle), circle.sureness.tier.code()))
            .collect();
        let mut found_sorted = found.clone();
        found_sorted.sort();
        let mut expected: Vec<(String, &str)> =
            circles.iter().map(|(circle, tier)| ((*circle).to_owned(), *tier)).collect();
        expected.sort();
        if found_sorted != expected {
            wrong.push(format!("{name}:\n  found    {found:?}\n  expected {circles:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
