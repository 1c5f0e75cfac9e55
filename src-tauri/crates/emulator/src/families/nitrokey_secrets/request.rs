//! What a command asks of the app (nitrokey-secrets.md section 3). Everything is
//! parsed before a touch is waited for.

use super::Refusal;
use super::app::AID;
use super::credential::{Credential, PasswordSafe, read_name};
use crate::wire::{Command, take};

/// A command that the app understands.
pub(super) enum Request<'a> {
    Select,
    Put(Box<Credential>),
    Delete { name: &'a [u8] },
    Reset,
    List { with_properties: bool },
    Calculate { name: &'a [u8], challenge: [u8; 8] },
    SendRemaining,
    VerifyPin { pin: &'a [u8] },
    ChangePin { old: &'a [u8], new: &'a [u8] },
    SetPin { pin: &'a [u8] },
    GetCredential { name: &'a [u8] },
    Update(Box<Update<'a>>),
}

/// What UPDATE changes.
pub(super) struct Update<'a> {
    pub(super) name: &'a [u8],
    pub(super) new_name: Option<&'a [u8]>,
    pub(super) properties: Option<u8>,
    pub(super) safe: PasswordSafe,
}

impl<'a> Request<'a> {
    pub(super) fn parse(command: &Command<'a>) -> Result<Self, Refusal> {
        match command.cla {
            0x00 => {}
            0x10 => return Err(0x6884),
            _ => return Err(0x6e00),
        }
        let mut data = command.data;
        let request = match (command.ins, command.p1, command.p2) {
            (0xa4, 0x04, 0x00) if data == AID => return Ok(Self::Select),
            (0xa4, 0x04, 0x00) => return Err(0x6a82),
            (0x01, 0, 0) => return Credential::parse(data).map(Box::new).map(Self::Put),
            (0x02, 0, 0) => Self::Delete { name: read_name(&mut data)? },
            (0x04, 0xde, 0xad) => Self::Reset,
            (0xa1, 0, 0) => {
                let ([] | [0 | 1]) = data else {
                    return Err(0x6a80);
                };
                return Ok(Self::List { with_properties: data == [1] });
            }
            (0xa2, 0, 1) => {
                let name = read_name(&mut data)?;
                let challenge = take(&mut data, 0x74).ok_or(0x6a80_u16)?;
                let challenge = challenge.try_into().map_err(|_| 0x6a80_u16)?;
                Self::Calculate { name, challenge }
            }
            (0xa5, 0, 0) => Self::SendRemaining,
            (0xb2, 0, 0) => Self::VerifyPin { pin: read_pin(&mut data, 0x80)? },
            (0xb3, 0, 0) => {
                let old = read_pin(&mut data, 0x80)?;
                Self::ChangePin { old, new: read_pin(&mut data, 0x81)? }
            }
            (0xb4, 0, 0) => Self::SetPin { pin: read_pin(&mut data, 0x80)? },
            (0xb5, 0, 0) => Self::GetCredential { name: read_name(&mut data)? },
            (0xb7, 0, 0) => return Update::parse(data).map(Box::new).map(Self::Update),
            // SET CODE and VALIDATE of the YKOATH applet, and VERIFY CODE.
            (0x03 | 0xa3 | 0xb1, 0, 0) => return Err(0x6985),
            _ => return Err(0x6d00),
        };
        if data.is_empty() { Ok(request) } else { Err(0x6a80) }
    }
}

impl<'a> Update<'a> {
    fn parse(mut data: &'a [u8]) -> Result<Self, Refusal> {
        let name = read_name(&mut data)?;
        let mut update =
            Self { name, new_name: None, properties: None, safe: PasswordSafe::default() };
        while let Some(tag) = data.first() {
            match tag {
                0x71 => update.new_name = Some(read_name(&mut data)?),
                // With a length byte, other than in PUT.
                0x78 => {
                    let [properties] = take(&mut data, 0x78).ok_or(0x6a80_u16)? else {
                        return Err(0x6a80);
                    };
                    update.properties = Some(*properties);
                }
                _ => update.safe.read_one(&mut data)?,
            }
        }
        Ok(update)
    }
}

fn read_pin<'a>(data: &mut &'a [u8], tag: u8) -> Result<&'a [u8], Refusal> {
    take(data, tag).filter(|pin| (1..=128).contains(&pin.len())).ok_or(0x6a80)
}
