//! The published schemas are those of the records, and the check of data is the one validator.

use brightspot::cycle::{RECORDS, check, schemas};
use serde_json::{Value, json};

/// `UPDATE=1 cargo test schemas` writes the document anew.
#[test]
fn the_published_schemas_are_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemas/records.json");
    let fresh = serde_json::to_string_pretty(&schemas()).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(std::path::Path::new(path).parent().unwrap()).unwrap();
        std::fs::write(path, &fresh).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == fresh, "docs/schemas/records.json is stale: run the tests with UPDATE=1 and commit it");
}

/// What classes are generated from: descriptions, defaults, the words of enums, and the order of the fields.
#[test]
fn schemas_carry_what_classes_need() {
    let document = schemas();
    let definitions = document["$defs"].as_object().unwrap();
    let names: Vec<&str> = RECORDS.iter().map(|kind| kind.name).collect();
    let first: Vec<&str> = definitions.keys().take(names.len()).map(String::as_str).collect();
    assert_eq!(first, names);
    for name in &names {
        let schema = &definitions[*name];
        assert!(schema["description"].is_string(), "{name} has no description");
        assert_eq!(schema["additionalProperties"], json!(false), "{name}");
        for (field, property) in schema["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{name}.{field} has no description");
            let is_required = schema["required"].as_array().is_some_and(|list| list.contains(&json!(field)));
            let may_be_null = property.to_string().contains("\"null\"");
            assert!(is_required || may_be_null || property.get("default").is_some(), "{name}.{field} has no default");
        }
    }
    let fields: Vec<&String> = definitions["Plan"]["properties"].as_object().unwrap().keys().collect();
    assert_eq!(fields[..6], ["aim", "change", "outcome", "baseline", "test", "process"]);
    assert_eq!(definitions["Plan"]["required"], json!(["aim", "change", "outcome", "baseline", "test"]));
    assert_eq!(definitions["Measure"]["required"], json!(["name"]));
    assert_eq!(definitions["Measure"]["properties"]["direction"]["default"], json!("up"));
    let words = definitions["Choice"].to_string();
    for word in ["adopt", "adapt", "abandon", "continue_test"] {
        assert!(words.contains(word), "{word} is missing in {words}");
    }
}

fn plan() -> Value {
    json!({
        "aim": "Exit tickets rise by 3 points",
        "change": "Begin with a worked example",
        "outcome": {"name": "exit ticket"},
        "baseline": ["2026-09-01", "2026-10-04"],
        "test": ["2026-10-05", "2026-11-15"],
        "predictions": [{"measure": "exit ticket", "at_least": 3.0, "belief": 0.7}],
    })
}

#[test]
fn checking_fills_in_the_defaults_and_changes_nothing_twice() {
    let once = check("Plan", plan()).unwrap();
    assert_eq!(once["analysis"], "auto");
    assert_eq!(once["fair_tries"], 2);
    assert_eq!(once["outcome"]["direction"], "up");
    assert_eq!(once["guards"], json!([]));
    assert_eq!(check("Plan", once.clone()).unwrap(), once);
}

#[test]
fn an_error_says_where_and_what() {
    let wrong = |path: &[&str], value: Value| {
        let mut data = plan();
        let mut place = &mut data;
        for step in path {
            place = match step.parse::<usize>() {
                Ok(i) => &mut place[i],
                Err(_) => &mut place[*step],
            };
        }
        *place = value;
        check("Plan", data).unwrap_err().to_string()
    };
    let cases = [
        (wrong(&["predictions", "0", "belief"], json!("high")), "Plan.predictions[0].belief: invalid type"),
        (wrong(&["predictions", "0", "belief"], json!(70)), "Plan.predictions[0].belief: is a probability"),
        (wrong(&["predictions", "0", "at_most"], json!(1.0)), "Plan.predictions[0]: must say what change"),
        (wrong(&["outcome", "kind"], json!("ratio")), "Plan.outcome.kind: unknown word `ratio`"),
        (wrong(&["outcome", "kind"], json!("rate")), "Plan.outcome.size: a proportion or a rate needs"),
        (wrong(&["baseline", "0"], json!("2026-09-31")), "Plan.baseline[0]: "),
        (wrong(&["aim"], json!(" ")), "Plan.aim: must not be empty"),
        (wrong(&["colour"], json!("red")), "Plan.colour: there is no field `colour`"),
        (
            wrong(&["guards"], json!([{"measure": {"name": "f"}, "margin": -1}])),
            "Plan.guards[0].margin: is the largest",
        ),
    ];
    for (found, expected) in cases {
        assert!(found.starts_with(expected), "{found}\nshould start with\n{expected}");
    }
    assert_eq!(check("Plann", plan()).unwrap_err().code(), "invalid_option");
}
