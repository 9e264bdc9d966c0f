//! Compares random operations with a map in memory. The operations include nested transactions and reopening.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use strongroom_database::{Behavior, Database};

use crate::scratch::{Owned, Scratch, assert_intact, rows};

type Map = BTreeMap<i64, Owned>;

#[derive(Clone, Debug)]
enum Step {
    Put(i64, Owned),
    Delete(i64),
    /// Deletes a range with one statement.
    DeleteRange(i64, i64),
    /// Inserts a row. Fails without a change if the key exists.
    Insert(i64, Owned),
    Transaction {
        commit: bool,
        steps: Vec<Step>,
    },
    Reopen,
}

fn any_value() -> impl Strategy<Value = Owned> {
    prop_oneof![
        Just(Owned::Null),
        any::<i64>().prop_map(Owned::Integer),
        any::<f64>()
            .prop_filter("SQLite stores NaN as NULL", |number| !number.is_nan())
            .prop_map(Owned::Real),
        "\\PC{0,40}".prop_map(Owned::Text),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(Owned::Blob),
        // Longer than a page, so the database has overflow pages.
        (4000_usize..20_000, any::<u8>()).prop_map(|(length, byte)| Owned::Blob(vec![byte; length])),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let key = -20_i64..20;
    let plain = prop_oneof![
        6 => (key.clone(), any_value()).prop_map(|(key, value)| Step::Put(key, value)),
        2 => key.clone().prop_map(Step::Delete),
        1 => (key.clone(), 0_i64..9).prop_map(|(from, length)| Step::DeleteRange(from, from + length)),
        2 => (key, any_value()).prop_map(|(key, value)| Step::Insert(key, value)),
        1 => Just(Step::Reopen),
    ];
    plain.prop_recursive(3, 30, 6, |inner| {
        (any::<bool>(), prop::collection::vec(inner, 0..6))
            .prop_map(|(commit, steps)| Step::Transaction { commit, steps })
    })
}

fn apply(database: &Database, model: &mut Map, step: &Step) {
    match step {
        Step::Put(key, value) => {
            rows(database, "REPLACE INTO kv VALUES (?, ?)", &[Owned::Integer(*key), value.clone()]).unwrap();
            model.insert(*key, value.clone());
        }
        Step::Delete(key) => {
            rows(database, "DELETE FROM kv WHERE k = ?", &[Owned::Integer(*key)]).unwrap();
            assert_eq!(database.changes(), u64::from(model.remove(key).is_some()));
        }
        Step::DeleteRange(from, to) => {
            let range = [Owned::Integer(*from), Owned::Integer(*to)];
            rows(database, "DELETE FROM kv WHERE k BETWEEN ? AND ?", &range).unwrap();
            model.retain(|key, _| !(from..=to).contains(&key));
        }
        Step::Insert(key, value) => {
            let row = [Owned::Integer(*key), value.clone()];
            let result = rows(database, "INSERT INTO kv VALUES (?, ?)", &row);
            match model.contains_key(key) {
                true => assert_eq!(result.unwrap_err().code(), "SQLITE_CONSTRAINT_PRIMARYKEY"),
                false => {
                    result.unwrap();
                    model.insert(*key, value.clone());
                }
            }
        }
        Step::Transaction { commit, steps } => {
            let before = model.clone();
            let transaction = database.transaction(Behavior::Immediate).unwrap();
            for step in steps {
                apply(database, model, step);
            }
            match commit {
                true => transaction.commit().unwrap(),
                false => {
                    drop(transaction);
                    *model = before;
                }
            }
        }
        // A transaction borrows the database, so a step inside a transaction cannot reopen it.
        Step::Reopen => {}
    }
}

fn assert_same(database: &Database, model: &Map) {
    let stored = rows(database, "SELECT k, v FROM kv ORDER BY k", &[]).unwrap();
    let expected: Vec<_> =
        model.iter().map(|(key, value)| vec![Owned::Integer(*key), value.clone()]).collect();
    assert_eq!(stored, expected);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_database_does_what_a_map_does(steps in prop::collection::vec(any_step(), 1..40)) {
        let scratch = Scratch::new();
        let mut database = scratch.open();
        database.execute_batch("CREATE TABLE kv (k INTEGER PRIMARY KEY, v)").unwrap();
        let mut model = Map::new();
        for step in &steps {
            if let Step::Reopen = step {
                database.close().unwrap();
                database = scratch.open();
            }
            apply(&database, &mut model, step);
            assert_same(&database, &model);
        }
        database.close().unwrap();
        let database = scratch.open();
        assert_same(&database, &model);
        assert_intact(&database);
    }
}
