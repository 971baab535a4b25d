//! `templating.list` and `__inputs`.

use super::datasource::{Source, Sources, is_metrics};
use super::json::Json;
use super::macros::check_promql;
use crate::model::{Choice, Hide, Variable, VariableKind};

/// The functions of a variable's query, which the console answers.
const QUERY_FUNCTIONS: [&str; 4] = ["label_values", "label_names", "query_result", "metrics"];

/// The name of the variable that every dashboard has at least.
const DEFAULT_SOURCE: &str = "datasource";

pub(crate) struct Variables {
    pub(crate) list: Vec<Variable>,
    pub(crate) sources: Sources,
    pub(crate) missing: Vec<String>,
}

/// `body` is the file's text: an input becomes a variable only where something refers to it.
pub(crate) fn read(dashboard: Json<'_>, body: &str) -> Variables {
    let mut variables = Variables { list: Vec::new(), sources: Sources::default(), missing: Vec::new() };
    let templates: Vec<Json<'_>> =
        dashboard.get("templating").into_iter().flat_map(|templating| templating.items("list")).collect();
    for input in dashboard.items("__inputs") {
        variables.add_input(input, body);
    }
    // All types first: a query may name a datasource variable that stands below it.
    for template in &templates {
        if let (Some(name), Some("datasource")) = (template.text("name"), template.text("type")) {
            variables.sources.add(name, template.text("query").unwrap_or("prometheus"));
        }
    }
    for template in templates {
        variables.add_template(template);
    }
    if !variables.list.iter().any(|variable| variable.kind == VariableKind::Datasource) {
        variables.list.insert(0, blank(DEFAULT_SOURCE, VariableKind::Datasource));
    }
    variables
}

fn blank(name: &str, kind: VariableKind) -> Variable {
    Variable {
        name: name.to_owned(),
        label: None,
        kind,
        query: String::new(),
        regex: None,
        multi: false,
        include_all: false,
        all_value: None,
        hide: Hide::Nothing,
        sort: 0,
        options: Vec::new(),
        current: Vec::new(),
        source: None,
    }
}

impl Variables {
    fn add_input(&mut self, input: Json<'_>, body: &str) {
        let Some(name) = input.text("name") else { return };
        let used =
            [format!("${{{name}}}"), format!("${name}\""), format!("[[{name}]]")].iter().any(|u| body.contains(u));
        let kind = input.text("pluginId").unwrap_or("prometheus");
        match input.text("type") {
            Some("datasource") => {
                self.sources.add(name, kind);
                if used && is_metrics(kind) {
                    let mut variable = blank(name, VariableKind::Datasource);
                    variable.label = input.text("label").map(str::to_owned);
                    self.list.push(variable);
                }
            }
            Some("constant") => {
                let mut variable = blank(name, VariableKind::Constant);
                variable.query = input.text("value").unwrap_or("").to_owned();
                variable.current = vec![variable.query.clone()];
                variable.hide = Hide::Variable;
                self.list.push(variable);
            }
            other => self.missing.push(format!("input \"{name}\" of type \"{}\"", other.unwrap_or("none"))),
        }
    }

    fn add_template(&mut self, json: Json<'_>) {
        let Some(name) = json.text("name") else { return };
        let kind = match json.text("type") {
            Some("query") => VariableKind::Query,
            Some("custom") => VariableKind::Custom,
            Some("interval") => VariableKind::Interval,
            Some("constant") => VariableKind::Constant,
            Some("textbox") => VariableKind::Textbox,
            Some("datasource") => return self.add_datasource(name, json),
            other => {
                return self.missing.push(format!("variable \"{name}\" of type \"{}\"", other.unwrap_or("none")));
            }
        };
        let mut variable = common(name, kind, json);
        match kind {
            VariableKind::Query => self.read_query(&mut variable, json),
            VariableKind::Custom => variable.options = custom_options(&variable.query, json),
            VariableKind::Interval => variable.options = interval_options(&variable.query, json),
            VariableKind::Constant | VariableKind::Textbox | VariableKind::Datasource => {
                if variable.current.is_empty() {
                    variable.current = vec![variable.query.clone()];
                }
            }
        }
        // An input of an export may have given the name already.
        self.list.retain(|other| other.name != variable.name);
        self.list.push(variable);
    }

    fn add_datasource(&mut self, name: &str, json: Json<'_>) {
        let kind = json.text("query").unwrap_or("prometheus");
        if !is_metrics(kind) {
            return self.missing.push(format!("datasource variable \"{name}\" of type \"{kind}\""));
        }
        let mut variable = common(name, VariableKind::Datasource, json);
        // The names and the filter are those of somebody's Grafana.
        variable.regex = None;
        variable.query = String::new();
        variable.current = Vec::new();
        variable.multi = false;
        variable.include_all = false;
        self.list.retain(|other| other.name != variable.name);
        self.list.push(variable);
    }

    /// A query that cannot be asked here leaves a field to type a value into.
    fn read_query(&mut self, variable: &mut Variable, json: Json<'_>) {
        variable.query = query_text(json);
        let why = match self.sources.resolve(json.get("datasource")) {
            Source::Foreign(kind) => Some(format!("datasource type \"{kind}\"")),
            Source::Metrics(source) => {
                variable.source = source;
                unknown_query(variable, &self.list)
            }
            Source::Mixed => unknown_query(variable, &self.list),
        };
        if let Some(why) = why {
            self.missing.push(format!("choices of variable \"{}\": {why}", variable.name));
            variable.kind = VariableKind::Textbox;
        }
    }
}

fn common(name: &str, kind: VariableKind, json: Json<'_>) -> Variable {
    let filled = |key| json.text(key).filter(|text| !text.is_empty()).map(str::to_owned);
    Variable {
        label: filled("label"),
        query: json.text("query").unwrap_or("").to_owned(),
        regex: filled("regex"),
        multi: json.flag("multi"),
        include_all: json.flag("includeAll"),
        all_value: filled("allValue"),
        hide: match json.whole("hide") {
            Some(1) => Hide::Label,
            Some(2) => Hide::Variable,
            _ => Hide::Nothing,
        },
        sort: json.whole("sort").filter(|sort| *sort <= 8).unwrap_or(0) as u8,
        current: current(json),
        ..blank(name, kind)
    }
}

/// The chosen values; Grafana keeps one as text, several as a list, and "None" with an empty value.
fn current(json: Json<'_>) -> Vec<String> {
    let Some(value) = json.path(&["current", "value"]) else { return Vec::new() };
    let one = value.as_words().into_iter();
    let many = value.0.as_array().into_iter().flatten().filter_map(|value| Json(value).as_words());
    one.chain(many).filter(|value| !value.is_empty()).collect()
}

/// A text, or an object of the query editor.
fn query_text(json: Json<'_>) -> String {
    let Some(query) = json.get("query") else { return json.text("definition").unwrap_or("").to_owned() };
    let text = query.as_text().or_else(|| query.text("query")).or_else(|| json.text("definition"));
    text.unwrap_or("").trim().to_owned()
}

/// Why the query cannot be answered.
fn unknown_query(variable: &Variable, variables: &[Variable]) -> Option<String> {
    let query = variable.query.as_str();
    if query.is_empty() {
        return Some("it has no query".to_owned());
    }
    let function = query.split_once('(').map(|(name, _)| name.trim());
    if function.is_some_and(|name| QUERY_FUNCTIONS.contains(&name)) && query.ends_with(')') {
        return None;
    }
    check_promql(query, variables).err().map(|_| format!("query \"{query}\""))
}

/// `a,b : c,d\,e`: values, some with a text before a colon, commas escaped.
fn custom_options(query: &str, json: Json<'_>) -> Vec<Choice> {
    if query.is_empty() {
        let options = json.items("options").filter_map(|option| {
            let value = option.get("value").and_then(Json::as_words)?;
            Some(Choice { text: option.get("text").and_then(Json::as_words).unwrap_or_else(|| value.clone()), value })
        });
        return options.filter(|option| option.value != "$__all").collect();
    }
    let escaped = query.replace("\\,", "\u{0}");
    let parts = escaped.split(',').map(|part| part.trim().replace('\u{0}', ","));
    parts
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once(" : ") {
            Some((text, value)) => Choice { text: text.trim().to_owned(), value: value.trim().to_owned() },
            None => Choice { text: part.clone(), value: part },
        })
        .collect()
}

/// The durations, and `auto` where the board offers the page's own step.
fn interval_options(query: &str, json: Json<'_>) -> Vec<Choice> {
    let auto = Choice { text: "auto".to_owned(), value: "$__auto".to_owned() };
    let durations = query.split(',').map(str::trim).filter(|duration| !duration.is_empty() && *duration != "auto");
    let choices = durations.map(|duration| Choice { text: duration.to_owned(), value: duration.to_owned() });
    json.flag("auto").then_some(auto).into_iter().chain(choices).collect()
}
