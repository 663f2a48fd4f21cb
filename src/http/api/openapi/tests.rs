use std::collections::BTreeSet;

use super::*;

fn whole() -> Value {
    document("https://console.example")
}

/// Every method of every path.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(|method| (method.clone(), path.clone()))
    });
    methods.collect()
}

#[test]
fn it_has_every_route_and_no_other() {
    let routes = ROUTES.iter();
    let routes: BTreeSet<_> = routes
        .map(|route| (route.method.to_owned(), route.path.to_owned()))
        .collect();
    assert_eq!(operations(&whole()), routes);
}

#[test]
fn it_has_every_parameter_that_a_query_may_have() {
    let document = whole();
    for Route {
        path,
        method,
        query,
        ..
    } in ROUTES
    {
        let operation = &document["paths"][path][method]["parameters"];
        let parameters = operation.as_array().into_iter().flatten();
        let names = parameters.filter(|it| it["in"] == "query");
        let names: Vec<_> = names.map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(names, *query, "{method} {path}");
    }
}

#[test]
fn it_shows_the_scope_that_each_route_asks_for() {
    let document = whole();
    for Route {
        path,
        method,
        scope,
        ..
    } in ROUTES
    {
        let forbidden = &document["paths"][path][method]["responses"]["403"];
        let examples = &forbidden["content"]["application/problem+json"]["examples"];
        let detail = &examples["missing_scope"]["value"]["detail"];
        let words = format!("the key needs the scope {scope}");
        assert_eq!(detail, &words, "{method} {path}");
    }
}

#[test]
fn it_has_every_problem_with_an_example() {
    let document = whole().to_string();
    // What is wrong with a path, and what no route of the API comes to.
    let elsewhere = [
        "not_found",
        "method_not_allowed",
        "upgrade_required",
        "bad_upgrade",
    ];
    for problem in Problem::all() {
        let code = problem.code();
        let example = format!("\"code\":\"{code}\"");
        let meant = !elsewhere.contains(&code);
        assert_eq!(document.contains(&example), meant, "{code}");
    }
    let all = Problem::all();
    let codes: BTreeSet<_> = all.iter().map(Problem::code).collect();
    assert_eq!(codes.len(), all.len(), "a code stands once");
    for route in ROUTES {
        for code in route.problems {
            assert!(codes.contains(code), "{} has {code}", route.path);
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_everything_is_referred_to() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    found.insert(target.clone());
                }
                members.values().for_each(|it| references(it, found));
            }
            Value::Array(items) => items.iter().for_each(|it| references(it, found)),
            _ => {}
        }
    }
    let document = whole();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    // The data of events, which OpenAPI cannot say of a stream.
    found.insert("#/components/schemas/SessionEvent".to_owned());
    let there: BTreeSet<_> = schemas
        .keys()
        .map(|name| format!("#/components/schemas/{name}"))
        .collect();
    assert_eq!(found, there);
}

#[test]
fn every_operation_has_an_answer_with_an_example() {
    let document = whole();
    for (method, path) in operations(&document) {
        let operation = &document["paths"][&path][&method];
        assert!(operation["summary"].is_string(), "{method} {path}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let Some(content) = response["content"].as_object() else {
                assert!(["202", "204"].contains(&status.as_str()), "{method} {path}");
                continue;
            };
            for media in content.values() {
                let shown = media.get("example").or_else(|| media.get("examples"));
                assert!(shown.is_some(), "{method} {path} {status}");
            }
        }
    }
}

#[test]
fn the_document_as_the_outside_sees_it() {
    let mut document = whole();
    // It changes with every release, and nothing else does.
    set(&mut document, "/info/version", "VERSION".into());
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
}
