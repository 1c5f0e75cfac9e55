//! A smart card that is not there, in a slot of the reader driver `vpcd`.
//!
//! The driver listens on one TCP port a slot and the card connects: connected is
//! inserted, closed is removed. Every message is a two-byte big-endian length and a
//! body. From the driver, a body of one byte is a control word (0 power off, 1 power
//! on, 2 reset, 4 "send the ATR") and anything longer is a command APDU; only the
//! last two are answered.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::linux::net::TcpStreamExt;
use std::thread::JoinHandle;

/// What runs on the card.
pub trait Applet: Send {
    /// Takes one command APDU and gives the response APDU, status word included, or
    /// nothing at all: then the card stays silent, for ever, as far as the client
    /// can tell.
    fn transmit(&mut self, command: &[u8]) -> Option<Vec<u8>>;

    /// Power was switched or the card reset: selection and authentication are gone.
    fn reset(&mut self) {}
}

/// An answer to reset of a contactless card without history (PC/SC part 3): clients
/// that tell USB from NFC by it see NFC.
pub const ATR: &[u8] = &[0x3B, 0x80, 0x80, 0x01, 0x01];

/// A card in a slot. Dropping it takes it out.
#[derive(Debug)]
pub struct Card<A> {
    stream: TcpStream,
    runs: Option<JoinHandle<A>>,
}

impl<A: Applet + 'static> Card<A> {
    /// Puts a card into the slot behind `port` (`Pcscd::port`). The service notices
    /// it at its next look, up to 0.4 s later.
    ///
    /// # Panics
    ///
    /// When nothing listens on that port.
    pub fn insert(port: u16, atr: &[u8], mut applet: A) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .expect("the reader driver listens on the port of its slot");
        let mut link = stream.try_clone().expect("a connection can be held by two threads");
        let atr = atr.to_vec();
        let runs = std::thread::spawn(move || {
            // An error is the end of the connection: the card is out, and that is all.
            let _ = serve(&mut link, &atr, &mut applet);
            applet
        });
        Self { stream, runs: Some(runs) }
    }

    /// Takes the card out and gives back what ran on it, to be looked into or to be
    /// put into another slot.
    ///
    /// # Panics
    ///
    /// When the applet panicked.
    pub fn remove(mut self) -> A {
        self.disconnect();
        self.runs
            .take()
            .expect("only this function takes it, and it takes the card as well")
            .join()
            .expect("the applet does not panic")
    }
}

impl<A> Card<A> {
    fn disconnect(&self) {
        // It fails only when the driver was faster in closing the connection.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

impl<A> Drop for Card<A> {
    fn drop(&mut self) {
        self.disconnect();
    }
}

fn serve(link: &mut TcpStream, atr: &[u8], applet: &mut impl Applet) -> io::Result<()> {
    link.set_nodelay(true)?;
    loop {
        let message = receive(link)?;
        let answer = match message.as_slice() {
            [4] => Some(atr.to_vec()),
            [] | [_] => {
                applet.reset();
                None
            }
            command => applet.transmit(command),
        };
        if let Some(answer) = answer {
            let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
            link.write_all(&[&length.to_be_bytes(), answer.as_slice()].concat())?;
        }
    }
}

/// The driver sends length and body as two segments and waits for the first to be
/// acknowledged (Nagle). Unless the acknowledgement is asked for at once, again for
/// every read because the kernel forgets it, each APDU takes 40 ms.
fn receive(link: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    link.set_quickack(true)?;
    link.read_exact(&mut length)?;
    let mut body = vec![0; u16::from_be_bytes(length).into()];
    link.set_quickack(true)?;
    link.read_exact(&mut body)?;
    Ok(body)
}
