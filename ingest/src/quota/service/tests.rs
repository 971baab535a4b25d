//! Front ends that report, and pollers that are told.

use culprit_store::UnixNanos;

use super::*;
use crate::limits::{METER_IDLE, QUOTA_DEBT_MAX};
use crate::quota::{Bar, Gauge, QuotaConfig, Quotas, Usage};

const SECOND: i64 = 1_000_000_000;

fn service(clock: &Clock) -> QuotaService {
    let limits = ProjectLimits { write_bytes: 1_000, write_requests: 100, ..ProjectLimits::default() };
    QuotaService::new(limits, clock)
}

fn wrote(project: &str, bytes: i64, requests: u32) -> Report {
    Report { usage: vec![Usage(project.to_owned(), bytes, requests, 0, 0)] }
}

#[tokio::test]
async fn what_front_ends_let_through_together_bars_a_project() {
    let clock = Clock::manual(UnixNanos(SECOND));
    let service = service(&clock);
    let start = service.poll(0, Duration::ZERO).await;
    assert_eq!(start.bars, []);
    for _ in 0..3 {
        service.report(&wrote("a", 600, 1));
    }
    assert_eq!(service.poll(start.version, Duration::ZERO).await, start, "1800 of 2000 bytes");
    service.report(&wrote("a", 1_200, 1));
    let changes = service.poll(start.version, Duration::ZERO).await;
    assert_eq!(changes.bars, [Bar("a".to_owned(), Flow::Write, Measure::Bytes, 1_001)], "1000 bytes too many");
    service.report(&wrote("a", 100, 1));
    assert_eq!(service.poll(changes.version, Duration::ZERO).await.bars, [], "it is barred already");
    service.report(&wrote("a", 2_000, 1));
    let changes = service.poll(changes.version, Duration::ZERO).await;
    assert_eq!(changes.bars, [Bar("a".to_owned(), Flow::Write, Measure::Bytes, 3_101)], "for much longer");
    service.report(&wrote("b", 0, 300));
    let of_b = service.poll(changes.version, Duration::ZERO).await;
    assert_eq!(of_b.bars, [Bar("b".to_owned(), Flow::Write, Measure::Requests, 1_001)]);
    clock.set(UnixNanos(SECOND + SECOND / 2));
    let late = service.poll(0, Duration::ZERO).await;
    assert_eq!(
        late.bars.iter().map(|bar| bar.3).collect::<Vec<_>>(),
        [501, 2_601, 501],
        "who comes late is told what is left"
    );
    service.report(&Report { usage: vec![Usage("no such/name".to_owned(), 1, 1, 1, 1)] });
    assert_eq!(service.counters.bad_names.load(Relaxed), 1);
}

#[tokio::test]
async fn a_poll_waits_for_news_and_for_no_longer_than_the_server_lives() {
    let clock = Clock::manual(UnixNanos(SECOND));
    let service = Arc::new(service(&clock));
    let start = service.poll(0, Duration::ZERO).await;
    let wait = |since| {
        let service = service.clone();
        tokio::spawn(async move { service.poll(since, Duration::from_secs(60)).await })
    };
    let (first, second) = (wait(start.version), wait(start.version));
    service.report(&wrote("a", 9_000, 1));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!(first.bars.len(), 1);
    assert_eq!(first, second);
    let waiting = wait(first.version);
    service.close();
    assert_eq!(waiting.await.unwrap().bars, []);
    // A service that was started anew counts from its own beginning: its pollers come with versions that it never gave.
    clock.set(UnixNanos(3_600 * SECOND));
    let reborn = self::service(&clock);
    reborn.report(&wrote("a", 9_000, 1));
    for foreign in [first.version, u64::MAX] {
        assert_eq!(reborn.poll(foreign, Duration::from_secs(60)).await.bars.len(), 1);
    }
}

#[tokio::test]
async fn front_ends_obey_bars_and_the_lifting_of_them() {
    let clock = Clock::manual(UnixNanos(SECOND));
    let service = service(&clock);
    let gauge: Gauge = Arc::new(|| 0.0);
    let config = QuotaConfig { services: 1, ..QuotaConfig::default() };
    let fronts: Vec<Quotas> = (0..3).map(|_| Quotas::new(config.clone(), &clock, gauge.clone())).collect();
    let name = ProjectName::parse("a").unwrap();
    for front in &fronts {
        front.admit(&name, Flow::Write, 900).map(drop).unwrap_or_else(|refusal| panic!("{refusal}"));
        service.report(&front.take_report(0));
        assert_eq!(front.take_report(0), Report::default(), "told once");
    }
    let changes = service.poll(0, Duration::ZERO).await;
    for front in &fronts {
        front.apply(&changes);
        assert!(front.admit(&name, Flow::Write, 1).is_err());
        front.admit(&name, Flow::Read, 1).map(drop).expect("reads are not barred");
    }
    let raised = ProjectOverride { write_bytes: Some(1_000_000), ..ProjectOverride::default() };
    service.set_limits(&name, Some(raised));
    let lifted = service.poll(changes.version, Duration::ZERO).await;
    assert_eq!(lifted.bars, [Bar("a".to_owned(), Flow::Write, Measure::Bytes, 0)]);
    for front in &fronts {
        front.apply(&lifted);
        front.admit(&name, Flow::Write, 1).map(drop).unwrap_or_else(|refusal| panic!("{refusal}"));
    }
}

#[test]
fn still_projects_are_forgotten_and_debtors_are_not() {
    let clock = Clock::manual(UnixNanos(SECOND));
    let service = service(&clock);
    for number in 0..1_000 {
        service.report(&wrote(&format!("p{number}"), 10, 1));
    }
    service.sweep();
    assert_eq!(service.projects(), 1_000);
    let later = SECOND + METER_IDLE.as_nanos() as i64 - QUOTA_DEBT_MAX.as_nanos() as i64 + SECOND;
    clock.set(UnixNanos(later));
    service.report(&wrote("debtor", 1_000_000, 1));
    clock.set(UnixNanos(SECOND + METER_IDLE.as_nanos() as i64 + SECOND));
    service.sweep();
    assert_eq!(service.projects(), 1);
}
