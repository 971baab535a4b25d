//! This process and this machine, read from /proc.

use culprit_store::{Metric, MetricKind};

use super::parse::{CPU_MODES, boot_time, cpu_seconds, disks, meminfo, networks, own_stat};

/// What is not there or not text is left out: metrics are no reason to fail.
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| {
        tracing::debug!(path, %error, "no metrics from this file");
        String::new()
    })
}

fn seconds(name: &'static str, help: &'static str, value: f64) -> Metric {
    Metric { kind: MetricKind::Counter, ..Metric::gauge(name, help, value) }
}

/// The usual `process_*` metrics.
pub(crate) fn process() -> Vec<Metric> {
    let mut metrics = Vec::new();
    let status = read("/proc/self/status");
    if let Some(bytes) = meminfo(&status, "VmRSS") {
        metrics.push(Metric::gauge("process_resident_memory_bytes", "Resident memory.", bytes));
    }
    if let Some(own) = own_stat(&read("/proc/self/stat")) {
        metrics.push(seconds("process_cpu_seconds_total", "User and system CPU time.", own.cpu_seconds));
        metrics.push(Metric::gauge("process_threads", "Threads.", own.threads));
        if let Some(boot) = boot_time(&read("/proc/stat")) {
            let started = boot + own.started / 100.0;
            metrics.push(Metric::gauge("process_start_time_seconds", "Start, seconds since the epoch.", started));
        }
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        metrics.push(Metric::gauge("process_open_fds", "Open file descriptors.", open.count() as f64));
    }
    let limits = read("/proc/self/limits");
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    if let Some(limit) = files.and_then(|line| line.split_whitespace().next()?.parse().ok()) {
        metrics.push(Metric::gauge("process_max_fds", "File descriptors that may be open.", limit));
    }
    metrics
}

/// Under node-exporter's names.
pub(super) fn machine() -> Vec<Metric> {
    let mut metrics = cpus();
    metrics.extend(memory());
    metrics.extend(load());
    metrics.extend(devices());
    metrics.extend(identity());
    metrics
}

fn cpus() -> Vec<Metric> {
    let stat = read("/proc/stat");
    let mut metrics = Vec::new();
    for (cpu, times) in cpu_seconds(&stat) {
        metrics.extend(CPU_MODES.iter().zip(times).map(|(mode, time)| {
            seconds("node_cpu_seconds_total", "Seconds each CPU spent in each mode.", time)
                .label("cpu", cpu.as_str())
                .label("mode", *mode)
        }));
    }
    metrics.extend(boot_time(&stat).map(|at| Metric::gauge("node_boot_time_seconds", "Boot time.", at)));
    metrics
}

fn memory() -> Vec<Metric> {
    let text = read("/proc/meminfo");
    [
        ("node_memory_MemTotal_bytes", "MemTotal"),
        ("node_memory_MemAvailable_bytes", "MemAvailable"),
        ("node_memory_MemFree_bytes", "MemFree"),
        ("node_memory_Buffers_bytes", "Buffers"),
        ("node_memory_Cached_bytes", "Cached"),
        ("node_memory_SwapTotal_bytes", "SwapTotal"),
        ("node_memory_SwapFree_bytes", "SwapFree"),
    ]
    .into_iter()
    .filter_map(|(name, field)| Some(Metric::gauge(name, "From /proc/meminfo.", meminfo(&text, field)?)))
    .collect()
}

fn load() -> Vec<Metric> {
    let text = read("/proc/loadavg");
    ["node_load1", "node_load5", "node_load15"]
        .into_iter()
        .zip(text.split_whitespace())
        .filter_map(|(name, value)| Some(Metric::gauge(name, "Load average.", value.parse().ok()?)))
        .collect()
}

fn devices() -> Vec<Metric> {
    let mut metrics = Vec::new();
    for disk in disks(&read("/proc/diskstats")) {
        let of = |metric: Metric| metric.label("device", disk.device.as_str());
        metrics.extend([
            of(seconds("node_disk_read_bytes_total", "Bytes read.", disk.read_bytes)),
            of(seconds("node_disk_written_bytes_total", "Bytes written.", disk.written_bytes)),
            of(seconds("node_disk_io_time_seconds_total", "Seconds spent in I/O.", disk.io_seconds)),
        ]);
    }
    for (device, received, sent) in networks(&read("/proc/net/dev")) {
        let of = |metric: Metric| metric.label("device", device.as_str());
        metrics.extend([
            of(seconds("node_network_receive_bytes_total", "Bytes received.", received)),
            of(seconds("node_network_transmit_bytes_total", "Bytes sent.", sent)),
        ]);
    }
    metrics.extend(filesystems());
    metrics
}

/// Mounted block devices, each once.
fn filesystems() -> Vec<Metric> {
    let mut seen = std::collections::HashSet::new();
    let mut metrics = Vec::new();
    for line in read("/proc/mounts").lines() {
        let mut fields = line.split(' ');
        let (Some(device), Some(mountpoint), Some(kind)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        if !device.starts_with("/dev/") || !seen.insert(device.to_owned()) {
            continue;
        }
        let Ok(space) = fs4::statvfs(mountpoint) else { continue };
        let of = |metric: Metric| metric.label("device", device).label("mountpoint", mountpoint).label("fstype", kind);
        metrics.extend([
            of(Metric::gauge("node_filesystem_size_bytes", "Size.", space.total_space() as f64)),
            of(Metric::gauge("node_filesystem_avail_bytes", "Free for everybody.", space.available_space() as f64)),
            of(Metric::gauge("node_filesystem_free_bytes", "Free for root.", space.free_space() as f64)),
        ]);
    }
    metrics
}

fn identity() -> Option<Metric> {
    let text = |name: &str| {
        let text = read(&format!("/proc/sys/kernel/{name}")).trim().to_owned();
        Some(text).filter(|text| !text.is_empty())
    };
    let metric = Metric::gauge("node_uname_info", "Names of this system.", 1.0);
    Some(
        metric
            .label("nodename", text("hostname")?)
            .label("release", text("osrelease")?)
            .label("sysname", text("ostype")?)
            .label("machine", std::env::consts::ARCH),
    )
}
