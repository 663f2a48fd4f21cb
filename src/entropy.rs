//! The system's random source, for those floors that may not ask it themselves.

/// Fresh random bytes from the kernel.
///
/// # Panics
/// When the kernel has no random source: nothing that Fanlight does is safe then.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// Fills bytes with fresh random ones from the kernel.
///
/// # Panics
/// As [`random`].
pub fn fill(bytes: &mut [u8]) {
    #[expect(
        clippy::expect_used,
        reason = "there is no safe way on without random bytes"
    )]
    getrandom::fill(bytes).expect("the kernel gives random bytes");
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_draws_differ() {
        assert_ne!(super::random::<16>(), super::random::<16>());
    }
}
