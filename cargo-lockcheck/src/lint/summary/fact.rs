//! What is known of booleans, options and enums of two that decide which way a body takes.

/// What is known of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// It is this: 0 for `false`, `None` and the first of two variants, 1 for the other.
    Known(u128),
    /// It is what the body is given as this parameter.
    Param(u32),
    /// Nothing.
    Unknown,
}

impl Value {
    /// What is known of it where a body is called with these.
    pub(crate) fn of_caller(self, given: &dyn Fn(u32) -> Value) -> Value {
        match self {
            Value::Param(number) => given(number),
            value => value,
        }
    }
}

/// That a local of a body has a value, which it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fact {
    /// The local's number; to callers, the parameter's.
    pub(crate) local: u32,
    /// 0 for `false`, `None` and the first of two variants, 1 for the other.
    pub(crate) value: u128,
}

/// What must be true of a caller's parameters so that these facts are true of what it gives; nothing
/// where they cannot be.
pub(crate) fn needed_of_caller(facts: &[Fact], given: &dyn Fn(u32) -> Value) -> Option<Vec<Fact>> {
    let mut needed = Vec::new();
    for fact in facts {
        match given(fact.local) {
            Value::Known(value) if value != fact.value => return None,
            Value::Param(local) => needed.push(Fact { local, value: fact.value }),
            Value::Known(_) | Value::Unknown => {}
        }
    }
    Some(needed)
}
