//! The published schema of the folder of JSON is that of its files.

/// `UPDATE=1 cargo test schemas` writes the document anew.
#[test]
fn the_published_schema_of_the_folder_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemas/journal.json");
    let fresh = serde_json::to_string_pretty(&brightspot::journal::folder_schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(path, &fresh).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == fresh, "docs/schemas/journal.json is stale: run the tests with UPDATE=1 and commit it");
}
