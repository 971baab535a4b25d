//! Runs a parsed template against one alert's data.

use std::collections::BTreeMap;

use super::functions::{self, Failure};
use super::parser::{Branch, Node, Operand, Parsed, Pipeline, Term};
use super::value::Value;
use super::{Data, Expansion, TemplateError};
use crate::limits::{TEMPLATE_CALL_DEPTH_MAX, TEMPLATE_OUTPUT_BYTES_MAX};

/// Why execution stops before its end.
enum Stop {
    Needs(String),
    Error(TemplateError),
}

/// What a node tells the loop around it.
#[derive(PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

pub(super) fn run(parsed: &Parsed, data: &Data) -> Result<Expansion, TemplateError> {
    let labels = data.labels.iter().map(|label| (label.name.to_string(), label.value.to_string())).collect();
    let root = [
        ("Labels", Value::Labels(labels)),
        ("ExternalLabels", Value::Labels(BTreeMap::new())),
        ("ExternalURL", Value::Text(data.external_url.clone())),
        ("Value", Value::Float(data.value)),
    ];
    let predeclared = ["labels", "externalLabels", "externalURL", "value"];
    let mut variables: Vec<(String, Value)> =
        predeclared.into_iter().zip(&root).map(|(name, (_, value))| (name.to_owned(), value.clone())).collect();
    let root = Value::Map(root.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    variables.push((String::new(), root.clone()));
    let mut run = Run { parsed, data, out: String::new(), variables, depth: 0 };
    match run.nodes(&parsed.body, &root) {
        Ok(_) => Ok(Expansion::Done(run.out)),
        Err(Stop::Needs(query)) => Ok(Expansion::Needs(query)),
        Err(Stop::Error(error)) => Err(error),
    }
}

struct Run<'a> {
    parsed: &'a Parsed,
    data: &'a Data,
    out: String,
    variables: Vec<(String, Value)>,
    depth: usize,
}

fn failed(why: impl Into<String>) -> Stop {
    Stop::Error(TemplateError::Exec { why: why.into() })
}

impl Run<'_> {
    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, Stop> {
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<Flow, Stop> {
        match node {
            Node::Text(text) => self.write(text)?,
            Node::Output(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    self.write(&value.print())?;
                }
            }
            Node::If(branch) => return self.choose(branch, dot),
            Node::With(branch) => return self.with(branch, dot),
            Node::Range(branch) => return self.range(branch, dot),
            Node::Call { template, argument } => {
                let dot = argument.as_ref().map_or(Ok(Value::None), |pipeline| self.pipeline(pipeline, dot))?;
                self.call(template, &dot)?;
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn write(&mut self, text: &str) -> Result<(), Stop> {
        if self.out.len() + text.len() > TEMPLATE_OUTPUT_BYTES_MAX {
            return Err(Stop::Error(TemplateError::TooLong { limit: TEMPLATE_OUTPUT_BYTES_MAX }));
        }
        self.out.push_str(text);
        Ok(())
    }

    fn choose(&mut self, branch: &Branch, dot: &Value) -> Result<Flow, Stop> {
        let visible = self.variables.len();
        let truth = self.pipeline(&branch.pipeline, dot)?.is_true();
        let flow = self.nodes(if truth { &branch.then } else { &branch.otherwise }, dot);
        self.variables.truncate(visible);
        flow
    }

    fn with(&mut self, branch: &Branch, dot: &Value) -> Result<Flow, Stop> {
        let visible = self.variables.len();
        let value = self.pipeline(&branch.pipeline, dot)?;
        let flow = if value.is_true() { self.nodes(&branch.then, &value) } else { self.nodes(&branch.otherwise, dot) };
        self.variables.truncate(visible);
        flow
    }

    fn range(&mut self, branch: &Branch, dot: &Value) -> Result<Flow, Stop> {
        let visible = self.variables.len();
        let entries = entries(self.pipeline(&branch.pipeline, dot)?)?;
        self.variables.truncate(visible);
        if entries.is_empty() {
            return self.nodes(&branch.otherwise, dot);
        }
        for (key, value) in entries {
            match branch.pipeline.variables.as_slice() {
                [one] => self.variables.push((one.clone(), value.clone())),
                [first, second] => {
                    self.variables.push((first.clone(), key));
                    self.variables.push((second.clone(), value.clone()));
                }
                _ => {}
            }
            let flow = self.nodes(&branch.then, &value)?;
            self.variables.truncate(visible);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    fn call(&mut self, template: &str, dot: &Value) -> Result<(), Stop> {
        let body =
            self.parsed.defined.get(template).ok_or_else(|| failed(format!("template {template:?} not defined")))?;
        self.depth += 1;
        if self.depth > TEMPLATE_CALL_DEPTH_MAX {
            return Err(failed(format!("templates call each other more than {TEMPLATE_CALL_DEPTH_MAX} deep")));
        }
        let outer = std::mem::replace(&mut self.variables, vec![(String::new(), dot.clone())]);
        let done = self.nodes(body, dot);
        self.variables = outer;
        self.depth -= 1;
        done.map(|_| ())
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, Stop> {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, dot, value)?);
        }
        let value = value.expect("the parser refuses a pipeline without commands");
        for name in &pipeline.variables {
            if pipeline.assigns {
                let slot = self.variables.iter_mut().rev().find(|(known, _)| known == name);
                slot.ok_or_else(|| failed(format!("undefined variable \"${name}\"")))?.1 = value.clone();
            } else {
                self.variables.push((name.clone(), value.clone()));
            }
        }
        Ok(value)
    }

    fn command(&mut self, operands: &[Operand], dot: &Value, piped: Option<Value>) -> Result<Value, Stop> {
        let (first, rest) = operands.split_first().expect("the parser refuses an empty command");
        if let Term::Function(name) = &first.term {
            let value = self.function(name, rest, dot, piped)?;
            return fields(value, &first.fields);
        }
        if let Some((method, path)) = first.fields.split_last().filter(|(method, _)| functions::is_method(method)) {
            let receiver = fields(self.term(&first.term, dot)?, path)?;
            let mut arguments = self.arguments(rest, dot)?;
            arguments.extend(piped);
            return functions::method(&receiver, method, &arguments).map_err(failed);
        }
        if !rest.is_empty() || piped.is_some() {
            return Err(failed("can't give argument to non-function"));
        }
        self.operand(first, dot)
    }

    fn arguments(&mut self, operands: &[Operand], dot: &Value) -> Result<Vec<Value>, Stop> {
        operands.iter().map(|operand| self.operand(operand, dot)).collect()
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, Stop> {
        fields(self.term(&operand.term, dot)?, &operand.fields)
    }

    fn term(&mut self, term: &Term, dot: &Value) -> Result<Value, Stop> {
        match term {
            Term::Dot => Ok(dot.clone()),
            Term::Constant(value) => Ok(value.clone()),
            Term::Variable(name) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                known.map(|(_, value)| value.clone()).ok_or_else(|| failed(format!("undefined variable \"${name}\"")))
            }
            Term::Function(name) => self.function(name, &[], dot, None),
            Term::Group(pipeline) => self.pipeline(pipeline, dot),
        }
    }

    fn function(&mut self, name: &str, rest: &[Operand], dot: &Value, piped: Option<Value>) -> Result<Value, Stop> {
        if matches!(name, "and" | "or") {
            return self.logic(name == "or", rest, dot, piped);
        }
        let mut arguments = self.arguments(rest, dot)?;
        arguments.extend(piped);
        if name == "tmpl" {
            return self.named_template(&arguments);
        }
        functions::call(name, &arguments, self.data).map_err(|failure| match failure {
            Failure::Needs(query) => Stop::Needs(query),
            Failure::Why(why) => Stop::Error(TemplateError::Function { function: name.to_owned(), why }),
        })
    }

    /// `and` and `or` evaluate no more of their arguments than they must, and return the one that decided.
    fn logic(&mut self, stop_at: bool, rest: &[Operand], dot: &Value, piped: Option<Value>) -> Result<Value, Stop> {
        let mut last = None;
        for operand in rest {
            let value = self.operand(operand, dot)?;
            if value.is_true() == stop_at {
                return Ok(value);
            }
            last = Some(value);
        }
        piped.or(last).ok_or_else(|| failed("and, or: wrong number of arguments: want at least 1"))
    }

    /// `tmpl NAME DATA`: the text that a template defined here makes.
    fn named_template(&mut self, arguments: &[Value]) -> Result<Value, Stop> {
        let [Value::Text(name), dot] = arguments else { return Err(failed("tmpl: want a name and its data")) };
        let before = self.out.len();
        self.call(name, dot)?;
        Ok(Value::Text(self.out.split_off(before)))
    }
}

fn fields(mut value: Value, names: &[String]) -> Result<Value, Stop> {
    for name in names {
        value = value.field(name).map_err(failed)?;
    }
    Ok(value)
}

fn entries(value: Value) -> Result<Vec<(Value, Value)>, Stop> {
    match value {
        Value::None => Ok(Vec::new()),
        Value::List(items) => Ok((0..).map(Value::Int).zip(items).collect()),
        Value::Labels(map) => Ok(map.into_iter().map(|(key, value)| (Value::Text(key), Value::Text(value))).collect()),
        Value::Map(map) => Ok(map.into_iter().map(|(key, value)| (Value::Text(key), value)).collect()),
        other => Err(failed(format!("range can't iterate over {}", other.kind()))),
    }
}
