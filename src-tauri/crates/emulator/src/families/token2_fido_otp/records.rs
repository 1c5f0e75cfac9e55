//! Reading, writing and erasing records (token2-fido-otp.md sections 3.1 to 3.3).

use oath::UnixTime;

use super::record::{Names, Order, Record};
use super::seal::SessionKeys;
use super::{
    BAD_DATA, BAD_FRAMING, FULL, NOT_FOUND, NOT_TOUCHED, Refusal, Token2FidoOtp, WRONG_ORDER,
};

/// How long a press counts.
const TOUCH_SECS: i64 = 15;

impl Token2FidoOtp {
    /// `80 C5 05 00`: one or all.
    pub(super) fn read(&mut self, data: &[u8], now: UnixTime) -> Result<Vec<u8>, Refusal> {
        let access = self.pin.access(now)?;
        let (what, rest) = data.split_first().ok_or(BAD_FRAMING)?;
        let (time, mut rest) = rest.split_first_chunk::<8>().ok_or(BAD_FRAMING)?;
        let time = u64::from_be_bytes(*time);
        match what {
            0x01 => {
                let names = Names::take(&mut rest).filter(|_| rest.is_empty());
                let index = self.find(&names.ok_or(BAD_FRAMING)?).ok_or(NOT_FOUND)?;
                if self.records[index].touch {
                    self.use_touch(now)?;
                }
                let record = &mut self.records[index];
                let code = record.code(time);
                let told = record.tell(Some(&code));
                Ok(self.protect(access, told))
            }
            0x03 if rest.is_empty() => self.tell_from(0, time, access),
            _ => Err(BAD_FRAMING),
        }
    }

    /// `80 C5 05 01`.
    pub(super) fn read_more(
        &mut self,
        data: &[u8],
        next_record: Option<usize>,
        now: UnixTime,
    ) -> Result<Vec<u8>, Refusal> {
        let access = self.pin.access(now)?;
        let time = <[u8; 8]>::try_from(data).map_err(|_| BAD_FRAMING)?;
        let start = next_record.ok_or(WRONG_ORDER)?;
        self.tell_from(start, u64::from_be_bytes(time), access)
    }

    /// One page, whose first bit says whether there is another.
    fn tell_from(
        &mut self,
        start: usize,
        time: u64,
        access: Option<SessionKeys>,
    ) -> Result<Vec<u8>, Refusal> {
        let mut page = Vec::new();
        for (index, record) in self.records.iter_mut().enumerate().skip(start) {
            let code = record.is_told_by_read_all().then(|| record.code(time));
            let told = record.tell(code.as_deref());
            if index > start && page.len() + told.len() > self.page {
                self.next_record = Some(index);
                break;
            }
            page.extend(told);
        }
        let first = page.first_mut().ok_or(BAD_DATA)?;
        if self.next_record.is_some() {
            *first |= 0x80;
        }
        Ok(self.protect(access, page))
    }

    /// `80 C5 05 02`: a sealed or protected record.
    pub(super) fn store(&mut self, data: &[u8], now: UnixTime) -> Result<Vec<u8>, Refusal> {
        let clear = match self.pin.access(now)? {
            None => self.key_pair.unseal(data)?,
            Some(keys) => keys.unwrap(data)?,
        };
        match Order::parse(&clear)? {
            Order::Store(record) => {
                if self.find(&record.names).is_none() && self.records.len() >= self.room {
                    return Err(FULL);
                }
                self.put(record);
            }
            Order::Delete(names) => {
                let index = self.find(&names).ok_or(NOT_FOUND)?;
                self.records.remove(index);
            }
        }
        Ok(Vec::new())
    }

    /// `80 C5 05 02` without a body.
    pub(super) fn erase(&mut self, now: UnixTime) -> Result<Vec<u8>, Refusal> {
        self.use_touch(now)?;
        self.records.clear();
        self.pin.set_to(&[]);
        Ok(Vec::new())
    }

    pub(super) fn put(&mut self, record: Record) {
        match self.find(&record.names) {
            Some(index) => self.records[index] = record,
            None => self.records.push(record),
        }
    }

    pub(super) fn find(&self, names: &Names) -> Option<usize> {
        self.records.iter().position(|record| record.names == *names)
    }

    fn protect(&mut self, access: Option<SessionKeys>, answer: Vec<u8>) -> Vec<u8> {
        match access {
            None => answer,
            Some(keys) => keys.wrap(self.randoms.iv(), &answer),
        }
    }

    pub(super) fn is_touched(&self, now: UnixTime) -> bool {
        self.touched.is_some_and(|at| (0..=TOUCH_SECS).contains(&now.seconds_since(at)))
    }

    fn use_touch(&mut self, now: UnixTime) -> Result<(), Refusal> {
        let is_touched = self.is_touched(now);
        self.touched = None;
        if is_touched { Ok(()) } else { Err(NOT_TOUCHED) }
    }
}
