//! The real buses: PC/SC now, USB HID with its issue.
