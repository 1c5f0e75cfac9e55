//! A folder of pictures and what is in them.

use std::path::Path;

use serde_json::Value;

/// One line of `truth.jsonl` and the file it speaks of.
pub(crate) struct Picture {
    pub(crate) file: String,
    pub(crate) category: String,
    pub(crate) texts: Vec<String>,
    pub(crate) bytes: Vec<u8>,
}

/// All pictures of a folder, in the order of its lines, each read when it is its turn.
pub(crate) fn pictures(folder: &Path) -> Result<Vec<Picture>, String> {
    let path = folder.join("truth.jsonl");
    let truth =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    truth
        .lines()
        .filter(|line| !line.trim().is_empty())
        .enumerate()
        .map(|(number, line)| {
            let wrong = |what: &str| format!("{}:{}: {what}", path.display(), number + 1);
            let line: Value = serde_json::from_str(line).map_err(|_| wrong("no line of JSON"))?;
            let file = line["file"].as_str().ok_or_else(|| wrong("no file"))?.to_owned();
            let texts = line["texts"].as_array().ok_or_else(|| wrong("no texts"))?;
            let texts = texts.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            // Folders name categories where a line does not.
            let category = line["category"]
                .as_str()
                .or(file.split_once('/').map(|(category, _)| category))
                .unwrap_or("pictures")
                .to_owned();
            let bytes = std::fs::read(folder.join(&file))
                .map_err(|error| format!("{}: {error}", folder.join(&file).display()))?;
            Ok(Picture { file, category, texts, bytes })
        })
        .collect()
}
