//! Views: virtual stores over stores of several projects.

use std::sync::Arc;

use crate::catalog::{Document, DocumentKind};
use crate::limits::VIEW_MEMBERS_MAX;
use crate::{ProjectName, ShardNumber, Storage, StoreError, StoreName};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub project: ProjectName,
    pub name: StoreName,
    /// In the order in which they were given; a store that is gone stays a member until it is taken out.
    pub members: Vec<ViewMember>,
    next_ordinal: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewMember {
    /// Given once in a view: a store that is taken out and put back gets another one.
    pub ordinal: u32,
    pub project: ProjectName,
    pub store: StoreName,
}

/// As it stands in the catalog.
#[derive(serde::Serialize, serde::Deserialize)]
struct Body {
    next_ordinal: u32,
    members: Vec<BodyMember>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct BodyMember {
    ordinal: u32,
    project: String,
    store: String,
}

const NUMBER_BITS: u32 = 16;

impl View {
    /// The id under which a shard of a member is read through the view; none when a number does not fit into 16 bits.
    pub fn shard_id(ordinal: u32, number: ShardNumber) -> Option<u32> {
        // One bit less for the ordinal: the id must stay positive where clients read it as a signed integer.
        (ordinal >> (NUMBER_BITS - 1) == 0 && number.0 >> NUMBER_BITS == 0).then_some(ordinal << NUMBER_BITS | number.0)
    }

    /// The inverse, for members that the view has.
    pub fn resolve(&self, id: u32) -> Option<(&ViewMember, ShardNumber)> {
        let member = self.members.iter().find(|member| member.ordinal == id >> NUMBER_BITS)?;
        Some((member, ShardNumber(id & ((1 << NUMBER_BITS) - 1))))
    }

    /// Members that stay keep their ordinal.
    fn with_members(&self, wanted: Vec<(ProjectName, StoreName)>) -> Self {
        let mut view = Self { members: Vec::with_capacity(wanted.len()), ..self.clone() };
        for (project, store) in wanted {
            let is_same = |member: &&ViewMember| member.project == project && member.store == store;
            if view.members.iter().any(|member| is_same(&member)) {
                continue;
            }
            let ordinal = self.members.iter().find(is_same).map_or(view.next_ordinal, |member| member.ordinal);
            view.next_ordinal = view.next_ordinal.max(ordinal + 1);
            view.members.push(ViewMember { ordinal, project, store });
        }
        view
    }

    fn body(&self) -> String {
        let members = self.members.iter().map(|member| BodyMember {
            ordinal: member.ordinal,
            project: member.project.to_string(),
            store: member.store.to_string(),
        });
        let body = Body { next_ordinal: self.next_ordinal, members: members.collect() };
        serde_json::to_string(&body).expect("numbers and names are JSON")
    }

    pub(crate) fn of_document(project: ProjectName, document: &Document) -> Result<Self, StoreError> {
        let body: Body = serde_json::from_str(&document.body)
            .map_err(|_| StoreError::CatalogValue { what: "view", value: document.body.clone() })?;
        let members = body.members.into_iter().map(|member| {
            Ok(ViewMember {
                ordinal: member.ordinal,
                project: ProjectName::parse(&member.project)?,
                store: StoreName::parse(&member.store)?,
            })
        });
        let members = members.collect::<Result<_, StoreError>>()?;
        Ok(Self { project, name: StoreName::parse(&document.name)?, members, next_ordinal: body.next_ordinal })
    }
}

impl Storage {
    pub fn view(&self, project: &ProjectName, name: &StoreName) -> Option<Arc<View>> {
        self.inner.directory().get(project)?.views.get(name).cloned()
    }

    /// By name.
    pub fn views(&self, project: &ProjectName) -> Vec<Arc<View>> {
        self.inner.directory().get(project).map_or_else(Vec::new, |tenant| tenant.views.values().cloned().collect())
    }

    /// Creates it, or gives it these members. The stores must be there, the project too, and no store may have the name.
    pub async fn put_view(
        &self,
        project: &ProjectName,
        name: &StoreName,
        members: Vec<(ProjectName, StoreName)>,
    ) -> Result<Arc<View>, StoreError> {
        if members.is_empty() || members.len() > VIEW_MEMBERS_MAX {
            let given = members.len().to_string();
            return Err(StoreError::OutOfRange { what: "view members", given, limit: "1 to 64 stores" });
        }
        let _one_at_a_time = self.inner.creation.lock().await;
        self.expect_project(project)?;
        if self.store(project, name).is_some() {
            return Err(StoreError::Exists { what: "store", name: format!("{project}/{name}") });
        }
        for (project, store) in &members {
            self.expect_store(project, store)?;
        }
        let old = self.view(project, name);
        let new = || View { project: project.clone(), name: name.clone(), members: Vec::new(), next_ordinal: 0 };
        let view = Arc::new(old.as_deref().cloned().unwrap_or_else(new).with_members(members));
        self.put_document(DocumentKind::View, project, name.as_str(), &view.body()).await?;
        if let Some(tenant) = self.inner.directory_mut().get_mut(project) {
            tenant.views.insert(name.clone(), view.clone());
        }
        Ok(view)
    }

    /// False when there was none. Its members stay as they are.
    pub async fn delete_view(&self, project: &ProjectName, name: &StoreName) -> Result<bool, StoreError> {
        let _one_at_a_time = self.inner.creation.lock().await;
        let was_there = self.delete_document(DocumentKind::View, project, name.as_str()).await?;
        if let Some(tenant) = self.inner.directory_mut().get_mut(project) {
            tenant.views.remove(name);
        }
        Ok(was_there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str) -> (ProjectName, StoreName) {
        (ProjectName::default_project(), StoreName::parse(name).unwrap())
    }

    #[test]
    fn an_ordinal_is_given_once() {
        let (project, name) = member("view");
        let empty = View { project: project.clone(), name, members: Vec::new(), next_ordinal: 0 };
        let ordinals = |view: &View| view.members.iter().map(|m| (m.store.to_string(), m.ordinal)).collect::<Vec<_>>();
        let view = empty.with_members(vec![member("a"), member("b"), member("a")]);
        assert_eq!(ordinals(&view), [("a".to_owned(), 0), ("b".to_owned(), 1)]);
        let view = view.with_members(vec![member("b")]).with_members(vec![member("a"), member("b")]);
        assert_eq!(ordinals(&view), [("a".to_owned(), 2), ("b".to_owned(), 1)]);
        let document = Document { name: "view".to_owned(), body: view.body() };
        assert_eq!(View::of_document(project, &document).unwrap(), view);
        assert_eq!(view.resolve(View::shard_id(2, ShardNumber(7)).unwrap()).unwrap().1, ShardNumber(7));
        assert_eq!(view.resolve(7), None, "the first a is gone");
        assert_eq!((View::shard_id(1 << 15, ShardNumber(0)), View::shard_id(0, ShardNumber(1 << 16))), (None, None));
    }
}
