//! Runs a statement in a loop through the engine, without JavaScript, and prints the cost of a row as JSON.
//!
//! `bindings/node/bench` subtracts this share from the time that the Node.js packages take for the same statement. The
//! caller passes the statement, so that its SQL is written in one place:
//!
//! ```sh
//! cargo run --release -p strongroom-database --example sqlite_share -- SCHEMA SQL first|every ROWS LOOPS REPEATS [VALUE]
//! ```
//!
//! `first` reads the first row of each run, `every` reads all rows. `ROWS` is the number of rows by which the time of a
//! run is divided. `VALUE` is the value that each run binds: `index`, `text:TEXT` or `blob:HEX`.

use std::env;
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use strongroom_database::{Database, Location, OpenOptions, Row, SqlError, Statement, Value};

/// The value that each run binds.
enum Argument {
    None,
    Index,
    Text(String),
    Blob(Vec<u8>),
}

/// A loop over a statement.
struct Loop {
    statement: Statement,
    argument: Argument,
    every_row: bool,
    loops: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [schema, sql, which, rows, loops, repeats, value @ ..] = arguments.as_slice() else {
        return Err("usage: sqlite_share SCHEMA SQL first|every ROWS LOOPS REPEATS [VALUE]".into());
    };
    let database = Database::open_unencrypted(Location::Memory, &OpenOptions::default())?;
    database.execute_batch(schema)?;
    let mut work = Loop {
        statement: database.prepare(sql)?,
        argument: argument(value.first().map_or("", String::as_str))?,
        every_row: which == "every",
        loops: loops.parse()?,
    };
    let operations = f64::from(work.loops) * rows.parse::<f64>()?;
    let mut best = Duration::MAX;
    for _ in 0..repeats.parse::<u32>()? {
        let started = Instant::now();
        work.run()?;
        best = best.min(started.elapsed());
    }
    println!("{{ \"ns\": {} }}", best.as_secs_f64() * 1e9 / operations);
    Ok(())
}

impl Loop {
    fn run(&mut self) -> Result<(), SqlError> {
        for index in 0..self.loops {
            match &self.argument {
                Argument::None => {}
                // JavaScript numbers are bound as doubles.
                Argument::Index => self.statement.bind(1, Value::Real(f64::from(index)))?,
                Argument::Text(text) => self.statement.bind(1, Value::Text(text.as_bytes()))?,
                Argument::Blob(bytes) => self.statement.bind(1, Value::Blob(bytes))?,
            }
            while let Some(row) = self.statement.step()? {
                read(&row);
                if !self.every_row {
                    break;
                }
            }
            self.statement.reset();
        }
        Ok(())
    }
}

/// Reads each value in SQLite's memory, without a copy.
fn read(row: &Row<'_>) {
    for column in 0..row.len() {
        black_box(row.value(column));
    }
}

fn argument(text: &str) -> Result<Argument, Box<dyn Error>> {
    match text.split_once(':') {
        None if text.is_empty() => Ok(Argument::None),
        None if text == "index" => Ok(Argument::Index),
        Some(("text", text)) => Ok(Argument::Text(text.to_owned())),
        Some(("blob", hex)) => Ok(Argument::Blob(bytes(hex)?)),
        _ => Err(format!("invalid value \"{text}\": pass index, text:TEXT or blob:HEX").into()),
    }
}

fn bytes(hex: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let digits: Vec<char> = hex.chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16);
    Ok(digits.chunks(2).map(byte).collect::<Result<_, _>>()?)
}
