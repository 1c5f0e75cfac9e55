//! The window shows the page that is built into the program, and no other.

use tauri::plugin::{self, TauriPlugin};
use tauri::{Runtime, Url};

/// Refuses every navigation that leaves our page.
pub(crate) fn only_our_page<R: Runtime>() -> TauriPlugin<R> {
    plugin::Builder::new("navigation").on_navigation(|_, url| is_ours(url)).build()
}

/// Windows' engine knows no schemes but its own, so there the page has a host.
fn is_ours(url: &Url) -> bool {
    let ours = if cfg!(windows) {
        [("http", "tauri.localhost"), ("https", "tauri.localhost")].as_slice()
    } else {
        [("tauri", "localhost")].as_slice()
    };
    let host = url.host_str().unwrap_or_default();
    url.port().is_none() && ours.contains(&(url.scheme(), host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_of_the_program_is_ours() {
        let check = |url: &str, ours: bool| {
            let parsed = Url::parse(url).expect("the test names URLs");
            assert_eq!(is_ours(&parsed), ours, "{url}");
        };
        check("tauri://localhost/", !cfg!(windows));
        check("tauri://localhost/index.html", !cfg!(windows));
        check("http://tauri.localhost/", cfg!(windows));
        check("http://tauri.localhost:8080/", false);
        check("tauri://elsewhere/", false);
        check("https://localhost/", false);
        check("https://tauri.localhost.example/", false);
        check("about:blank", false);
        check("file:///etc/hostname", false);
        check("data:text/html,x", false);
    }
}
