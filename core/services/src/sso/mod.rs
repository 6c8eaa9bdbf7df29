//! MSP SSO: technicians sign in through Microsoft (OpenID Connect, authorization code with PKCE).
//!
//! One round trip: [`begin_sign_in`] or [`begin_link`] writes a flow row and sends the browser away; [`finish`] takes the
//! row (once), asks the token endpoint, checks the ID token, and [`decide`](decide::decide) says what follows. Test sign-ins
//! come back the same way and end in [`crate::verify::sign_in`].
//!
//! A person is found by (`tid`, `oid`) and by nothing else. An unknown account is let in after a signed-in person added
//! it, or an administrator approved it ([`accounts`]).

pub mod accounts;
mod address;
mod apply;
mod begin;
pub(crate) mod believe;
mod callback;
pub mod decide;
mod exchange;
pub mod issuer;
mod return_to;
mod signature;
pub mod token;

pub use address::{address_cookie, read_address, typed_address, write_address};
pub use begin::{Begun, FlowCookie, begin_link, begin_sign_in};
pub use callback::{Answer, End, finish};
pub use return_to::{HOME, return_to};

/// What we ask Microsoft for: an ID token, who it is (`oid` and a name to show), and the address for suggestions. No
/// access to anything.
pub const SCOPES: [&str; 3] = ["openid", "profile", "email"];
/// Where Microsoft sends browsers back to; registered in Entra as a redirect URI of type Web.
pub const CALLBACK_PATH: &str = "/api/auth/callback/azure-ad";
/// The purpose of flows that sign somebody in.
pub const SIGN_IN: &str = "msp_sso";
/// The purpose of flows that add an account to a signed-in person.
pub const LINK: &str = "msp_sso_link";
