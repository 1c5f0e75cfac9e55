//! Served readers: framing, coming and going, faults.

use std::net::TcpListener;
use std::time::Duration;

use oath::UnixTime;
use token::TokenSource;

use super::*;
use crate::families::token2_nfc_single_profile as token2;
use crate::{Fault, Script};

const READER: &str = "Practice reader 1";
const INFO: &[u8] = &[0x80, 0x41, 0, 0, 2, 2, 0x11];

/// The driver's side of one slot.
struct Driver(TcpListener);

impl Driver {
    fn new() -> (Self, u16) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        (Self(listener), port)
    }

    fn accept(&self) -> TcpStream {
        let (card, _) = self.0.accept().expect("a card connects");
        card
    }
}

fn ask(card: &mut TcpStream, body: &[u8]) -> io::Result<Vec<u8>> {
    let length = u16::try_from(body.len()).map_err(io::Error::other)?;
    card.write_all(&length.to_be_bytes())?;
    card.write_all(body)?;
    let mut length = [0; 2];
    card.read_exact(&mut length)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    card.read_exact(&mut answer)?;
    Ok(answer)
}

fn served() -> (Tray, TrayId, Driver, ServedReader, TcpStream) {
    let tray = Tray::new(Arc::new(|| UnixTime::from_secs(1_700_000_000)));
    let id = tray.add(Box::new(token2::practice().switched_on()), READER);
    tray.insert(id);
    let (driver, port) = Driver::new();
    let served = ServedReader::open(&tray, READER, port).expect("the driver listens");
    let card = driver.accept();
    (tray, id, driver, served, card)
}

#[test]
fn a_card_answers_and_is_no_candidate_of_the_tray() {
    let (tray, id, driver, served, mut card) = served();
    assert_eq!(ask(&mut card, &[4]).ok(), Some(vec![0x3b, 0x80, 0x80, 1, 1]));
    card.write_all(&[0, 1, 1]).expect("power on is not answered");
    let answer = ask(&mut card, INFO).expect("an answer");
    assert!(answer.ends_with(&[0x65, 0x53, 0xf1, 0, 0x90, 0]));
    assert_eq!(tray.exchanges(id), 1);
    assert_eq!(tray.candidates(), Ok(Vec::new()));
    drop(served);
    assert!(ask(&mut card, INFO).is_err());
    assert_eq!(tray.candidates().map(|c| c.len()), Ok(1));
    drop(driver);
}

#[test]
fn the_slot_follows_the_tray() {
    let (tray, id, driver, _served, mut card) = served();
    for (away, back) in [
        (Tray::remove as fn(&Tray, TrayId), Tray::insert as fn(&Tray, TrayId)),
        (Tray::press, Tray::press),
    ] {
        away(&tray, id);
        assert!(ask(&mut card, INFO).is_err());
        back(&tray, id);
        card = driver.accept();
        assert!(ask(&mut card, INFO).is_ok());
    }
}

#[test]
fn faults_look_as_they_do_with_a_real_card() {
    for fault in Fault::ALL {
        let (tray, id, driver, _served, mut card) = served();
        tray.arm(id, &[Script::at_exchange(0, fault)]);
        card.set_read_timeout(Some(Duration::from_millis(50))).expect("a socket");
        let answer = ask(&mut card, INFO);
        match fault {
            Fault::RemovedBefore | Fault::RemovedAfter => {
                assert!(answer.is_err());
                assert!(!tray.is_inserted(id));
            }
            Fault::Refused(_) => assert_eq!(answer.ok(), Some(vec![0x6f, 0])),
            Fault::Silent | Fault::SilentBefore => {
                let kind = answer.map_err(|error| error.kind());
                assert_eq!(kind, Err(io::ErrorKind::WouldBlock));
                tray.remove(id);
                tray.insert(id);
                assert!(ask(&mut driver.accept(), INFO).is_ok());
            }
            Fault::Garbled => {
                let answer = answer.expect("an answer");
                assert!(answer.starts_with(&[0x55]) && answer.ends_with(&[0x90, 0]));
            }
            Fault::Short => assert_eq!(answer.ok(), Some(vec![0])),
            Fault::Empty => {
                assert!(answer.is_err());
                assert!(ask(&mut driver.accept(), INFO).is_ok());
            }
            Fault::SwappedBefore => {
                assert!(answer.is_err());
                let answer = ask(&mut driver.accept(), INFO).expect("the other one");
                assert_eq!(&answer[4..18], b"86596220000002");
            }
        }
    }
}

#[test]
fn a_slot_that_is_not_there_is_an_error() {
    let (driver, port) = Driver::new();
    drop(driver);
    let tray = Tray::new(Arc::new(|| UnixTime::from_secs(0)));
    let id = tray.add(Box::new(token2::practice().switched_on()), READER);
    tray.insert(id);
    assert!(ServedReader::open(&tray, READER, port).is_err());
    assert_eq!(tray.candidates().map(|c| c.len()), Ok(1));
}
