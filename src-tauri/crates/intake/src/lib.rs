//! Texts to credentials: the classifier and the Key URI.
