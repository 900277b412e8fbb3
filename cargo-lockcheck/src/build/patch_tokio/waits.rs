//! What tasks wait for beside locks, and what the threads of an executor do: tables of what is added where in
//! `tokio`.
//!
//! An object that tasks wait for gets a field, its event. A poll that does not bring it says so, and whoever
//! completes it says so before. Nothing of this changes what a function does or returns. What a version does not
//! have is left out: then the waits of that kind are not seen.

use syn::spanned::Spanned;
use syn::visit::Visit;

use super::super::rewriting::Edits;
use super::hooks::HOOKS;

/// A field named `lockcheck`: in which file, of which struct, its type after [`HOOKS`].
const FIELDS: &[(&str, &str, &str)] = &[
    ("sync/mpsc/chan.rs", "Chan", "Event"),
    ("sync/oneshot.rs", "Inner", "Event"),
    ("sync/watch.rs", "Shared", "Event"),
    ("sync/broadcast.rs", "Shared", "Event"),
    ("sync/barrier.rs", "Barrier", "Event"),
    ("sync/notify.rs", "Notify", "Event"),
    ("task/join_set.rs", "JoinSet", "Event"),
    ("runtime/io/driver.rs", "Handle", "Driver"),
    ("runtime/io/registration.rs", "Registration", "Source"),
];

/// What is done to a function.
enum Change {
    /// This comes first.
    First(&'static str),
    /// The body, as an expression, stands between these.
    Around(&'static str, &'static str),
    /// It is told where it is called.
    Placed,
    /// It notes where it is called for as long as it is at work.
    Within,
    /// The future that it returns knows where it was called.
    Called,
}
use Change::{Around, Called, First, Placed, Within};

/// In which file, of which type (`""` for a function of none), which function is changed, and how.
const FUNCTIONS: &[(&str, &str, &str, Change)] = &[
    // Channels.
    ("sync/mpsc/chan.rs", "", "channel", Placed),
    ("sync/mpsc/chan.rs", "", "channel_from_list", Placed),
    ("sync/mpsc/bounded.rs", "", "channel", Placed),
    ("sync/mpsc/unbounded.rs", "", "unbounded_channel", Placed),
    ("sync/mpsc/chan.rs", "Rx", "recv", RECEIVE),
    ("sync/mpsc/chan.rs", "Rx", "recv_many", RECEIVE),
    (
        "sync/mpsc/chan.rs",
        "Chan",
        "send",
        First("self.lockcheck.signal(::tracing::lockcheck::EventKind::Receive);"),
    ),
    (
        "sync/mpsc/chan.rs",
        "Tx",
        "drop",
        First(
            "if self.inner.tx_count.load(core::sync::atomic::Ordering::Acquire) == 1 { \
             self.inner.lockcheck.signal_all(::tracing::lockcheck::EventKind::Receive); }",
        ),
    ),
    (
        "sync/mpsc/chan.rs",
        "Rx",
        "close",
        First("self.inner.lockcheck.signal_all(::tracing::lockcheck::EventKind::Send);"),
    ),
    (
        "sync/mpsc/bounded.rs",
        "Sender",
        "reserve_inner",
        Around(
            "::tracing::lockcheck::around(self.chan.lockcheck(), ::tracing::lockcheck::EventKind::Send, async ",
            ").await",
        ),
    ),
    ("sync/mpsc/bounded.rs", "Receiver", "recv", Called),
    ("sync/mpsc/bounded.rs", "Sender", "send", Called),
    ("sync/mpsc/bounded.rs", "Sender", "reserve", Called),
    ("sync/mpsc/bounded.rs", "Sender", "reserve_owned", Called),
    ("sync/mpsc/unbounded.rs", "UnboundedReceiver", "recv", Called),
    ("sync/mpsc/bounded.rs", "Receiver", "blocking_recv", Within),
    ("sync/mpsc/bounded.rs", "Receiver", "blocking_recv_many", Within),
    ("sync/mpsc/bounded.rs", "Sender", "blocking_send", Within),
    ("sync/mpsc/bounded.rs", "Sender", "closed", Called),
    ("sync/mpsc/unbounded.rs", "UnboundedReceiver", "blocking_recv", Within),
    ("sync/mpsc/unbounded.rs", "UnboundedReceiver", "blocking_recv_many", Within),
    ("sync/mpsc/unbounded.rs", "UnboundedSender", "closed", Called),
    ("sync/oneshot.rs", "Receiver", "blocking_recv", Within),
    ("sync/oneshot.rs", "Sender", "closed", Called),
    ("sync/watch.rs", "Sender", "closed", Called),
    ("sync/broadcast.rs", "Sender", "closed", Called),
    ("sync/broadcast.rs", "Receiver", "blocking_recv", Within),
    ("sync/oneshot.rs", "", "channel", Placed),
    (
        "sync/oneshot.rs",
        "Inner",
        "poll_recv",
        Around(
            "let lockcheck_by = ::tracing::lockcheck::PolledBy::of(cx); let lockcheck_poll = (|| ",
            ")(); ::tracing::lockcheck::polled(&self.lockcheck, ::tracing::lockcheck::EventKind::Receive, \
         lockcheck_by, lockcheck_poll)",
        ),
    ),
    (
        "sync/oneshot.rs",
        "Inner",
        "complete",
        First("self.lockcheck.signal(::tracing::lockcheck::EventKind::Receive);"),
    ),
    ("sync/oneshot.rs", "Receiver", "drop", First("::tracing::lockcheck::leaf_has_moved();")),
    (
        "sync/oneshot.rs",
        "Sender",
        "poll_closed",
        Around(
            "let lockcheck_by = ::tracing::lockcheck::PolledBy::of(cx); let lockcheck_poll = (|| ",
            ")(); match self.inner.as_ref() { Some(inner) => ::tracing::lockcheck::polled(&inner.lockcheck, \
             ::tracing::lockcheck::EventKind::Send, lockcheck_by, lockcheck_poll), None => lockcheck_poll }",
        ),
    ),
    (
        "sync/oneshot.rs",
        "Inner",
        "close",
        First("self.lockcheck.signal(::tracing::lockcheck::EventKind::Send);"),
    ),
    (
        "runtime/task/join.rs",
        "JoinHandle",
        "drop",
        First("::tracing::lockcheck::leaf_has_moved();"),
    ),
    ("sync/watch.rs", "", "channel", Placed),
    (
        "sync/watch.rs",
        "",
        "changed_impl",
        Around(
            "::tracing::lockcheck::around(&shared.lockcheck, ::tracing::lockcheck::EventKind::Receive, async ",
            ").await",
        ),
    ),
    ("sync/watch.rs", "Receiver", "changed", Called),
    ("sync/broadcast.rs", "", "channel", Placed),
    ("sync/broadcast.rs", "Receiver", "recv", Called),
    (
        "sync/broadcast.rs",
        "Sender",
        "send",
        First("self.shared.lockcheck.signal_all(::tracing::lockcheck::EventKind::Receive);"),
    ),
    (
        "sync/broadcast.rs",
        "Sender",
        "close_channel",
        First("self.shared.lockcheck.signal_all(::tracing::lockcheck::EventKind::Receive);"),
    ),
    (
        "sync/broadcast.rs",
        "Recv",
        "poll",
        Around(
            "let lockcheck_by = ::tracing::lockcheck::PolledBy::of(cx); \
             let lockcheck_event: *const ::tracing::lockcheck::Event = &self.receiver.shared.lockcheck; \
             let lockcheck_poll = (|| ",
            ")(); ::tracing::lockcheck::polled(unsafe { &*lockcheck_event }, \
             ::tracing::lockcheck::EventKind::Receive, lockcheck_by, lockcheck_poll)",
        ),
    ),
    ("sync/broadcast.rs", "Recv", "drop", First("::tracing::lockcheck::leaf_has_moved();")),
    // Notifications.
    ("sync/notify.rs", "Notify", "new", Placed),
    ("sync/notify.rs", "Notify", "const_new", Placed),
    ("sync/notify.rs", "Notify", "notify_one", First(NOTIFY_ONE)),
    ("sync/notify.rs", "Notify", "notify_last", First(NOTIFY_ONE)),
    (
        "sync/notify.rs",
        "Notify",
        "notify_waiters",
        First("self.lockcheck.signal_all(::tracing::lockcheck::EventKind::Condvar);"),
    ),
    ("sync/notify.rs", "Notified", "poll", NOTIFIED),
    ("sync/notify.rs", "OwnedNotified", "poll", NOTIFIED),
    ("sync/notify.rs", "Notified", "drop", First("::tracing::lockcheck::leaf_has_moved();")),
    ("sync/notify.rs", "OwnedNotified", "drop", First("::tracing::lockcheck::leaf_has_moved();")),
    // Sets of tasks.
    ("task/join_set.rs", "JoinSet", "new", Placed),
    ("task/join_set.rs", "JoinSet", "default", Placed),
    ("task/join_set.rs", "JoinSet", "join_next", Called),
    ("task/join_set.rs", "JoinSet", "join_next_with_id", Called),
    ("task/join_set.rs", "JoinSet", "poll_join_next", JOIN_NEXT),
    ("task/join_set.rs", "JoinSet", "poll_join_next_with_id", JOIN_NEXT),
    // Barriers.
    ("sync/barrier.rs", "Barrier", "new", Placed),
    ("sync/barrier.rs", "Barrier", "wait", Called),
    (
        "sync/barrier.rs",
        "Barrier",
        "wait_internal",
        Around(
            "self.lockcheck.signal_all(::tracing::lockcheck::EventKind::Barrier); \
         ::tracing::lockcheck::around(&self.lockcheck, ::tracing::lockcheck::EventKind::Barrier, async ",
            ").await",
        ),
    ),
    // Threads of an executor.
    ("runtime/io/driver.rs", "Handle", "unpark", First("self.lockcheck.unpark();")),
];

const RECEIVE: Change = Around(
    "let lockcheck_by = ::tracing::lockcheck::PolledBy::of(cx); let lockcheck_poll = (|| ",
    ")(); ::tracing::lockcheck::received(&self.inner.lockcheck, lockcheck_by, lockcheck_poll)",
);

const NOTIFY_ONE: &str = "self.lockcheck.signal(::tracing::lockcheck::EventKind::Condvar);";

const NOTIFIED: Change = Around(
    "let lockcheck_by = ::tracing::lockcheck::PolledBy::of(cx); \
     let lockcheck_event: *const ::tracing::lockcheck::Event = &self.notify.lockcheck; \
     let lockcheck_poll = (|| ",
    ")(); ::tracing::lockcheck::polled(unsafe { &*lockcheck_event }, \
     ::tracing::lockcheck::EventKind::Condvar, lockcheck_by, lockcheck_poll)",
);

const JOIN_NEXT: Change = Around(
    "let lockcheck_around = ::tracing::lockcheck::Around::begin(cx); let lockcheck_poll = (|| ",
    ")(); ::tracing::lockcheck::polled_around(lockcheck_around, &self.lockcheck, \
     ::tracing::lockcheck::EventKind::End, lockcheck_poll)",
);

/// Calls that stand in something else: in which file, of which method on which field, and what comes around.
const CALLS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "sync/watch.rs",
        "notify_rx",
        "notify_waiters",
        "{ self.shared.lockcheck.signal_all(::tracing::lockcheck::EventKind::Receive); ",
        " }",
    ),
    ("runtime/park.rs", "condvar", "wait", IDLE, ")"),
    ("runtime/scheduler/multi_thread/park.rs", "condvar", "wait", IDLE, ")"),
    ("runtime/blocking/pool.rs", "condvar", "wait_timeout", IDLE, ")"),
    (
        "runtime/io/driver.rs",
        "poll",
        "poll",
        "handle.lockcheck.park(max_wait.is_some() || cfg!(feature = \"io-uring\"), || ",
        ")",
    ),
];

const IDLE: &str = "::tracing::lockcheck::idle(|| ";

/// Text of functions in macros, which are not parsed, and what stands in its place.
const IN_MACROS: &[(&str, &str, &str)] =
    &[("future/block_on.rs", ".block_on(f)", ".block_on(::tracing::lockcheck::blocking(f))")];

/// What is added at the end of a file.
const ADDED: &[(&str, &str)] = &[(
    "sync/mpsc/chan.rs",
    "impl<T, S> Tx<T, S> { \
     pub(super) fn lockcheck(&self) -> &::tracing::lockcheck::Event { &self.inner.lockcheck } }\n",
)];

/// The text of this file with what is added to it.
pub(super) fn rewritten(file: &str, text: &str) -> syn::Result<String> {
    let has = |other: &str| other == file;
    if let Some((_, old, new)) = IN_MACROS.iter().find(|(other, ..)| has(other)) {
        return Ok(text.replace(old, new));
    }
    let is_any = FIELDS.iter().any(|f| has(f.0))
        || FUNCTIONS.iter().any(|f| has(f.0))
        || CALLS.iter().any(|c| has(c.0));
    if !is_any {
        return Ok(text.to_owned());
    }
    let parsed = syn::parse_file(text)?;
    let mut waits = Waits { file, edits: Edits::of(text), owner: String::new() };
    for (_, name, ty) in FIELDS.iter().filter(|f| has(f.0)) {
        if let Some(at) = fields_of(text, name) {
            waits.edits.insert(at, &format!(" lockcheck: {HOOKS}{ty},"));
        }
    }
    waits.visit_file(&parsed);
    let mut text = waits.edits.applied();
    ADDED.iter().filter(|(other, _)| has(other)).for_each(|(_, added)| text.push_str(added));
    Ok(text)
}

/// Where the fields of the struct of this name begin, which may stand in a macro.
fn fields_of(text: &str, name: &str) -> Option<usize> {
    let head = format!("struct {name}");
    let is_whole = |at: &usize| {
        let rest = &text[at + head.len()..];
        rest.starts_with(" {") || rest.starts_with('<')
    };
    let at = text.match_indices(&head).map(|(at, _)| at).find(is_whole)?;
    Some(at + text[at..].find('{')? + 1)
}

struct Waits<'a> {
    file: &'a str,
    edits: Edits<'a>,
    /// The type whose functions are visited.
    owner: String,
}

impl Waits<'_> {
    fn function(
        &mut self,
        attributes: &[syn::Attribute],
        visibility: &syn::Visibility,
        signature: &syn::Signature,
        block: &syn::Block,
    ) {
        let body = block.span().byte_range();
        for (file, owner, name, change) in FUNCTIONS {
            if *file != self.file || *owner != self.owner || signature.ident != name {
                continue;
            }
            match change {
                First(text) => self.edits.insert(body.start + 1, &format!(" {text}")),
                Around(before, after) => {
                    self.edits.insert(body.start, &format!("{{ {before}"));
                    self.edits.insert(body.end, &format!("{after} }}"));
                }
                Placed => self.edits.track_caller(attributes, visibility, signature),
                Within => {
                    self.edits.track_caller(attributes, visibility, signature);
                    let note = format!(
                        " let _lockcheck = {HOOKS}within(core::panic::Location::caller(), false);"
                    );
                    self.edits.insert(body.start + 1, &note);
                }
                Called => {
                    self.edits.track_caller(attributes, visibility, signature);
                    self.called(signature, &body);
                }
            }
        }
    }

    /// Turns an `async fn` into a function that returns the future, with its place. It may take no reference
    /// but itself, as there is one lifetime that the future can be said to have.
    fn called(&mut self, signature: &syn::Signature, body: &std::ops::Range<usize>) {
        let Some(keyword) = signature.asyncness else { return };
        let borrows = signature
            .receiver()
            .is_some_and(|receiver| matches!(receiver.kind, syn::ReceiverKind::Reference(..)));
        let end = if borrows { "> + '_" } else { ">" };
        self.edits.replace(keyword.span.byte_range(), "");
        match &signature.output {
            syn::ReturnType::Type(_, output) => {
                let output = output.span().byte_range();
                self.edits.insert(output.start, "impl core::future::Future<Output = ");
                self.edits.insert(output.end, end);
            }
            syn::ReturnType::Default => self
                .edits
                .insert(body.start, &format!("-> impl core::future::Future<Output = (){end} ")),
        }
        self.edits.insert(
            body.start,
            &format!("{{ {HOOKS}called(core::panic::Location::caller(), false, async move "),
        );
        self.edits.insert(body.end, ") }");
    }
}

impl<'ast> Visit<'ast> for Waits<'_> {
    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let owner = match &*item.self_ty {
            syn::Type::Path(ty) => ty.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        let before = std::mem::replace(&mut self.owner, owner.unwrap_or_default());
        syn::visit::visit_item_impl(self, item);
        self.owner = before;
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.function(&function.attrs, &function.vis, &function.sig, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.function(&function.attrs, &function.vis, &function.sig, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_expr_struct(&mut self, expression: &'ast syn::ExprStruct) {
        let name = expression.path.segments.last().map(|last| last.ident.to_string());
        for (file, owner, ty) in FIELDS {
            let is_self = name.as_deref() == Some("Self") && self.owner == *owner;
            if *file == self.file && (name.as_deref() == Some(owner) || is_self) {
                let at = expression.brace_token.span.open().byte_range().end;
                self.edits.insert(at, &format!(" lockcheck: {HOOKS}{ty}::new(),"));
            }
        }
        syn::visit::visit_expr_struct(self, expression);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let syn::Expr::Field(syn::ExprField { member: syn::Member::Named(field), .. }) =
            &*call.receiver
        else {
            return syn::visit::visit_expr_method_call(self, call);
        };
        for (file, receiver, method, before, after) in CALLS {
            if *file == self.file && field == receiver && call.method == method {
                let call = call.span().byte_range();
                self.edits.insert(call.start, before);
                self.edits.insert(call.end, after);
            }
        }
        syn::visit::visit_expr_method_call(self, call);
    }
}

#[cfg(test)]
mod tests {
    use super::rewritten;

    fn of(file: &str, text: &str) -> String {
        rewritten(file, text).expect("it is Rust")
    }

    #[test]
    fn a_channel_has_an_event_also_where_it_is_declared_in_a_macro() {
        let text = "\
cfg_sync! {
    struct Shared<T> {
        value: T,
    }
}
fn channel<T>(value: T) -> Shared<T> {
    Shared { value }
}
";
        let expected = "\
cfg_sync! {
    struct Shared<T> { lockcheck: ::tracing::lockcheck::Event,
        value: T,
    }
}
#[track_caller] fn channel<T>(value: T) -> Shared<T> {
    Shared { lockcheck: ::tracing::lockcheck::Event::new(), value }
}
";
        assert_eq!(of("sync/watch.rs", text), expected);
    }

    #[test]
    fn whoever_completes_a_wait_says_so_first() {
        let text = "impl<T> Inner<T> { fn complete(&self) -> bool { true } }\n";
        let expected = "\
impl<T> Inner<T> { fn complete(&self) -> bool { \
self.lockcheck.signal(::tracing::lockcheck::EventKind::Receive); true } }\n";
        assert_eq!(of("sync/oneshot.rs", text), expected);
        assert_eq!(of("sync/other.rs", text), text, "it is of another file");
    }

    #[test]
    fn a_future_knows_where_it_was_asked_for_and_borrows_what_it_did() {
        let text = "impl Barrier { pub async fn wait(&self) -> bool { true } }\n";
        let expected = "\
impl Barrier { #[track_caller] pub  fn wait(&self) -> impl core::future::Future<Output = bool> + '_ \
{ ::tracing::lockcheck::called(core::panic::Location::caller(), false, async move { true }) } }\n";
        assert_eq!(of("sync/barrier.rs", text), expected);
    }

    #[test]
    fn a_future_without_a_result_knows_it_too() {
        let text = "impl Sender { pub async fn closed(&self) { wait() } }\n";
        let expected = "\
impl Sender { #[track_caller] pub  fn closed(&self) -> impl core::future::Future<Output = ()> + '_ \
{ ::tracing::lockcheck::called(core::panic::Location::caller(), false, async move { wait() }) } }\n";
        assert_eq!(of("sync/mpsc/bounded.rs", text), expected);
    }

    #[test]
    fn a_thread_that_waits_for_a_future_says_where() {
        let text = "impl Receiver { pub fn blocking_recv(&mut self) { wait() } }\n";
        let expected = "\
impl Receiver { #[track_caller] pub fn blocking_recv(&mut self) { let _lockcheck = \
::tracing::lockcheck::within(core::panic::Location::caller(), false); wait() } }\n";
        assert_eq!(of("sync/mpsc/bounded.rs", text), expected);
    }

    #[test]
    fn a_thread_that_waits_for_a_future_polls_it_as_its_own() {
        let text = "cfg_rt! { pub(crate) fn block_on<F>(f: F) { e.block_on(f).unwrap() } }\n";
        let expected = "cfg_rt! { pub(crate) fn block_on<F>(f: F) { \
e.block_on(::tracing::lockcheck::blocking(f)).unwrap() } }\n";
        assert_eq!(of("future/block_on.rs", text), expected);
    }

    #[test]
    fn a_thread_that_has_nothing_to_do_says_so() {
        let text = "impl Inner { fn park(&self) { m = self.condvar.wait(m).unwrap(); } }\n";
        let expected = "impl Inner { fn park(&self) { \
m = ::tracing::lockcheck::idle(|| self.condvar.wait(m)).unwrap(); } }\n";
        assert_eq!(of("runtime/park.rs", text), expected);
    }
}
