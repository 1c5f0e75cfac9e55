//! The commands (nitrokey-pro.md section 3). Offsets of payloads are counted
//! behind the command byte.

use oath::UnixTime;

use super::frame::Refusal;
use super::pin::{PASSWORD, Pin};
use super::slot::{Rest, Slot, Transaction};
use super::{FACTORY_ADMIN_PIN, FACTORY_USER_PIN, Model, NitrokeyPro, Place};
use crate::clock::TokenClock;

/// The least lengths of PINs (`OpenPGP` card).
const LEAST_ADMIN_PIN: usize = 8;
const LEAST_USER_PIN: usize = 6;

/// 2014-01-01, from which the stored floor counts minutes.
const FLOOR_BEGINS: u64 = 1_388_534_400;

impl NitrokeyPro {
    /// The data of the answer.
    pub(super) fn command(
        &mut self,
        command: u8,
        payload: &[u8; 59],
        now: UnixTime,
    ) -> Result<Vec<u8>, Refusal> {
        let is_storage = self.model == Model::Storage2;
        let has_new_flow = self.has_new_flow();
        match command {
            0x00 if !is_storage => Ok(self.status()),
            0x2e if is_storage => Ok(self.device_status()),
            // Whether the smart card is busy: the frame says that it is not.
            0x40 if is_storage => Ok(self.storage_state(command)),
            0x01 => self.write_to_slot(payload),
            0x02 => self.read_slot_name(payload),
            0x03 => self.read_slot(payload),
            0x04 => self.get_code(payload, now),
            0x05 => self.write_config(payload),
            0x06 => self.erase_slot(payload),
            0x07 => self.admin.authenticate(payload).map(no_data),
            0x08 | 0x10 if !has_new_flow => Err(Refusal::NotAuthorised),
            0x09 => Ok(vec![self.admin.tries_left()]),
            0x0b => self.set_time(payload, now),
            0x0e => self.user.authenticate(payload).map(no_data),
            0x0f => Ok(vec![self.user.tries_left()]),
            0x13 => self.factory_reset(payload),
            0x14 => self.user.change(payload, LEAST_USER_PIN).map(no_data),
            0x15 => self.admin.change(payload, LEAST_ADMIN_PIN).map(no_data),
            0x17 if has_new_flow => self.send_otp_data(payload),
            _ => Err(Refusal::UnknownCommand),
        }
    }

    fn status(&self) -> Vec<u8> {
        let (major, minor) = self.firmware;
        let mut data = vec![minor, major];
        data.extend(self.card_serial.to_be_bytes());
        data.extend(self.config);
        data
    }

    /// Absolute offsets 34 to 53, of which the answer's data begin at 8.
    fn device_status(&mut self) -> Vec<u8> {
        let mut data = self.storage_state(0x2e);
        let (major, minor) = self.firmware;
        // The magic number of this answer, as the sheet's vector has it.
        data[22..24].copy_from_slice(&[0x18, 0x33]);
        data[26..28].copy_from_slice(&[major, minor]);
        data[40] = self.user.tries_left();
        data[41] = self.admin.tries_left();
        data[42..46].copy_from_slice(&self.card_serial.to_be_bytes());
        data
    }

    /// Counter, command and the state "ok", at the absolute offsets 21 to 23.
    fn storage_state(&mut self, command: u8) -> Vec<u8> {
        self.storage_counter = self.storage_counter.wrapping_add(1);
        let mut data = vec![0; 53];
        data[13..16].copy_from_slice(&[self.storage_counter, command, 1]);
        data
    }

    fn send_otp_data(&mut self, payload: &[u8; 59]) -> Result<Vec<u8>, Refusal> {
        self.admin.authorise(&payload[..PASSWORD])?;
        let transaction = self.transaction.get_or_insert_with(Transaction::begin);
        transaction.take(payload[25], payload[26], &payload[27..57])
    }

    fn write_to_slot(&mut self, payload: &[u8; 59]) -> Result<Vec<u8>, Refusal> {
        if !self.has_new_flow() {
            // It would have to be authorised by its check sum.
            return Err(Refusal::NotAuthorised);
        }
        self.admin.authorise(&payload[..PASSWORD])?;
        let transaction = self.transaction.take().ok_or(Refusal::NotAuthorised)?;
        if transaction.name[0] == 0 {
            return Err(Refusal::NoName);
        }
        let mut token_id = [0; 13];
        token_id.copy_from_slice(&payload[35..48]);
        let rest = Rest { moving: u64_at(payload, 26), config: payload[34], token_id };
        match self.place(payload[25])? {
            Place::Hole => {}
            Place::Slot(slot) => *slot = Some(transaction.into_slot(slot.take(), &rest)),
        }
        Ok(Vec::new())
    }

    fn erase_slot(&mut self, payload: &[u8; 59]) -> Result<Vec<u8>, Refusal> {
        self.admin.authorise(&payload[1..=PASSWORD])?;
        match self.place(payload[0])? {
            Place::Hole => {}
            Place::Slot(slot) => *slot = None,
        }
        Ok(Vec::new())
    }

    fn read_slot_name(&mut self, payload: &[u8; 59]) -> Result<Vec<u8>, Refusal> {
        Ok(self.programmed(payload[0])?.name.to_vec())
    }

    fn read_slot(&mut self, payload: &[u8; 59]) -> Result<Vec<u8>, Refusal> {
        let slot = self.programmed(payload[0])?;
        let mut data = slot.name.to_vec();
        data.push(slot.config);
        data.extend(slot.token_id);
        data.extend(slot.moving.to_le_bytes());
        Ok(data)
    }

    fn get_code(&mut self, payload: &[u8; 59], now: UnixTime) -> Result<Vec<u8>, Refusal> {
        if self.demands_user_pin() {
            self.user.authorise(&payload[18..18 + PASSWORD])?;
        }
        let clock = self.clock.map_or(0, |clock| clock.reads(now).as_secs());
        let is_counted = payload[0] < 0x20;
        let slot = self.programmed(payload[0])?;
        let factor = if is_counted {
            let counter = slot.moving;
            slot.moving = counter.wrapping_add(1);
            Some(counter)
        } else {
            clock.checked_div(u64::from(slot.period()))
        };
        let Some(factor) = factor else {
            // A division by zero: it never gets ready again.
            self.is_stuck = true;
            return Ok(Vec::new());
        };
        let mut data = slot.code(factor).to_le_bytes().to_vec();
        data.push(slot.config);
        data.extend(slot.token_id);
        Ok(data)
    }

    fn write_config(&mut self, payload: &[u8; 59]) -> Result<Vec<u8>, Refusal> {
        self.admin.authorise(&payload[5..5 + PASSWORD])?;
        self.config.copy_from_slice(&payload[..5]);
        Ok(Vec::new())
    }

    /// Flag 0 moves the clock forward, if it was ever set; flag 1 sets it.
    fn set_time(&mut self, payload: &[u8; 59], now: UnixTime) -> Result<Vec<u8>, Refusal> {
        let to = u64_at(payload, 1);
        let minutes = to.saturating_sub(FLOOR_BEGINS) / 60;
        match (payload[0], self.floor) {
            (0, Some(floor)) if floor <= minutes => {}
            (0, _) => return Err(Refusal::TimeWarning),
            (1, _) => {}
            _ => return Err(Refusal::NotSupported),
        }
        self.floor = Some(minutes);
        let mut clock = TokenClock::new(now, 0, self.gain_ppm);
        clock.set(now, UnixTime::from_secs(to));
        self.clock = Some(clock);
        Ok(Vec::new())
    }

    /// Everything is gone; the driver must never send it.
    fn factory_reset(&mut self, payload: &[u8; 59]) -> Result<Vec<u8>, Refusal> {
        self.admin.check(&payload[..20])?;
        self.admin = Pin::new(FACTORY_ADMIN_PIN);
        self.user = Pin::new(FACTORY_USER_PIN);
        self.config = super::FACTORY_CONFIG;
        self.totp.iter_mut().chain(&mut self.hotp).for_each(|slot| *slot = None);
        self.transaction = None;
        Ok(Vec::new())
    }

    fn programmed(&mut self, number: u8) -> Result<&mut Slot, Refusal> {
        match self.place(number)? {
            Place::Slot(Some(slot)) => Ok(slot),
            Place::Slot(None) | Place::Hole => Err(Refusal::SlotEmpty),
        }
    }
}

fn u64_at(payload: &[u8; 59], offset: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&payload[offset..offset + 8]);
    u64::from_le_bytes(bytes)
}

fn no_data((): ()) -> Vec<u8> {
    Vec::new()
}
