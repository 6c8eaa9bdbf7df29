//! The guard suite over the Enterprise server, and over the same server lowered to Community.

#![expect(clippy::unwrap_used, reason = "tests")]

mod connected;
mod disputed;
mod handshake;
mod journey;
mod predecessor;
mod trials;

mod enterprise {
    use crate::connected;
    use daybind_guards::guard_tests;

    guard_tests!(connected::enterprise:
        /// M-01: every address of the Enterprise server is declared.
        inventory::every_address_is_declared,
        /// M-02: ids of another tenant.
        idor::foreign_ids_are_as_good_as_none,
        /// M-05: client-portal users and people who are not signed in.
        access::only_staff_is_let_in,
        /// M-05, W39: permissions.
        access::permissions_are_as_declared,
        /// M-16: Host, Forwarded and X-Forwarded-*.
        spoof::hosts_are_taken_from_the_settings_alone,
        /// M-16: Referer.
        spoof::a_referer_never_leads_outside,
        /// M-18: secrets.
        canary::no_secret_is_ever_seen,
        /// M-26: what is kept.
        cookies::only_hashes_are_kept,
        /// M-27: other sites.
        cross_site::other_sites_are_refused,
        /// M-27: methods.
        cross_site::nothing_changes_over_another_method,
        /// M-27: CORS.
        cross_site::no_origin_is_let_in_by_cors,
        /// M-29: rates.
        rates::every_rate_holds,
        /// M-44, W62: changes and their audit rows.
        recorded::every_change_is_recorded,
        /// M-28: headers.
        headers::every_answer_carries_them,
        /// M-28: everybody at once.
        alone::everybody_gets_their_own_page,
        /// M-28: nonces.
        headers::every_page_has_a_fresh_nonce,
        /// M-28: malformed calls.
        headers::a_malformed_call_is_not_our_failure,
    );
}

mod lowered {
    use crate::connected;
    use daybind_guards::guard_tests;

    guard_tests!(connected::lowered:
        /// M-06: the four stable URLs of the lowered binary.
        community::stable_addresses_answer_501,
        /// M-06, W39: Enterprise server functions of the lowered binary.
        community::enterprise_actions_are_refused,
        /// M-06: the lowered binary answers as the Community binary does.
        community::a_lowered_edition_is_community,
        /// M-05: client-portal users of the lowered binary.
        access::only_staff_is_let_in,
        /// CE wording in the lowered binary.
        words::community_never_speaks_of_enterprise,
    );
}
