//! Runs the groups: reads rule files again when they change, hands states over from old groups to new ones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use culprit_store::{Clock, UnixNanos};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::dispatch::Event;
use crate::files::{Files, read_files};
use crate::group::{Group, GroupView, Surroundings, write_stale};
use crate::rules::GroupSpec;

/// The clock may be turned while a group sleeps; it looks at it at least this often.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(5);

/// File and name.
pub(crate) type GroupKey = (String, String);

/// What everybody may look at: the groups after their last evaluation, and the files with their errors. The locks guard
/// the maps alone and are held for a copy.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) groups: Mutex<BTreeMap<GroupKey, watch::Receiver<GroupView>>>,
    pub(crate) files: Mutex<Files>,
}

impl Shown {
    pub(crate) fn groups(&self) -> Vec<GroupView> {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.values().map(|view| view.borrow().clone()).collect()
    }

    pub(crate) fn files(&self) -> Files {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a reload has found: one line per error, none when all is well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReloadReport {
    pub errors: Vec<String>,
    pub groups: usize,
    pub rules: usize,
}

struct Running {
    spec: GroupSpec,
    stop: CancellationToken,
    task: JoinHandle<Group>,
}

/// The one task that starts and stops groups.
pub(crate) struct Manager {
    pub(crate) patterns: Vec<String>,
    pub(crate) reload_interval: Duration,
    pub(crate) surroundings: Surroundings,
    pub(crate) shown: Arc<Shown>,
    running: BTreeMap<GroupKey, Running>,
    is_started: bool,
}

impl Manager {
    pub(crate) fn new(
        patterns: Vec<String>,
        reload_interval: Duration,
        surroundings: Surroundings,
        shown: Arc<Shown>,
    ) -> Self {
        Self { patterns, reload_interval, surroundings, shown, running: BTreeMap::new(), is_started: false }
    }

    /// Runs until `stop`, then ends all groups: an evaluation that has begun is finished.
    pub(crate) async fn run(
        mut self,
        mut asked: mpsc::Receiver<oneshot::Sender<ReloadReport>>,
        stop: CancellationToken,
    ) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(answer) = asked.recv() => {
                    if answer.send(self.reload().await).is_err() {
                        tracing::debug!("whoever asked for a reload has gone");
                    }
                }
                () = tokio::time::sleep(self.reload_interval) => {
                    self.reload().await;
                }
            }
        }
        for running in self.running.values() {
            running.stop.cancel();
        }
        for (_, running) in std::mem::take(&mut self.running) {
            self.ended(running).await;
        }
    }

    pub(crate) async fn reload(&mut self) -> ReloadReport {
        let (patterns, known) = (self.patterns.clone(), self.shown.files());
        let metrics = &self.surroundings.metrics;
        let reading = match tokio::task::spawn_blocking(move || read_files(&patterns, &known)).await {
            Ok(Ok(reading)) => reading,
            Ok(Err(error)) => {
                metrics.reload_failures.add(1);
                tracing::error!(%error, "rule files cannot be read, the rules stay as they are");
                return ReloadReport { errors: vec![error.to_string()], ..self.report() };
            }
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        for error in &reading.new_errors {
            tracing::error!("{error} (the file's former rules stay in force)");
        }
        if reading.is_changed {
            metrics.reloads.add(1);
            if !reading.new_errors.is_empty() {
                metrics.reload_failures.add(1);
            }
        }
        let specs: Vec<GroupSpec> = reading.files.values().flat_map(|file| file.groups.iter().cloned()).collect();
        *self.shown.files.lock().unwrap_or_else(PoisonError::into_inner) = reading.files;
        if reading.is_changed || !self.is_started {
            self.apply(specs).await;
            self.is_started = true;
        }
        self.report()
    }

    fn report(&self) -> ReloadReport {
        ReloadReport {
            errors: self.shown.files().into_values().flat_map(|file| file.errors).collect(),
            groups: self.running.len(),
            rules: self.running.values().map(|running| running.spec.rules.len()).sum(),
        }
    }

    async fn apply(&mut self, specs: Vec<GroupSpec>) {
        let rules = specs.iter().flat_map(|spec| spec.rules.iter().map(|rule| rule.id.clone())).collect();
        let wanted: BTreeMap<GroupKey, GroupSpec> =
            specs.into_iter().map(|spec| ((spec.file.clone(), spec.name.clone()), spec)).collect();
        let mut old: BTreeMap<GroupKey, Running> = BTreeMap::new();
        for (key, running) in std::mem::take(&mut self.running) {
            if wanted.get(&key) == Some(&running.spec) {
                self.running.insert(key, running);
            } else {
                running.stop.cancel();
                old.insert(key, running);
            }
        }
        for (key, spec) in wanted {
            if self.running.contains_key(&key) {
                continue;
            }
            let mut group = if self.is_started { Group::added(spec.clone()) } else { Group::fresh(spec.clone()) };
            if let Some(former) = old.remove(&key)
                && let Some(former) = self.ended(former).await
            {
                let gone = group.take_over(former);
                self.end_series(gone).await;
            }
            self.start(key, spec, group);
        }
        for (key, running) in old {
            self.shown.groups.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            if let Some(group) = self.ended(running).await {
                self.end_series(group.into_written()).await;
            }
        }
        self.surroundings.send(Event::Rules(rules)).await;
    }

    fn start(&mut self, key: GroupKey, spec: GroupSpec, group: Group) {
        let (view, shown) = watch::channel(group.view(&self.surroundings));
        self.shown.groups.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), shown);
        let stop = CancellationToken::new();
        let task = tokio::spawn(run_group(group, self.surroundings.clone(), stop.clone(), view));
        self.running.insert(key, Running { spec, stop, task });
    }

    /// The group when its task has ended. A panic costs the group's state, not the server.
    async fn ended(&self, running: Running) -> Option<Group> {
        match running.task.await {
            Ok(group) => Some(group),
            Err(error) => {
                tracing::error!(group = running.spec.name, %error, "a group's task broke, its alerts start anew");
                None
            }
        }
    }

    async fn end_series(
        &self,
        gone: Vec<(culprit_store::ProjectName, std::collections::BTreeSet<culprit_store::Labels>)>,
    ) {
        for (project, labels) in gone {
            if let Err(error) = write_stale(project, labels, &self.surroundings).await {
                self.surroundings.metrics.series_write_failures.add(1);
                tracing::warn!(%error, "the series of a removed rule could not be ended");
            }
        }
    }
}

/// Evaluates a group at times that are multiples of its interval, shifted by a hash so that groups do not all run at once.
async fn run_group(
    mut group: Group,
    surroundings: Surroundings,
    stop: CancellationToken,
    view: watch::Sender<GroupView>,
) -> Group {
    let interval = group.interval(&surroundings);
    let phase = xxhash_rust::xxh3::xxh3_64(format!("{};{}", group.spec.file, group.spec.name).as_bytes());
    let mut next = next_tick(surroundings.clock.now(), interval, phase);
    loop {
        tokio::select! {
            () = stop.cancelled() => return group,
            () = tokio::time::sleep(until(next, &surroundings.clock).min(LOOK_AT_CLOCK)) => {}
        }
        let now = surroundings.clock.now();
        if now < next {
            // A clock that was set back leaves the group waiting for a time far away: it takes up the new one.
            next = next.min(next_tick(now, interval, phase));
            continue;
        }
        let missed = u64::try_from((now.0 - next.0) as i128 / interval.as_nanos() as i128).unwrap_or(0);
        surroundings.metrics.iterations_missed.add(missed);
        let ts = if missed == 0 { next } else { UnixNanos(next.0 + (interval.as_nanos() as i64) * missed as i64) };
        group.evaluate(ts, &surroundings).await;
        view.send_replace(group.view(&surroundings));
        next = UnixNanos(ts.0.saturating_add(interval.as_nanos() as i64));
    }
}

fn until(at: UnixNanos, clock: &Clock) -> Duration {
    Duration::from_nanos(u64::try_from(at.0.saturating_sub(clock.now().0)).unwrap_or(0))
}

fn next_tick(now: UnixNanos, interval: Duration, phase: u64) -> UnixNanos {
    let interval = i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX).max(1);
    let shift = (phase % interval as u64) as i64;
    let past = (now.0 - shift).div_euclid(interval);
    UnixNanos((past + 1).saturating_mul(interval).saturating_add(shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_regular_and_ahead() {
        let interval = Duration::from_secs(15);
        let first = next_tick(UnixNanos(1_000_000_000_000), interval, 4_000_000_007);
        assert!(first.0 > 1_000_000_000_000 && first.0 <= 1_015_000_000_000);
        assert_eq!(next_tick(first, interval, 4_000_000_007).0 - first.0, 15_000_000_000);
        assert_eq!(next_tick(UnixNanos(first.0 - 1), interval, 4_000_000_007), first);
    }
}
