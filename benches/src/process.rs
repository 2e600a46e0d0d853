//! What the operating system says a server process has cost so far.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::Duration;

/// A reading of the processor time of all threads of a process.
///
/// The scheduler's own count (`/proc/<pid>/task/<tid>/schedstat`) has
/// nanosecond resolution but forgets threads that ended; the process total of
/// `/proc/<pid>/stat` keeps them but counts in ticks of 10 ms. A difference
/// takes the first unless a thread ended in between.
#[derive(Debug, Clone)]
pub struct CpuReading {
    threads: BTreeMap<u32, u64>,
    ticks: u64,
}

/// `USER_HZ`, which Linux fixes at 100 for all architectures it is run on here.
const TICK: Duration = Duration::from_millis(10);

impl CpuReading {
    /// Reads the processor time of process `pid`.
    ///
    /// # Errors
    /// When the process is gone or the system has no such files.
    pub fn of(pid: u32) -> io::Result<Self> {
        let mut threads = BTreeMap::new();
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let task = task?;
            // A thread may end between the listing and the reading.
            let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else {
                continue;
            };
            let tid = task.file_name().to_string_lossy().parse();
            let nanos = text.split_whitespace().next().unwrap_or("").parse();
            if let (Ok(tid), Ok(nanos)) = (tid, nanos) {
                threads.insert(tid, nanos);
            }
        }
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        Ok(Self {
            threads,
            ticks: ticks(&stat).ok_or(io::ErrorKind::InvalidData)?,
        })
    }

    /// Processor time spent between `earlier` and this reading.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Duration {
        let all_alive = earlier
            .threads
            .keys()
            .all(|tid| self.threads.contains_key(tid));
        if all_alive && !self.threads.is_empty() {
            let total = |reading: &Self| reading.threads.values().sum::<u64>();
            Duration::from_nanos(total(self).saturating_sub(total(earlier)))
        } else {
            let ticks = self.ticks.saturating_sub(earlier.ticks);
            TICK * u32::try_from(ticks).unwrap_or(u32::MAX)
        }
    }
}

/// `utime + stime` of a `/proc/<pid>/stat` line, fields 14 and 15.
fn ticks(stat: &str) -> Option<u64> {
    // The command, field 2, may itself contain blanks and brackets.
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Resident memory of process `pid` in KiB (`VmRSS`).
///
/// # Errors
/// When the process is gone or the system has no such file.
pub fn resident_kib(pid: u32) -> io::Result<u64> {
    fs::read_to_string(format!("/proc/{pid}/status"))?
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|value| value.trim().strip_suffix("kB")?.trim().parse().ok())
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticks_are_fields_14_and_15_whatever_the_command_is_called() {
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 31 11 0 0 20";
        assert_eq!(ticks(stat), Some(42));
    }

    #[test]
    fn a_difference_falls_back_to_ticks_when_a_thread_ended() {
        let earlier = CpuReading {
            threads: BTreeMap::from([(1, 500), (2, 900)]),
            ticks: 3,
        };
        let same_threads = CpuReading {
            threads: BTreeMap::from([(1, 700), (2, 1_000), (3, 50)]),
            ticks: 5,
        };
        assert_eq!(same_threads.since(&earlier), Duration::from_nanos(350));
        let thread_gone = CpuReading {
            threads: BTreeMap::from([(1, 700)]),
            ticks: 5,
        };
        assert_eq!(thread_gone.since(&earlier), Duration::from_millis(20));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory_and_processor_time() {
        let pid = std::process::id();
        assert!(resident_kib(pid).expect("linux") > 100);
        let before = CpuReading::of(pid).expect("linux");
        let mut sum = 0_u64;
        while CpuReading::of(pid).expect("linux").since(&before).is_zero() {
            sum = sum.wrapping_add(1);
        }
        assert!(sum < u64::MAX);
    }
}
