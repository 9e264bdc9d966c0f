//! Records a workload once, and makes the disk lose power at many points of the record.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::Path;
use std::rc::Rc;
use std::{env, fs};

use crate::counts::Counts;
use crate::disk::{Disk, Image};
use crate::interpose::recorded;
use crate::overwrite::set_safe_overwrite;
use crate::promise::Expectation;
use crate::random::Random;
use crate::recorder::{Op, Recorder};
use crate::setup::Setup;
use crate::survival::Survival;
use crate::verify::{restore, verify};
use crate::workload::Workload;

/// A recorded workload.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) ops: Vec<Op>,
    pub(crate) expectations: Vec<Rc<Expectation>>,
}

/// One loss of power: the number of operations before it, and the seed of what survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) op: usize,
    pub(crate) variant: u64,
}

/// The share of points, in percent, whose recovery also loses power.
const AGAIN: usize = 12;
/// The number of losses of power during each of these recoveries.
const DURING_RECOVERY: u64 = 3;

/// Runs a workload in an empty folder, and returns its record.
pub(crate) fn record(setup: &Setup, root: &Path) -> Result<Record, String> {
    set_safe_overwrite(setup.safe_overwrite);
    restore(root, &Image::new());
    let recorder = RefCell::new(Recorder::new(root, &[]));
    let mut workload = Workload::new(setup, root, &recorder);
    recorded(&recorder, || workload.run()).map_err(|error| format!("{setup} failed: {error}"))?;
    let expectations = std::mem::take(&mut workload.expectations);
    drop(workload);
    let record = Record { ops: recorder.into_inner().ops, expectations };
    record.assert_complete(root);
    Ok(record)
}

impl Record {
    /// Fails if a file differs from the record, so that an operation is missing from the record.
    fn assert_complete(&self, root: &Path) {
        let mut disk = Disk::default();
        self.ops.iter().for_each(|op| disk.apply(op));
        let recorded = disk.now();
        for entry in fs::read_dir(root).unwrap() {
            let name = entry.unwrap().file_name();
            let is_same = recorded.get(Path::new(&name)) == Some(&fs::read(root.join(&name)).unwrap());
            assert!(is_same, "the record of {name:?} lacks operations");
        }
        assert!(recorded.keys().all(|name| root.join(name).exists()), "{:?}", recorded.keys());
    }
}

/// Loses power at the points, which are sorted by `op`, and returns a message for each broken promise.
pub(crate) fn lose_power(
    record: &Record,
    setup: &Setup,
    root: &Path,
    points: &[Point],
    counts: &mut Counts,
) -> Vec<String> {
    set_safe_overwrite(setup.safe_overwrite);
    let mut disk = Disk::default();
    let mut applied = 0;
    let mut expectation = None;
    // SQLite ignores the failure to sync a folder (`unixSync`, `unixDelete`), and goes on as if names were durable. Nothing is
    // promised until the folder is synced again.
    let mut unsynced = HashSet::new();
    let mut broken = Vec::new();
    for point in points {
        for op in &record.ops[applied..point.op] {
            match op {
                Op::Expect(number) => expectation = Some(Rc::clone(&record.expectations[*number])),
                Op::FailedSyncFolder { folder } => drop(unsynced.insert(folder)),
                Op::SyncFolder { folder } => drop(unsynced.remove(folder)),
                _ => {}
            }
            disk.apply(op);
        }
        applied = point.op;
        let Some(expectation) = &expectation else { continue };
        if !unsynced.is_empty() || disk.has_lost_bytes() {
            continue;
        }
        let at = At { setup, root, point: *point };
        if let Err(error) = at.lose_power(&disk, expectation, counts) {
            broken.push(format!("{}, during \"{}\": {error}", at.name(), expectation.operation));
        }
    }
    broken
}

/// A point of a record.
struct At<'a> {
    setup: &'a Setup,
    root: &'a Path,
    point: Point,
}

impl At<'_> {
    /// Names the point, for the command that repeats it.
    fn name(&self) -> String {
        format!("{}/{}/{}", self.setup, self.point.op, self.point.variant)
    }

    fn random(&self) -> Random {
        let Point { op, variant } = self.point;
        let mut random = Random::new(self.setup.seed ^ (op as u64) << 32);
        Random::new(random.next() ^ variant)
    }

    fn lose_power(&self, disk: &Disk, expectation: &Expectation, counts: &mut Counts) -> Result<(), String> {
        let mut random = self.random();
        let survival = Survival::draw(&mut random, self.setup.safe_overwrite);
        let image = disk.crash(survival, &mut random);
        if env::var_os("STRONGROOM_TEST_POWER_POINT").is_some() {
            println!("{}\n{}{survival:?}\n{expectation:#?}", self.name(), disk.describe());
        }
        restore(self.root, &image);
        counts.add(expectation, &image);
        let names: Vec<_> = image.keys().cloned().collect();
        let recorder = RefCell::new(Recorder::new(self.root, &names));
        let page_size = self.setup.page_size;
        let verified = recorded(&recorder, || verify(self.root, expectation, page_size, &mut random));
        let survivors = verified.map_err(|error| format!("{error} ({survival:?})"))?;
        // See the exceptions of the harness.
        let may_lose_again = self.setup.safe_overwrite || !self.setup.mode.is_wal();
        if random.chance(AGAIN) && may_lose_again {
            let ops = recorder.into_inner().ops;
            self.lose_power_again(
                &image,
                &ops,
                &expectation.recovered(&survivors, self.setup.safe_overwrite),
                counts,
            )?;
        }
        Ok(())
    }

    /// Loses power while the files are recovered, opened and checked.
    fn lose_power_again(
        &self,
        image: &Image,
        ops: &[Op],
        expectation: &Expectation,
        counts: &mut Counts,
    ) -> Result<(), String> {
        let mut random = self.random();
        for _ in 0..DURING_RECOVERY {
            let mut disk = Disk::new(image);
            let op = random.below(ops.len() + 1);
            ops[..op].iter().for_each(|op| disk.apply(op));
            let survival = Survival::draw(&mut random, self.setup.safe_overwrite);
            let again = disk.crash(survival, &mut random);
            restore(self.root, &again);
            counts.add_recovery(expectation, &again);
            verify(self.root, expectation, self.setup.page_size, &mut random).map_err(|error| {
                format!("{error} (again after operation {op} of {} of the recovery, {survival:?})", ops.len())
            })?;
        }
        Ok(())
    }
}

/// Returns points spread evenly over a record.
pub(crate) fn spread(record: &Record, count: usize, random: &mut Random) -> Vec<Point> {
    let all = record.ops.len();
    let point = |number: usize| Point {
        op: (1 + (number * all + random.below(all)) / count.max(1)).min(all),
        variant: number as u64,
    };
    let mut points: Vec<Point> = (0..count).map(point).collect();
    points.sort_by_key(|point| point.op);
    points
}
