//! `culprit demo`: a server, a shop that writes its logs and metrics through the public HTTP API, an incident of the kind
//! that was asked for ([`scenario`]), and a pager at the other end of the webhook that prints what the alert says.
//!
//! The traffic ([`traffic`]) is pure and comes from the seed; everything here is about when it is sent and what is told.

mod customers;
mod folder;
mod history;
mod machines;
mod meters;
mod page;
mod random;
mod receiver;
mod row;
mod scenario;
mod sender;
mod shop;
mod tally;
mod traffic;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use culprit_alerting::{AlertingConfig, ReceiverConfig, WebhookConfig};
use culprit_store::{Clock, UnixNanos};
use tokio::time::{Instant, MissedTickBehavior};

use crate::config::{Config, ServerConfig};
use crate::error::CliError;
use crate::output::say;
use crate::remote::Server;
use crate::serve;
use folder::Folder;
use meters::Meters;
use page::{Cause, Page};
use receiver::Receiver;
use scenario::{Incident, Scenario};
use sender::Sender;
use tally::Tally;
use traffic::Traffic;

/// Live traffic before the incident.
const CALM: Duration = Duration::from_secs(12);
/// With `--once`, from the start.
const PATIENCE: Duration = Duration::from_secs(120);
/// Rows and samples are sent this often.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between two lines on the terminal: until the alert has come, and afterwards.
const TICKS_PER_LINE: u64 = 4;
const TICKS_PER_LINE_AFTERWARDS: u64 = 30;
/// Before the lines that belong to one that has the time.
const INDENT: &str = "       ";

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  culprit demo
  culprit demo --scenario bad-deploy
  culprit demo --scenario full-disk --seed 7
  culprit demo --culprit 1500 --once --http 127.0.0.1:0")]
pub(crate) struct DemoArgs {
    /// What goes wrong
    #[arg(long, value_name = "NAME", default_value = "customer")]
    scenario: Scenario,
    /// The same seed gives the same shop, the same traffic and the same cause
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// End after the alert that names a cause; exit code 1 when none came within two minutes
    #[arg(long)]
    once: bool,
    /// Of scenario customer, the customer whose requests begin to fail; 1002 unless said
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(customers::FIRST_ID..=999_999_999))]
    culprit: Option<i64>,
    /// Where the demo's server listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:6700")]
    http: SocketAddr,
    /// Keep the data in this folder; by default in a temporary one that is removed at the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(crate) async fn run(args: DemoArgs) -> Result<ExitCode, CliError> {
    let started = Instant::now();
    args.check()?;
    let folder = Folder::open(args.data.clone(), args.scenario)?;
    let receiver = Receiver::bind().await.map_err(|source| CliError::Listen { address: LOOPBACK, source })?;
    let running = serve::start(config(&args, &folder, &receiver), None).await?;
    let url = format!("http://{}", running.address);
    let result = match Demo::open(&args, folder.is_new, &url, started).await {
        Ok(demo) => demo.play(receiver).await,
        Err(error) => Err(error),
    };
    // The server leaves the folder before it goes, whatever the demo has come to.
    let stopped = running.stop().await;
    let closed = folder.close();
    let code = result?;
    stopped?;
    closed?;
    Ok(code)
}

impl DemoArgs {
    fn check(&self) -> Result<(), CliError> {
        match self.culprit {
            Some(id) if self.scenario != Scenario::Customer => Err(CliError::BadArgument {
                what: "--culprit",
                text: id.to_string(),
                why: format!("a customer is no part of scenario {}", self.scenario.name()),
            }),
            _ => Ok(()),
        }
    }

    /// Large in every scenario, so that the shop is the same in all of them.
    fn large_customer(&self) -> i64 {
        self.culprit.unwrap_or(LARGE_CUSTOMER)
    }
}

const LARGE_CUSTOMER: i64 = 1002;

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn config(args: &DemoArgs, folder: &Folder, receiver: &Receiver) -> Config {
    let webhook = WebhookConfig { url: receiver.url(), send_resolved: true, bearer_token: None, max_alerts: 0 };
    let pager = ReceiverConfig { name: "demo".to_owned(), webhook: vec![webhook], ..ReceiverConfig::default() };
    let defaults = Config::default();
    Config {
        server: ServerConfig { http: args.http, data: folder.path().to_owned(), ..ServerConfig::default() },
        alerting: AlertingConfig {
            rules: vec![folder.rules().display().to_string()],
            receivers: vec![pager],
            ..defaults.alerting
        },
        ..defaults
    }
}

struct Demo {
    once: bool,
    started: Instant,
    clock: Clock,
    sender: Sender,
    traffic: Traffic,
    meters: Meters,
    incident_at: UnixNanos,
    /// True once the terminal has been told of the incident's beginning.
    incident_told: bool,
    tally: Tally,
    ticks: u64,
    ticks_per_line: u64,
    /// The incident whose page came before its cause.
    awaited: Option<String>,
}

/// Whether the demo goes on.
enum Next {
    Go,
    Done,
}

impl Demo {
    /// Says where everything is and writes the past.
    async fn open(args: &DemoArgs, is_new: bool, url: &str, started: Instant) -> Result<Self, CliError> {
        let clock = Clock::System;
        say(format_args!("listening on {url}"))?;
        say(format_args!("{INDENT}console {url}/ui/ and its alerts {url}/ui/alerts"))?;
        let sender = Sender::new(Server::at(url, None)?);
        let opening = clock.now();
        let start = if is_new { history::before(opening, history::LENGTH) } else { opening };
        let customer = args.large_customer();
        let incident = Incident::new(args.scenario, args.seed, customer);
        let mut traffic = Traffic::new(args.seed, customer, incident, start, opening);
        let mut meters = Meters::new();
        if is_new {
            let rows = history::write(&mut traffic, &mut meters, &sender, opening).await?;
            say(format_args!("{INDENT}a shop of six services, its last ten minutes are written ({rows} log rows)"))?;
        } else {
            say(format_args!("{INDENT}a shop of six services goes on where an earlier demo has stopped"))?;
        }
        // The calm counts from when the shop is seen, not from when its past was begun.
        let incident_at = UnixNanos(clock.now().0 + CALM.as_nanos() as i64);
        traffic.begin_incident(incident_at);
        Ok(Self {
            once: args.once,
            started,
            clock,
            sender,
            traffic,
            meters,
            incident_at,
            incident_told: false,
            tally: Tally::default(),
            ticks: 0,
            ticks_per_line: TICKS_PER_LINE,
            awaited: None,
        })
    }

    /// Until the alert has come, with `--once`; else until it is interrupted.
    async fn play(mut self, receiver: Receiver) -> Result<ExitCode, CliError> {
        let mut pages = receiver.run();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stopping = serve::StopSignals::listen()?.received();
        tokio::pin!(stopping);
        loop {
            let next = tokio::select! {
                biased;
                () = &mut stopping => {
                    return Ok(if self.once { ExitCode::FAILURE } else { ExitCode::SUCCESS });
                }
                Some(page) = pages.recv() => match page {
                    Ok(page) => self.take(&page)?,
                    Err(error) => {
                        tracing::warn!(%error, "the demo's pager");
                        Next::Go
                    }
                },
                () = tokio::time::sleep_until(self.started + PATIENCE), if self.once => {
                    self.tell(&["no alert with a cause came within two minutes".to_owned()])?;
                    return Ok(ExitCode::FAILURE);
                }
                _ = ticks.tick() => self.tick().await?,
            };
            if let Next::Done = next {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }

    async fn tick(&mut self) -> Result<Next, CliError> {
        let now = self.clock.now();
        if !self.incident_told && now >= self.incident_at {
            self.incident_told = true;
            self.tell(&[self.traffic.incident().told()])?;
        }
        let rows = self.traffic.until(now);
        rows.iter().for_each(|row| self.meters.observe(row));
        self.meters.sample(now, &self.traffic);
        self.tally.add(&rows);
        // Rows first: when the alert fires on the samples, the rows that explain it are there.
        self.sender.logs(&rows).await?;
        self.sender.samples(&self.meters.take()).await?;
        self.ticks += 1;
        if self.ticks.is_multiple_of(self.ticks_per_line) {
            let line = self.tally.take(self.ticks_per_line * TICK.as_secs());
            self.tell(&[line])?;
        }
        self.look_for_late_cause().await
    }

    fn take(&mut self, page: &Page) -> Result<Next, CliError> {
        self.tell(&page.lines())?;
        if !page.is_firing() {
            return Ok(Next::Go);
        }
        if page.cause().is_some_and(Cause::is_found) {
            return self.found();
        }
        self.awaited = page.cause().filter(|cause| cause.is_pending()).map(|_| page.culprit.id.clone());
        Ok(Next::Go)
    }

    /// A cause that took too long for the page joins the incident, where it is looked for.
    async fn look_for_late_cause(&mut self) -> Result<Next, CliError> {
        let Some(incident) = &self.awaited else { return Ok(Next::Go) };
        let Some(cause) = self.sender.cause(incident).await?.filter(|cause| !cause.is_pending()) else {
            return Ok(Next::Go);
        };
        self.awaited = None;
        self.tell(&cause.lines())?;
        if cause.is_found() { self.found() } else { Ok(Next::Go) }
    }

    fn found(&mut self) -> Result<Next, CliError> {
        if self.once {
            return Ok(Next::Done);
        }
        if self.ticks_per_line != TICKS_PER_LINE_AFTERWARDS {
            self.ticks_per_line = TICKS_PER_LINE_AFTERWARDS;
            self.tally = Tally::default();
            self.ticks = 0;
            say(format_args!("{INDENT}to look at: {}", self.traffic.incident().look_at()))?;
            say(format_args!("{INDENT}the shop goes on as it is until Ctrl+C"))?;
        }
        Ok(Next::Go)
    }

    /// The first line has the time since the start, the others belong to it.
    fn tell(&self, lines: &[String]) -> Result<(), CliError> {
        let seconds = self.started.elapsed().as_secs();
        let mut lead = format!("{:02}:{:02}  ", seconds / 60, seconds % 60);
        for line in lines {
            say(format_args!("{lead}{line}"))?;
            lead = INDENT.to_owned();
        }
        Ok(())
    }
}
