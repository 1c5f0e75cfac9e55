//! The readers that are built in, each alone on the plain picture.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rxing::common::HybridBinarizer;
use rxing::multi::MultipleBarcodeReader;
use rxing::qrcode::cpp_port::QrReader;
use rxing::{BarcodeFormat, BinaryBitmap, DecodeHints, Luma8LuminanceSource};
use secondlook::Grey;
use zeroize::Zeroizing;

/// A reader without the cascade around it.
#[derive(Clone, Copy)]
pub(crate) enum Reader {
    Rxing,
    Rqrr,
    SecondLook,
}

/// In the order of the table's columns.
pub(crate) const READERS: [Reader; 3] = [Reader::Rxing, Reader::Rqrr, Reader::SecondLook];

/// A reader that takes longer has read nothing.
const PATIENCE: Duration = Duration::from_secs(5);

impl Reader {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rxing => "rxing",
            Self::Rqrr => "rqrr",
            Self::SecondLook => "second look",
        }
    }

    fn read(self, width: u32, height: u32, pixels: Vec<u8>) -> Vec<Zeroizing<String>> {
        match self {
            Self::Rxing => {
                let hints = DecodeHints {
                    TryHarder: Some(true),
                    PossibleFormats: Some([BarcodeFormat::QR_CODE].into_iter().collect()),
                    ..DecodeHints::default()
                };
                let Ok(source) = Luma8LuminanceSource::new(pixels, width, height) else {
                    return vec![];
                };
                let mut bitmap = BinaryBitmap::new(HybridBinarizer::new(source));
                let read = QrReader.decode_multiple_with_hints(&mut bitmap, &hints);
                let read = read.unwrap_or_default();
                read.iter().map(|code| Zeroizing::new(code.getText().to_owned())).collect()
            }
            Self::Rqrr => {
                let width = width as usize;
                let mut picture =
                    rqrr::PreparedImage::prepare_from_greyscale(width, height as usize, |x, y| {
                        pixels[y * width + x]
                    });
                let grids = picture.detect_grids();
                let read = grids.iter().filter_map(|grid| grid.decode().ok());
                read.map(|(_, text)| Zeroizing::new(text)).collect()
            }
            Self::SecondLook => {
                let mut read = vec![];
                if let Some(grey) = Grey::new(width, height, Zeroizing::new(pixels)) {
                    let until = Instant::now() + Duration::from_millis(600);
                    secondlook::read(&grey, &[], until, &mut |symbol| read.push(symbol.text));
                }
                read
            }
        }
    }
}

/// What one reader reads; nothing when it panics or hangs.
pub(crate) fn single(reader: Reader, bytes: &[u8]) -> Vec<Zeroizing<String>> {
    let Ok(picture) = image::load_from_memory(bytes) else {
        return vec![];
    };
    let grey = picture.into_luma8();
    let (sender, receiver) = mpsc::channel();
    let work = move || {
        let (width, height) = grey.dimensions();
        let _ = sender.send(reader.read(width, height, grey.into_raw()));
    };
    // A thread that hangs is left behind; its result has nowhere to go then.
    let started = thread::Builder::new().spawn(work);
    started.ok().and_then(|_| receiver.recv_timeout(PATIENCE).ok()).unwrap_or_default()
}
