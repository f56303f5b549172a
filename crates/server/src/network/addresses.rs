//! The machine's addresses: which phones can use, and which a certificate of ours may name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The private ranges, as address and length of the prefix: all that our authority may vouch for.
pub(crate) const PRIVATE: [(IpAddr, u8); 8] = [
    (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), 12),
    (IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
    (IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), 7),
    (IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), 10),
    (IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
];

/// Whether the address lies in one of the private ranges.
pub(crate) fn is_private(address: IpAddr) -> bool {
    PRIVATE.iter().any(|(network, length)| match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (address.to_bits() ^ network.to_bits()).checked_shr(32 - u32::from(*length)).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            (address.to_bits() ^ network.to_bits()).checked_shr(128 - u32::from(*length)).unwrap_or(0) == 0
        }
        _ => false,
    })
}

/// Every address of the machine now, in a fixed order.
pub(crate) fn of_machine() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the network interfaces cannot be listed");
        Vec::new()
    });
    let mut addresses: Vec<IpAddr> = interfaces.iter().map(if_addrs::Interface::ip).collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

/// Where phones reach a listener that is bound there, best first. Never empty: loopback is always there.
pub(crate) fn offered(bound: IpAddr, machine: &[IpAddr]) -> Vec<IpAddr> {
    if !bound.is_unspecified() {
        return vec![bound];
    }
    let is_offered = |address: &&IpAddr| match address {
        IpAddr::V4(address) => address.is_private(),
        // A link-local address needs the name of the interface, which no phone knows.
        IpAddr::V6(address) => bound.is_ipv6() && address.is_unique_local(),
    };
    let mut offered: Vec<IpAddr> = machine.iter().filter(is_offered).copied().collect();
    offered.sort_by_key(|address| (likely_order(*address), *address));
    offered.dedup();
    if offered.is_empty() {
        offered.push(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    offered
}

/// 192.168 is what small routers give out; 172.16–31 is often a bridge of virtual machines.
fn likely_order(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(address) if address.octets()[0] == 192 => 0,
        IpAddr::V4(address) if address.octets()[0] == 10 => 1,
        IpAddr::V4(_) => 2,
        IpAddr::V6(_) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    #[test]
    fn only_private_addresses_are_offered_and_the_likely_ones_first() {
        let machine = all(&[
            "127.0.0.1",
            "172.17.0.1",
            "10.0.0.5",
            "8.8.8.8",
            "192.168.1.20",
            "192.168.1.20",
            "169.254.1.1",
            "fd00::5",
            "fe80::1",
        ]);
        let any: IpAddr = Ipv4Addr::UNSPECIFIED.into();
        assert_eq!(offered(any, &machine), all(&["192.168.1.20", "10.0.0.5", "172.17.0.1"]));
        let any: IpAddr = Ipv6Addr::UNSPECIFIED.into();
        assert_eq!(offered(any, &machine), all(&["192.168.1.20", "10.0.0.5", "172.17.0.1", "fd00::5"]));
    }

    #[test]
    fn a_machine_without_a_network_offers_loopback_and_one_address_offers_itself() {
        let any: IpAddr = Ipv4Addr::UNSPECIFIED.into();
        assert_eq!(offered(any, &all(&["127.0.0.1", "::1"])), all(&["127.0.0.1"]));
        assert_eq!(offered(all(&["10.1.1.1"])[0], &all(&["192.168.1.20"])), all(&["10.1.1.1"]));
    }

    #[test]
    fn the_private_ranges_end_where_they_end() {
        for inside in [
            "10.0.0.0",
            "10.255.255.255",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.9.9",
            "127.0.0.1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "::1",
        ] {
            assert!(is_private(all(&[inside])[0]), "{inside}");
        }
        for outside in ["9.255.255.255", "11.0.0.0", "172.32.0.0", "172.15.255.255", "192.169.0.0", "8.8.8.8"] {
            assert!(!is_private(all(&[outside])[0]), "{outside}");
        }
        for outside in ["fbff::1", "fe00::1", "fec0::1", "::2", "2001:db8::1", "::"] {
            assert!(!is_private(all(&[outside])[0]), "{outside}");
        }
    }
}
