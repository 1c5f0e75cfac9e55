//! Why a picture cannot be opened.

/// Why the bytes gave no pixels. Facts only: nothing of the content is in here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// There is not a single byte.
    #[error("the file is empty")]
    Empty,
    /// The bytes are no picture of any kind that is known.
    #[error("the file is not a picture")]
    NotAPicture,
    /// A known kind of file that is not read here.
    #[error("{format} is not read")]
    Unsupported {
        /// Its name, such as `HEIC` or `PDF`.
        format: &'static str,
    },
    /// More pixels, or more memory for them, than is allowed: 100 megapixels, 512 MiB.
    #[error("{width} x {height} pixels are too many")]
    TooLarge {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A picture by its first bytes, and broken or cut off after them.
    #[error("the {format} picture is damaged")]
    Damaged {
        /// The format that its first bytes name.
        format: &'static str,
    },
    /// The picture was not opened before the deadline.
    #[error("opening the picture took too long")]
    Overdue,
    /// The system gave no thread to read on.
    #[error("no thread to read on")]
    NoThread,
}

impl PictureError {
    /// A stable name for the words that are kept elsewhere.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "picture-empty",
            Self::NotAPicture => "picture-not-a-picture",
            Self::Unsupported { .. } => "picture-unsupported",
            Self::TooLarge { .. } => "picture-too-large",
            Self::Damaged { .. } => "picture-damaged",
            Self::Overdue => "picture-overdue",
            Self::NoThread => "picture-no-thread",
        }
    }

    /// Every name that [`PictureError::code`] returns.
    pub const CODES: &'static [&'static str] = &[
        "picture-empty",
        "picture-not-a-picture",
        "picture-unsupported",
        "picture-too-large",
        "picture-damaged",
        "picture-overdue",
        "picture-no-thread",
    ];

    /// The facts by name, for the words.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Empty | Self::NotAPicture | Self::Overdue | Self::NoThread => vec![],
            Self::Unsupported { format } | Self::Damaged { format } => {
                vec![("format", (*format).to_owned())]
            }
            Self::TooLarge { width, height } => {
                vec![("width", width.to_string()), ("height", height.to_string())]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once() {
        let all = [
            PictureError::Empty,
            PictureError::NotAPicture,
            PictureError::Unsupported { format: "PDF" },
            PictureError::TooLarge { width: 1, height: 1 },
            PictureError::Damaged { format: "PNG" },
            PictureError::Overdue,
            PictureError::NoThread,
        ];
        let codes: Vec<_> = all.iter().map(PictureError::code).collect();
        assert_eq!(codes, PictureError::CODES);
    }
}
