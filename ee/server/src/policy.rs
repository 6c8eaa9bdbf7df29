//! The addresses only the Enterprise server answers, beside those of `daybind_server::policy` (see there how a row is
//! added).

use daybind_server::policy::Endpoint;

/// Every address of the Enterprise half.
pub const TABLE: &[Endpoint] = &[];
