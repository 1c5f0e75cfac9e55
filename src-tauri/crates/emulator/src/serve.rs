//! A tray's reader behind the real smart-card service, by the reader driver
//! `vpcd` (vsmartcard): rigs/FACTS.md section 3.
//!
//! The driver listens on a TCP port for each slot and the card connects to it:
//! connected is inserted, closed is removed. Every message is a two-byte
//! big-endian length and a body. From the driver, a body of one byte is a
//! control word (0 power off, 1 power on, 2 reset, 4 "send the answer to
//! reset"), a longer one is a command APDU; only the last two are answered.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::linux::net::TcpStreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::tray::{Outcome, Shared, Tray, TrayId};

/// Shows the real smart-card service what lies in one reader of a tray.
///
/// Insert, remove, press and arm go on through the [`Tray`], which no longer
/// lists the tokens of this reader as its own candidates. Faults look as they do
/// with a real card; an empty answer and a swapped token cut the connection, for
/// this driver has no other way to say them. Dropping it empties the slot.
#[derive(Debug)]
pub struct ServedReader {
    tray: Tray,
    reader: String,
    closing: Arc<AtomicBool>,
    follower: Option<JoinHandle<()>>,
}

impl ServedReader {
    /// Serves a reader of the tray in the slot behind this port of this
    /// computer. Fails if a token lies in the reader and nothing listens there.
    ///
    /// A slot that cannot be reached later, because the service was stopped,
    /// stays empty until something in the reader changes.
    pub fn open(tray: &Tray, reader: &str, port: u16) -> io::Result<Self> {
        let shared = Arc::clone(tray.shared());
        let here = {
            let mut world = shared.lock();
            world.serve(reader, true);
            world.in_reader(reader)
        };
        shared.tell();
        let closing = Arc::new(AtomicBool::new(false));
        // Made first, so that the reader is given back if connecting fails.
        let mut served = Self {
            tray: tray.clone(),
            reader: reader.to_owned(),
            closing: Arc::clone(&closing),
            follower: None,
        };
        let link = match here {
            Some((token, appearance)) => Some(Link::connect(&shared, token, appearance, port)?),
            None => None,
        };
        let reader = reader.to_owned();
        served.follower = Some(std::thread::spawn(move || {
            follow(&shared, &reader, port, here, link, &closing);
        }));
        Ok(served)
    }
}

impl Drop for ServedReader {
    fn drop(&mut self) {
        let shared = self.tray.shared();
        {
            // Under the lock, so that the follower cannot miss it.
            let mut world = shared.lock();
            world.serve(&self.reader, false);
            self.closing.store(true, Ordering::SeqCst);
        }
        shared.tell();
        if let Some(follower) = self.follower.take() {
            // A follower that panicked has nothing more to tell.
            let _ = follower.join();
        }
    }
}

/// Keeps the connection in step with what appears in the reader.
fn follow(
    shared: &Arc<Shared>,
    reader: &str,
    port: u16,
    mut shown: Option<(TrayId, u64)>,
    mut link: Option<Link>,
    closing: &AtomicBool,
) {
    loop {
        let mut world = shared.lock();
        while world.in_reader(reader) == shown && !closing.load(Ordering::SeqCst) {
            world = shared.wait(world);
        }
        shown = world.in_reader(reader);
        drop(world);
        drop(link.take());
        if closing.load(Ordering::SeqCst) {
            return;
        }
        link = shown
            .and_then(|(token, appearance)| Link::connect(shared, token, appearance, port).ok());
    }
}

/// A connected card. Dropping it takes the card out.
struct Link {
    stream: TcpStream,
    answers: Option<JoinHandle<()>>,
}

impl Link {
    fn connect(
        shared: &Arc<Shared>,
        token: TrayId,
        appearance: u64,
        port: u16,
    ) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        let mut card =
            Card { stream: stream.try_clone()?, shared: Arc::clone(shared), token, appearance };
        let answers = std::thread::spawn(move || {
            // Whatever ends it, the card is out then, and that is all.
            let _ = card.answer_until_it_is_out();
            let _ = card.stream.shutdown(Shutdown::Both);
        });
        Ok(Self { stream, answers: Some(answers) })
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // It fails only when the other side was faster.
        let _ = self.stream.shutdown(Shutdown::Both);
        if let Some(answers) = self.answers.take() {
            let _ = answers.join();
        }
    }
}

struct Card {
    stream: TcpStream,
    shared: Arc<Shared>,
    token: TrayId,
    appearance: u64,
}

impl Card {
    fn answer_until_it_is_out(&mut self) -> io::Result<()> {
        loop {
            let message = self.receive()?;
            match message.as_slice() {
                [4] => {
                    let atr = self.shared.lock().atr(self.token);
                    self.send(&atr)?;
                }
                [] | [_] => self.shared.lock().power(self.token, self.appearance),
                command => match self.shared.exchange(self.token, self.appearance, command) {
                    Some(Outcome::Answer(answer)) if answer.is_empty() => {
                        let mut world = self.shared.lock();
                        world.lift_for_a_moment(self.token, self.appearance);
                        drop(world);
                        self.shared.tell();
                        return Ok(());
                    }
                    Some(Outcome::Answer(answer)) => self.send(&answer)?,
                    Some(Outcome::Silence) => {}
                    Some(Outcome::Left | Outcome::Swapped { .. }) | None => return Ok(()),
                },
            }
        }
    }

    fn send(&mut self, body: &[u8]) -> io::Result<()> {
        let length = u16::try_from(body.len()).map_err(io::Error::other)?;
        // In one segment, for the driver's sake as much as for ours.
        let message = [&length.to_be_bytes(), body].concat();
        self.stream.write_all(&message)
    }

    /// The driver sends length and body as two segments, the second only when
    /// the first is acknowledged (Nagle). Unless the acknowledgement is asked
    /// for at once, again for every read because the kernel forgets it, each
    /// APDU takes 40 ms.
    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 2];
        self.stream.set_quickack(true)?;
        self.stream.read_exact(&mut length)?;
        let mut body = vec![0; usize::from(u16::from_be_bytes(length))];
        self.stream.set_quickack(true)?;
        self.stream.read_exact(&mut body)?;
        Ok(body)
    }
}

#[cfg(test)]
mod tests;
