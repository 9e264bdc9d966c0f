//! Losses of power during random workloads.

use std::env;
use std::str::FromStr;

use crate::access::{FORMATS, FileFormat};
use crate::campaign::{Point, lose_power, record, spread};
use crate::counts::Counts;
use crate::random::Random;
use crate::setup::{MODES, Setup};

/// The number of points of each test, without those during recoveries.
const POINTS: usize = 1000;
/// The number of points of one recorded workload, at most.
const POINTS_PER_RECORD: usize = 400;

pub(crate) fn number<T: FromStr>(name: &str) -> Option<T> {
    env::var(name).ok().map(|text| text.parse().ok().expect("the variable is a number"))
}

fn all_promises_hold(format: FileFormat) {
    let points: usize = number("STRONGROOM_TEST_POWER_POINTS").unwrap_or(POINTS);
    let first: u64 = number("STRONGROOM_TEST_POWER_SEED").unwrap_or(1);
    let per_seed = MODES.len() * 2;
    let seeds = points.div_ceil(per_seed * POINTS_PER_RECORD).max(1);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let mut counts = Counts::default();
    let mut broken = Vec::new();
    for seed in first..first + seeds as u64 {
        for mode in MODES {
            for files in [1, 2] {
                let setup = Setup::draw(format, mode, files, seed);
                let record = record(&setup, &root).unwrap();
                let points = spread(&record, points / seeds / per_seed, &mut Random::new(setup.seed));
                broken.extend(lose_power(&record, &setup, &root, &points, &mut counts));
            }
        }
    }
    println!("seeds {first} to {}:\n{counts}, {} promises broken", first + seeds as u64 - 1, broken.len());
    assert!(
        broken.is_empty(),
        "to repeat a point, set STRONGROOM_TEST_POWER_POINT to its name and run the test \"crashes::one_point\":\n{}",
        broken[..broken.len().min(20)].join("\n")
    );
}

#[test]
fn plain_files_keep_every_promise() {
    all_promises_hold(FORMATS[0]);
}

#[test]
fn sqlcipher_files_keep_every_promise() {
    all_promises_hold(FORMATS[1]);
}

#[test]
fn strongroom_files_keep_every_promise() {
    all_promises_hold(FORMATS[2]);
}

/// Repeats the point that STRONGROOM_TEST_POWER_POINT names, as the failure of another test prints it.
#[test]
fn one_point() {
    let name = env::var("STRONGROOM_TEST_POWER_POINT");
    let name = name.unwrap_or_else(|_| "strongroom/wal/full/2/4096/none/safe/1/300/5".to_owned());
    let (setup, point) = name
        .rsplit_once('/')
        .and_then(|(rest, variant)| {
            let (setup, op) = rest.rsplit_once('/')?;
            Some((
                setup.parse::<Setup>().ok()?,
                Point { op: op.parse().ok()?, variant: variant.parse().ok()? },
            ))
        })
        .expect("the variable names a point");
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let record = record(&setup, &root).unwrap();
    let broken = lose_power(&record, &setup, &root, &[point], &mut Counts::default());
    if !broken.is_empty() {
        println!("the files are in {}", folder.keep().display());
    }
    assert!(broken.is_empty(), "{broken:?}");
}
