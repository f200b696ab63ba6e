//! How much work a text made: bytes looked at or copied, and inlines moved. A test bounds it without
//! a clock; outside of tests nothing is counted.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static DONE: Cell<usize> = const { Cell::new(0) };
}

#[cfg(test)]
pub(super) fn add(steps: usize) {
    DONE.set(DONE.get() + steps);
}

#[cfg(not(test))]
pub(super) const fn add(_steps: usize) {}

/// What was done since it was last asked for.
#[cfg(test)]
pub(super) fn take() -> usize {
    DONE.replace(0)
}
