//! Which IP addresses may be called. Our own table, after the IANA special-purpose registries:
//! the standard library's notion of "global" is unstable and lets tunnelled addresses pass.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What kind of destination an IP address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Anyone's.
    Public,
    /// This machine or this site: allowed in development mode.
    Private,
    /// Nothing that a webhook receiver can be: link-local, metadata services, carrier-grade NAT,
    /// multicast, documentation, reserved, and IPv6 forms that carry an IPv4 address inside.
    Never,
}

/// Loopback and RFC 1918.
const PRIVATE_V4: [Ipv4Net; 4] = [
    v4([127, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([172, 16, 0, 0], 12),
    v4([192, 168, 0, 0], 16),
];

const NEVER_V4: [Ipv4Net; 12] = [
    v4([0, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    // Azure's host service answers on a public-looking address.
    v4([168, 63, 129, 16], 32),
    v4([169, 254, 0, 0], 16),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// Loopback and unique local addresses.
const PRIVATE_V6: [Ipv6Net; 2] = [
    Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128),
    v6([0xfc00, 0], 7),
];

/// Global unicast; everything outside is special.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0], 3);

const NEVER_V6: [Ipv6Net; 5] = [
    // Amazon's metadata service sits among the unique local addresses.
    v6([0xfd00, 0x0ec2], 32),
    // IETF protocol assignments, with Teredo and ORCHID.
    v6([0x2001, 0], 23),
    v6([0x2001, 0x0db8], 32),
    // 6to4 carries an IPv4 address.
    v6([0x2002, 0], 16),
    v6([0x3fff, 0], 20),
];

const fn v4(octets: [u8; 4], length: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

/// The range of the addresses that begin with `segments`.
const fn v6(segments: [u16; 2], length: u8) -> Ipv6Net {
    let [first, second] = segments;
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0), length)
}

/// Judges one address. IPv4-mapped addresses are judged as the IPv4 address that they reach.
pub(super) fn reach(address: IpAddr) -> Reach {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            if NEVER_V4.iter().any(|net| net.contains(&address)) {
                Reach::Never
            } else if PRIVATE_V4.iter().any(|net| net.contains(&address)) {
                Reach::Private
            } else {
                Reach::Public
            }
        }
        IpAddr::V6(address) => {
            if NEVER_V6.iter().any(|net| net.contains(&address)) || is_isatap(address) {
                Reach::Never
            } else if PRIVATE_V6.iter().any(|net| net.contains(&address)) {
                Reach::Private
            } else if GLOBAL_V6.contains(&address) {
                Reach::Public
            } else {
                Reach::Never
            }
        }
    }
}

/// Whether `address` is in one of `ranges`, in either spelling of a mapped address.
pub(super) fn is_within(address: IpAddr, ranges: &[IpNet]) -> bool {
    let canonical = address.to_canonical();
    ranges.iter().any(|range| range.contains(&canonical))
}

/// ISATAP interface ids carry an IPv4 address under any prefix.
const fn is_isatap(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    matches!(segments[4], 0 | 0x0200) && segments[5] == 0x5efe
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_table_knows_every_special_form() {
        let table = [
            ("8.8.8.8", Reach::Public),
            ("1.1.1.1", Reach::Public),
            ("172.15.255.255", Reach::Public),
            ("172.32.0.0", Reach::Public),
            ("100.63.255.255", Reach::Public),
            ("100.128.0.0", Reach::Public),
            ("2606:4700::1111", Reach::Public),
            ("::ffff:8.8.8.8", Reach::Public),
            ("127.0.0.1", Reach::Private),
            ("127.255.255.255", Reach::Private),
            ("10.0.0.1", Reach::Private),
            ("172.16.0.1", Reach::Private),
            ("172.31.255.255", Reach::Private),
            ("192.168.1.1", Reach::Private),
            ("::1", Reach::Private),
            ("::ffff:127.0.0.1", Reach::Private),
            ("::ffff:10.0.0.1", Reach::Private),
            ("fc00::1", Reach::Private),
            ("fd12:3456::1", Reach::Private),
            ("0.0.0.0", Reach::Never),
            ("0.1.2.3", Reach::Never),
            ("100.64.0.1", Reach::Never),
            ("100.100.100.200", Reach::Never),
            ("168.63.129.16", Reach::Never),
            ("169.254.169.254", Reach::Never),
            ("169.254.170.2", Reach::Never),
            ("192.0.0.192", Reach::Never),
            ("192.0.2.1", Reach::Never),
            ("192.88.99.1", Reach::Never),
            ("198.18.0.1", Reach::Never),
            ("198.19.255.255", Reach::Never),
            ("198.51.100.1", Reach::Never),
            ("203.0.113.1", Reach::Never),
            ("224.0.0.1", Reach::Never),
            ("239.255.255.250", Reach::Never),
            ("240.0.0.1", Reach::Never),
            ("255.255.255.255", Reach::Never),
            ("::", Reach::Never),
            ("::127.0.0.1", Reach::Never),
            ("::8.8.8.8", Reach::Never),
            ("::ffff:169.254.169.254", Reach::Never),
            ("::ffff:0:127.0.0.1", Reach::Never),
            ("64:ff9b::127.0.0.1", Reach::Never),
            ("64:ff9b::8.8.8.8", Reach::Never),
            ("64:ff9b:1::1", Reach::Never),
            ("100::1", Reach::Never),
            ("2001::1", Reach::Never),
            ("2001:0:4136:e378::1", Reach::Never),
            ("2001:20::1", Reach::Never),
            ("2001:db8::1", Reach::Never),
            ("2002:7f00:1::", Reach::Never),
            ("2002:a9fe:a9fe::1", Reach::Never),
            ("2606:4700::5efe:127.0.0.1", Reach::Never),
            ("2606:4700::200:5efe:10.0.0.1", Reach::Never),
            ("3fff::1", Reach::Never),
            ("5f00::1", Reach::Never),
            ("fd00:ec2::254", Reach::Never),
            ("fe80::1", Reach::Never),
            ("fec0::1", Reach::Never),
            ("ff02::1", Reach::Never),
        ];
        for (text, expected) in table {
            assert_eq!(reach(text.parse().unwrap()), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_mapped_address_is_judged_like_its_ipv4_address(bits in any::<u32>()) {
            let plain = Ipv4Addr::from_bits(bits);
            let mapped = plain.to_ipv6_mapped();
            prop_assert_eq!(reach(IpAddr::V4(plain)), reach(IpAddr::V6(mapped)));
        }

        #[test]
        fn nothing_outside_global_unicast_is_public(bits in any::<u128>()) {
            let address = Ipv6Addr::from_bits(bits);
            let global = bits >> 125 == 1 || address.to_ipv4_mapped().is_some();
            prop_assert!(global || reach(IpAddr::V6(address)) != Reach::Public);
        }
    }
}
