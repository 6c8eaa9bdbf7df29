//! Which addresses are public: those that the Internet routes to one host (IANA's special-purpose registries, RFC 6890).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Networks within IPv4 that are nobody's host on the Internet.
const NOT_PUBLIC: [(Ipv4Addr, u8); 14] = [
    // This host, and what it may talk to before it has an address.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Carrier-grade NAT.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local, the clouds' metadata services among them.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // Relays of 6to4.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, reserved, broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// What is given out of IPv6 so far.
const GLOBAL: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// Networks within it that lead elsewhere: protocols of the IETF's (Teredo), documentation, 6to4.
const ELSEWHERE: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];
/// IPv4 as networks without it reach it (NAT64, RFC 6052): as public as the address within.
const NAT64: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

fn v4_in((net, bits): (Ipv4Addr, u8), at: Ipv4Addr) -> bool {
    Ipv4Net::new(net, bits).is_ok_and(|net| net.contains(&at))
}

fn v6_in((net, bits): (Ipv6Addr, u8), at: Ipv6Addr) -> bool {
    Ipv6Net::new(net, bits).is_ok_and(|net| net.contains(&at))
}

/// Whether an address is some host's on the Internet.
#[must_use]
pub(super) fn is_public(at: IpAddr) -> bool {
    match at {
        IpAddr::V4(at) => !NOT_PUBLIC.iter().any(|net| v4_in(*net, at)),
        IpAddr::V6(at) => {
            if let Some(within) = at.to_ipv4_mapped() {
                return is_public(IpAddr::V4(within));
            }
            if v6_in(NAT64, at) {
                let [.., a, b, c, d] = at.octets();
                return is_public(IpAddr::V4(Ipv4Addr::new(a, b, c, d)));
            }
            v6_in(GLOBAL, at) && !ELSEWHERE.iter().any(|net| v6_in(*net, at))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// M-25: loopback, private networks, link-local and metadata, in every spelling there is for them.
    #[test]
    fn nothing_but_the_internet_is_public() {
        for public in [
            "20.190.151.7",
            "100.63.255.255",
            "172.15.0.1",
            "172.32.0.1",
            "192.169.0.1",
            "223.255.255.254",
            "2603:1026::1",
            "2a00:1450:4001::200a",
            "::ffff:20.190.151.7",
            "64:ff9b::20.190.151.7",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for not in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.19.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
        ] {
            assert!(!is_public(not.parse().unwrap()), "{not}");
        }
    }
}
