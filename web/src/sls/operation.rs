//! What a request asks for, from its method, path and parameters alone.

use axum::http::Method;
use culprit_store::Right;
use percent_encoding::percent_decode_str;

use super::error::{Code, SlsError};
use crate::params::Params;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    ListProjects,
    CreateProject,
    GetProject,
    UpdateProject,
    DeleteProject,
    ListLogstores,
    CreateLogstore,
    ListViews,
    CreateView,
    View { name: String, act: ViewAct },
    ProjectLogs,
    Store { name: String, act: StoreAct },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ViewAct {
    Get,
    Update,
    Delete,
}

/// What is done with one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StoreAct {
    Get,
    Update,
    Delete,
    PutLogs(Placing),
    Track,
    ListShards,
    SplitShard(u32),
    MergeShards(u32),
    DeleteShard(u32),
    GetCursor(u32),
    GetCursorTime(u32),
    PullLogs(u32),
    ListGroups,
    CreateGroup,
    UpdateGroup(String),
    DeleteGroup(String),
    Heartbeat(String),
    PutCheckpoint(String),
    GetCheckpoints(String),
    CreateIndex,
    UpdateIndex,
    GetIndex,
    DeleteIndex,
    /// By POST with a JSON body.
    GetLogs,
    /// By GET with parameters.
    GetLogsOld,
    GetHistograms,
    GetContextLogs,
    ListTopics,
    Substore(Substore),
}

/// Which shard takes the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placing {
    /// The one with most room.
    Balanced,
    /// The owner of the hash key of the parameters.
    ByKey,
}

/// Older clients make a metricstore in two calls: a logstore, then its substore `prom`. The first has done all of it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Substore {
    List,
    Create,
    Get,
    Update,
    GetTtl,
    PutTtl,
}

impl Operation {
    pub(super) fn parse(method: &Method, path: &str, params: &Params) -> Result<Self, SlsError> {
        let mut segments = Vec::new();
        for segment in path.split('/').skip(1) {
            let text = percent_decode_str(segment).decode_utf8();
            let text = text.map_err(|_| SlsError::parameter(format!("the path {path:?} is not UTF-8")))?;
            segments.push(text.into_owned());
        }
        segments.pop_if(|last| last.is_empty());
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let asked = Asked { method, path, params };
        match segments.as_slice() {
            [] => asked.root(),
            ["logs"] => asked.only(Method::GET, Self::ProjectLogs),
            ["logstores"] => asked.list_or_create(Self::ListLogstores, Self::CreateLogstore),
            ["storeviews"] => asked.list_or_create(Self::ListViews, Self::CreateView),
            ["storeviews", name] => Ok(Self::View { name: (*name).to_owned(), act: asked.view()? }),
            ["logstores", name, rest @ ..] => Ok(Self::Store { name: (*name).to_owned(), act: asked.store(rest)? }),
            _ => Err(asked.unknown()),
        }
    }

    /// As the vendor's documentation calls it; the label of the request's metrics.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::ListProjects => "ListProject",
            Self::CreateProject => "CreateProject",
            Self::GetProject => "GetProject",
            Self::UpdateProject => "UpdateProject",
            Self::DeleteProject => "DeleteProject",
            Self::ListLogstores => "ListLogStores",
            Self::CreateLogstore => "CreateLogStore",
            Self::ListViews => "ListStoreViews",
            Self::CreateView => "CreateStoreView",
            Self::View { act: ViewAct::Get, .. } => "GetStoreView",
            Self::View { act: ViewAct::Update, .. } => "UpdateStoreView",
            Self::View { act: ViewAct::Delete, .. } => "DeleteStoreView",
            Self::ProjectLogs => "GetProjectLogs",
            Self::Store { act, .. } => act.name(),
        }
    }

    /// The one operation that needs no key.
    pub(super) fn is_tracking(&self) -> bool {
        matches!(self, Self::Store { act: StoreAct::Track, .. })
    }

    /// Any of these on the project will do. Empty: the operation looks itself, because the project stands in its body or there are many.
    pub(super) fn rights(&self) -> &'static [Right] {
        match self {
            Self::ListProjects | Self::CreateProject => &[],
            Self::GetProject | Self::ListLogstores | Self::ListViews | Self::View { act: ViewAct::Get, .. } => ANY,
            Self::UpdateProject
            | Self::DeleteProject
            | Self::CreateLogstore
            | Self::CreateView
            | Self::View { act: ViewAct::Update | ViewAct::Delete, .. } => &[Right::Admin],
            Self::ProjectLogs => &[Right::Read],
            Self::Store { act, .. } => act.rights(),
        }
    }
}

/// Writers and readers alike ask what a store is and which shards it has.
const ANY: &[Right] = &[Right::Read, Right::Write, Right::Consume, Right::Admin];

impl StoreAct {
    fn name(&self) -> &'static str {
        match self {
            Self::Get => "GetLogStore",
            Self::Update => "UpdateLogStore",
            Self::Delete => "DeleteLogStore",
            Self::PutLogs(_) => "PutLogs",
            Self::Track => "PutWebTracking",
            Self::ListShards => "ListShards",
            Self::SplitShard(_) => "SplitShard",
            Self::MergeShards(_) => "MergeShards",
            Self::DeleteShard(_) => "DeleteShard",
            Self::GetCursor(_) => "GetCursor",
            Self::GetCursorTime(_) => "GetCursorTime",
            Self::PullLogs(_) => "PullLogs",
            Self::ListGroups => "ListConsumerGroup",
            Self::CreateGroup => "CreateConsumerGroup",
            Self::UpdateGroup(_) => "UpdateConsumerGroup",
            Self::DeleteGroup(_) => "DeleteConsumerGroup",
            Self::Heartbeat(_) => "ConsumerGroupHeartBeat",
            Self::PutCheckpoint(_) => "ConsumerGroupUpdateCheckPoint",
            Self::GetCheckpoints(_) => "GetCheckPoint",
            Self::CreateIndex => "CreateIndex",
            Self::UpdateIndex => "UpdateIndex",
            Self::GetIndex => "GetIndex",
            Self::DeleteIndex => "DeleteIndex",
            Self::GetLogs => "GetLogsV2",
            Self::GetLogsOld => "GetLogs",
            Self::GetHistograms => "GetHistograms",
            Self::GetContextLogs => "GetContextLogs",
            Self::ListTopics => "ListTopics",
            Self::Substore(_) => "Substore",
        }
    }

    fn rights(&self) -> &'static [Right] {
        match self {
            // Web tracking has no key at all; the store says whether it takes it.
            Self::Track => &[],
            Self::Get | Self::ListShards | Self::Substore(Substore::List | Substore::Get | Substore::GetTtl) => ANY,
            Self::Update
            | Self::Delete
            | Self::SplitShard(_)
            | Self::MergeShards(_)
            | Self::DeleteShard(_)
            | Self::CreateIndex
            | Self::UpdateIndex
            | Self::DeleteIndex
            | Self::Substore(Substore::Create | Substore::Update | Substore::PutTtl) => &[Right::Admin],
            Self::PutLogs(_) => &[Right::Write],
            Self::GetCursor(_)
            | Self::GetCursorTime(_)
            | Self::PullLogs(_)
            | Self::ListGroups
            | Self::CreateGroup
            | Self::UpdateGroup(_)
            | Self::DeleteGroup(_)
            | Self::Heartbeat(_)
            | Self::PutCheckpoint(_)
            | Self::GetCheckpoints(_) => &[Right::Consume],
            Self::GetIndex
            | Self::GetLogs
            | Self::GetLogsOld
            | Self::GetHistograms
            | Self::GetContextLogs
            | Self::ListTopics => &[Right::Read],
        }
    }

    /// Which of the project's two flows pays for it; the management of stores is free.
    pub(super) fn is_consumption(&self) -> bool {
        self.rights() == [Right::Consume]
    }

    pub(super) fn is_query(&self) -> bool {
        self.rights() == [Right::Read] && *self != Self::GetIndex
    }
}

struct Asked<'a> {
    method: &'a Method,
    path: &'a str,
    params: &'a Params,
}

impl Asked<'_> {
    fn root(&self) -> Result<Operation, SlsError> {
        Ok(match *self.method {
            // Without a project in the host it is the list; the caller decides, because the host is no part of this.
            Method::GET => Operation::GetProject,
            Method::POST => Operation::CreateProject,
            Method::PUT => Operation::UpdateProject,
            Method::DELETE => Operation::DeleteProject,
            _ => return Err(self.wrong_method()),
        })
    }

    fn list_or_create(&self, list: Operation, create: Operation) -> Result<Operation, SlsError> {
        match *self.method {
            Method::GET => Ok(list),
            Method::POST => Ok(create),
            _ => Err(self.wrong_method()),
        }
    }

    fn only<T>(&self, method: Method, found: T) -> Result<T, SlsError> {
        if *self.method == method { Ok(found) } else { Err(self.wrong_method()) }
    }

    fn view(&self) -> Result<ViewAct, SlsError> {
        match *self.method {
            Method::GET => Ok(ViewAct::Get),
            Method::PUT => Ok(ViewAct::Update),
            Method::DELETE => Ok(ViewAct::Delete),
            _ => Err(self.wrong_method()),
        }
    }

    fn store(&self, rest: &[&str]) -> Result<StoreAct, SlsError> {
        match rest {
            [] => self.store_itself(),
            ["logs"] => self.only(Method::POST, StoreAct::GetLogs),
            ["index"] => self.index(),
            ["track"] if matches!(*self.method, Method::GET | Method::POST) => Ok(StoreAct::Track),
            ["track"] => Err(self.wrong_method()),
            ["shards"] => self.only(Method::GET, StoreAct::ListShards),
            ["shards", "lb"] => self.only(Method::POST, StoreAct::PutLogs(Placing::Balanced)),
            ["shards", "route"] => self.only(Method::POST, StoreAct::PutLogs(Placing::ByKey)),
            ["shards", shard] => self.shard(shard),
            ["consumergroups"] => self.groups(),
            ["consumergroups", group] => self.group(group),
            ["substores", rest @ ..] => self.substore(rest),
            _ => Err(self.unknown()),
        }
    }

    fn store_itself(&self) -> Result<StoreAct, SlsError> {
        match *self.method {
            Method::PUT => Ok(StoreAct::Update),
            Method::DELETE => Ok(StoreAct::Delete),
            Method::POST => Ok(StoreAct::PutLogs(Placing::Balanced)),
            Method::GET => match self.params.get("type") {
                None => Ok(StoreAct::Get),
                Some("log") => Ok(StoreAct::GetLogsOld),
                Some("histogram") => Ok(StoreAct::GetHistograms),
                Some("context_log") => Ok(StoreAct::GetContextLogs),
                Some("topic") => Ok(StoreAct::ListTopics),
                Some(other) => Err(self.bad_value("type", other, "log, histogram, context_log or topic")),
            },
            _ => Err(self.wrong_method()),
        }
    }

    fn index(&self) -> Result<StoreAct, SlsError> {
        match *self.method {
            Method::GET => Ok(StoreAct::GetIndex),
            Method::POST => Ok(StoreAct::CreateIndex),
            Method::PUT => Ok(StoreAct::UpdateIndex),
            Method::DELETE => Ok(StoreAct::DeleteIndex),
            _ => Err(self.wrong_method()),
        }
    }

    fn shard(&self, shard: &str) -> Result<StoreAct, SlsError> {
        let shard = shard.parse().map_err(|_| self.bad_value("the shard", shard, "a number"))?;
        match *self.method {
            Method::GET => match self.params.get("type") {
                Some("cursor") => Ok(StoreAct::GetCursor(shard)),
                Some("cursor_time") => Ok(StoreAct::GetCursorTime(shard)),
                Some("log" | "logs") => Ok(StoreAct::PullLogs(shard)),
                other => Err(self.bad_value("type", other.unwrap_or(""), "cursor, cursor_time or log")),
            },
            Method::POST => match self.params.get("action") {
                Some("split") => Ok(StoreAct::SplitShard(shard)),
                Some("merge") => Ok(StoreAct::MergeShards(shard)),
                other => Err(self.bad_value("action", other.unwrap_or(""), "split or merge")),
            },
            Method::DELETE => Ok(StoreAct::DeleteShard(shard)),
            _ => Err(self.wrong_method()),
        }
    }

    fn groups(&self) -> Result<StoreAct, SlsError> {
        match *self.method {
            Method::GET => Ok(StoreAct::ListGroups),
            Method::POST => Ok(StoreAct::CreateGroup),
            _ => Err(self.wrong_method()),
        }
    }

    fn group(&self, group: &str) -> Result<StoreAct, SlsError> {
        let group = group.to_owned();
        match *self.method {
            Method::GET => Ok(StoreAct::GetCheckpoints(group)),
            Method::PUT => Ok(StoreAct::UpdateGroup(group)),
            Method::DELETE => Ok(StoreAct::DeleteGroup(group)),
            Method::POST => match self.params.get("type") {
                Some("heartbeat") => Ok(StoreAct::Heartbeat(group)),
                Some("checkpoint") => Ok(StoreAct::PutCheckpoint(group)),
                other => Err(self.bad_value("type", other.unwrap_or(""), "heartbeat or checkpoint")),
            },
            _ => Err(self.wrong_method()),
        }
    }

    fn substore(&self, rest: &[&str]) -> Result<StoreAct, SlsError> {
        let act = match (self.method, rest) {
            (&Method::GET, []) => Substore::List,
            (&Method::POST, []) => Substore::Create,
            (&Method::GET, ["prom"]) => Substore::Get,
            (&Method::PUT, ["prom"]) => Substore::Update,
            (&Method::GET, ["storage", "ttl"]) => Substore::GetTtl,
            (&Method::PUT, ["storage", "ttl"]) => Substore::PutTtl,
            _ => return Err(self.unknown()),
        };
        Ok(StoreAct::Substore(act))
    }

    fn wrong_method(&self) -> SlsError {
        SlsError::new(Code::InvalidMethod, format!("{} does not take {}", self.path, self.method))
    }

    fn unknown(&self) -> SlsError {
        SlsError::not_supported(format!("{} {} is not an operation of this server", self.method, self.path))
    }

    fn bad_value(&self, name: &str, given: &str, wanted: &str) -> SlsError {
        SlsError::parameter(format!("{name} of {} {} is {given:?}; it must be {wanted}", self.method, self.path))
    }
}

#[cfg(test)]
mod tests;
