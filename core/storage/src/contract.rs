//! The suite that both databases must pass.
