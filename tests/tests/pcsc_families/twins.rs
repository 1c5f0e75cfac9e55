//! Two tokens of one make at once.

use desk::{Choice, RunView, WhatView};
use sower_tests::bus::Bus;
use sower_tests::pcscd::in_private_pcscd;

use super::{
    FEITIAN, MOLTO2, Make, NITROKEY, TOKEN2_FIDO, bus, changes, check_confirmed, planned, replaces,
};

const MAKES: [Make; 4] = [MOLTO2, NITROKEY, FEITIAN, TOKEN2_FIDO];

/// The family and serial number of the token in a reader.
fn identity(bus: &Bus, reader: usize) -> (String, String) {
    match bus.seen(reader).what {
        WhatView::Token { family, serial, .. } => (family, serial),
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_are_listed_and_each_is_written_by_its_id() {
    let test = "twins::both_are_listed_and_each_is_written_by_its_id";
    // Twice the same name would give the service's clients one name for two.
    let second = MAKES.map(|make| format!("{} second", make.reader));
    let readers: Vec<&str> =
        MAKES.iter().map(|make| make.reader).chain(second.iter().map(String::as_str)).collect();
    in_private_pcscd(test, &readers, |pcscd| {
        let bus = bus(pcscd, readers.len());
        let make = |reader: usize| &MAKES[reader % MAKES.len()];
        let ids: Vec<_> = (0..readers.len())
            .zip(1..)
            .map(|(reader, number)| bus.add(reader, (make(reader).token)(number)))
            .collect();
        for id in &ids {
            bus.tray.insert(*id);
        }
        bus.wait_for(|tokens| tokens.len() == readers.len());
        let identities: Vec<_> = (0..readers.len()).map(|reader| identity(&bus, reader)).collect();
        for (reader, (family, serial)) in identities.iter().enumerate() {
            assert_eq!(family, make(reader).family);
            let same = identities.iter().filter(|(_, other)| other == serial).count();
            assert_eq!(same, 1, "{family}: one serial for two");
        }

        // The second of each first, then the first, so that no order can help.
        for reader in (0..readers.len()).rev() {
            for id in &ids {
                bus.tray.arm(*id, &[]);
            }
            let plan = planned(&bus, reader, &Choice::default(), None);
            assert_eq!(replaces(plan), "nothing", "{}", make(reader).family);
            let view = match bus.write() {
                RunView::Written { .. } => {
                    bus.desk.judge(&bus.display(ids[reader])).expect("a code is awaited")
                }
                other => other,
            };
            let verdict =
                if make(reader).family == MOLTO2.family { "right-typed" } else { "right-computed" };
            let receipt = check_confirmed(&bus, &view, make(reader), verdict);
            assert_eq!(receipt["token"]["serial"], identities[reader].1.as_str(), "{receipt}");
            for (other, id) in ids.iter().enumerate() {
                assert_eq!(bus.holds_canary(*id), other >= reader, "{}", make(other).family);
                let was_changed = !changes(&bus, *id, make(other)).is_empty();
                assert_eq!(was_changed, other == reader, "{}", make(other).family);
            }
        }
    });
}
