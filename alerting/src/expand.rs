//! Expands templates of rules; runs the queries that they ask for.

use std::collections::BTreeMap;

use culprit_store::{Labels, ProjectName, UnixNanos};

use crate::evaluator::Evaluator;
use crate::limits::TEMPLATE_QUERIES_MAX;
use crate::template::{Data, Expansion, QuerySample, Template, TemplateError};

/// One alert instance's data for all its templates: a query that two annotations share runs once.
pub(crate) struct Expander<'a> {
    evaluator: &'a Evaluator,
    project: &'a ProjectName,
    data: Data,
}

impl<'a> Expander<'a> {
    pub(crate) fn new(
        evaluator: &'a Evaluator,
        project: &'a ProjectName,
        external_url: &str,
        (labels, value): (Labels, f64),
        now: UnixNanos,
    ) -> Self {
        let data = Data { labels, value, external_url: external_url.to_owned(), now, queries: BTreeMap::new() };
        Self { evaluator, project, data }
    }

    pub(crate) async fn expand(&mut self, template: &Template) -> Result<String, TemplateError> {
        loop {
            match template.expand(&self.data)? {
                Expansion::Done(text) => return Ok(text),
                Expansion::Needs(query) => self.answer(query).await?,
            }
        }
    }

    /// A failed template becomes a text that says so: a rule must not fall silent because of its words.
    pub(crate) async fn expand_or_say(&mut self, template: &Template) -> String {
        match self.expand(template).await {
            Ok(text) => text,
            Err(error) => format!("<error expanding template: {error}>"),
        }
    }

    async fn answer(&mut self, query: String) -> Result<(), TemplateError> {
        if self.data.queries.len() >= TEMPLATE_QUERIES_MAX {
            let why = format!("templates of one alert run more than {TEMPLATE_QUERIES_MAX} queries");
            return Err(TemplateError::Function { function: "query".to_owned(), why });
        }
        let result = self.evaluator.promql(self.project, &query, self.data.now).await;
        let samples = result.map_err(|error| error.to_string()).map(|samples| {
            let sample = |found: crate::evaluator::Measured| QuerySample {
                labels: found.labels.iter().map(|l| (l.name.to_string(), l.value.to_string())).collect(),
                value: found.value,
            };
            samples.into_iter().map(sample).collect()
        });
        self.data.queries.insert(query, samples);
        Ok(())
    }
}
