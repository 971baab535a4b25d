//! The texts of /proc, apart from reading them.

/// `Name:   123 kB` lines of meminfo, in bytes.
pub(super) fn meminfo(text: &str, field: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.strip_prefix(field).is_some_and(|rest| rest.starts_with(':')))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

/// Per CPU the seconds in each mode, from /proc/stat, which counts in hundredths.
pub(super) fn cpu_seconds(stat: &str) -> Vec<(String, [f64; 8])> {
    stat.lines()
        .filter_map(|line| {
            let (name, counts) = line.split_once(' ')?;
            let cpu = name.strip_prefix("cpu").filter(|number| !number.is_empty())?;
            let mut seconds = [0.0; 8];
            for (second, count) in seconds.iter_mut().zip(counts.split_whitespace()) {
                *second = count.parse::<f64>().ok()? / 100.0;
            }
            Some((cpu.to_owned(), seconds))
        })
        .collect()
}

/// In the order of /proc/stat.
pub(super) const CPU_MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

/// Boot time, seconds since the epoch.
pub(super) fn boot_time(stat: &str) -> Option<f64> {
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

pub(super) struct Disk {
    pub(super) device: String,
    pub(super) read_bytes: f64,
    pub(super) written_bytes: f64,
    pub(super) io_seconds: f64,
}

/// Whole disks and partitions of /proc/diskstats that ever did anything; loop and ram devices are left out.
pub(super) fn disks(text: &str) -> Vec<Disk> {
    text.lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let number = |at: usize| fields.get(at)?.parse::<f64>().ok();
            let device = (*fields.get(2)?).to_owned();
            let disk = Disk {
                device,
                read_bytes: number(5)? * 512.0,
                written_bytes: number(9)? * 512.0,
                io_seconds: number(12)? / 1000.0,
            };
            let is_real = !disk.device.starts_with("loop") && !disk.device.starts_with("ram");
            (is_real && disk.read_bytes + disk.written_bytes > 0.0).then_some(disk)
        })
        .collect()
}

/// Device, bytes received, bytes sent.
pub(super) fn networks(text: &str) -> Vec<(String, f64, f64)> {
    text.lines()
        .filter_map(|line| {
            let (device, counts) = line.split_once(':')?;
            let counts: Vec<f64> = counts.split_whitespace().map_while(|count| count.parse().ok()).collect();
            Some((device.trim().to_owned(), *counts.first()?, *counts.get(8)?))
        })
        .collect()
}

#[derive(Debug, PartialEq)]
pub(super) struct OwnStat {
    pub(super) cpu_seconds: f64,
    pub(super) threads: f64,
    /// Hundredths of a second after boot.
    pub(super) started: f64,
}

/// /proc/self/stat; the program's name, second of its fields, may hold spaces and parentheses.
pub(super) fn own_stat(text: &str) -> Option<OwnStat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some(OwnStat { cpu_seconds: (number(11)? + number(12)?) / 100.0, threads: number(17)?, started: number(19)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_in_bytes() {
        let text = "MemTotal:       16 kB\nMemFree:        2 kB\n";
        assert_eq!(meminfo(text, "MemTotal"), Some(16384.0));
        assert_eq!(meminfo(text, "Mem"), None);
    }

    #[test]
    fn cpus_and_boot_time() {
        let text = "cpu  300 0 0 0 0 0 0 0 0 0\ncpu0 100 0 50 800 5 0 1 0 0 0\nbtime 1700000000\n";
        assert_eq!(cpu_seconds(text), [("0".to_owned(), [1.0, 0.0, 0.5, 8.0, 0.05, 0.0, 0.01, 0.0])]);
        assert_eq!(boot_time(text), Some(1_700_000_000.0));
    }

    #[test]
    fn disks_that_did_something() {
        let text = "   7 0 loop0 1 0 8 0 0 0 0 0 0 0 0\n 254 0 vda 10 0 4 0 20 0 6 0 0 1500 0\n 254 1 vdb 0 0 0 0 0 0 0 0 0 0 0\n";
        let disks = disks(text);
        assert_eq!(disks.len(), 1);
        assert_eq!((disks[0].device.as_str(), disks[0].read_bytes, disks[0].written_bytes), ("vda", 2048.0, 3072.0));
        assert_eq!(disks[0].io_seconds, 1.5);
    }

    #[test]
    fn networks_by_device() {
        let text = "Inter-|   Receive\n face |bytes packets\n  eth0: 100 1 0 0 0 0 0 0 200 2 0 0 0 0 0 0\n";
        assert_eq!(networks(text), [("eth0".to_owned(), 100.0, 200.0)]);
    }

    #[test]
    fn a_program_with_a_strange_name() {
        let text = "42 (a) b) S 1 1 1 0 -1 0 0 0 0 0 150 50 0 0 20 0 7 0 9000 0 0";
        assert_eq!(own_stat(text), Some(OwnStat { cpu_seconds: 2.0, threads: 7.0, started: 9000.0 }));
    }
}
