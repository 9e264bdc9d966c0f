//! Creates SQL functions and aggregates that JavaScript implements.

use std::rc::Rc;

use napi::{Env, JsValue, Unknown};
use napi_derive::napi;
use strongroom_database::{Accumulator, Arguments, CallbackError, FunctionOptions, OwnedValue};

use crate::{
    callback::{Registration, call, called, sql_value},
    database::NativeDatabase,
    error::{Failure, Outcome},
    handle::{self, Handle},
    reference::Reference,
    row::{Integers, argument_value},
};

/// The options of an SQL function or aggregate.
#[napi(object, object_to_js = false)]
pub struct NativeFunctionOptions {
    /// The name in SQL.
    pub name: String,
    /// The number of arguments. Without a number, the function takes any number of arguments.
    pub arguments: Option<u8>,
    /// `true` if equal arguments always give equal results.
    pub deterministic: bool,
    /// `true` if views, triggers and the rest of the schema cannot call the function.
    pub direct_only: bool,
    /// `true` if the function gets INTEGER arguments as bigints.
    pub bigints: bool,
    /// The number of the registration. `takeReleased` returns this number once SQLite no longer uses the callbacks.
    pub registration: u32,
}

/// The settings of a function that each call needs.
struct About {
    name: String,
    integers: Integers,
    _registration: Registration,
}

/// The callbacks of an aggregate.
struct Callbacks {
    about: About,
    start: Reference,
    step: Reference,
    inverse: Reference,
    result: Reference,
}

/// The state of an aggregate for one group.
struct State {
    callbacks: Rc<Callbacks>,
    state: Reference,
}

#[napi]
impl NativeDatabase {
    /// Creates or replaces an SQL function. The caller keeps `callback` alive.
    #[napi(catch_unwind)]
    pub fn function(
        &self,
        env: Env,
        options: NativeFunctionOptions,
        #[napi(ts_arg_type = "(...values: never[]) => unknown")] callback: Unknown,
    ) -> napi::Result<()> {
        let function = || {
            let (name, engine_options) = (options.name.clone(), engine_options(&options));
            let about = self.about(options);
            let callback = Reference::weak(&env, callback.raw())?;
            let function = move |arguments: &Arguments<'_>| about.call(&callback, arguments);
            Ok(self.database().create_function(&name, &engine_options, function)?)
        };
        function().map_err(|failure: Failure| failure.throw(&env))
    }

    /// Creates or replaces an aggregate. `callbacks` is `[start, step, inverse, result]`; `inverse` is undefined if the
    /// aggregate is not a window function. The caller keeps each callback alive. `start` returns an object, which the
    /// other callbacks get as their first argument.
    #[napi(catch_unwind)]
    pub fn aggregate(
        &self,
        env: Env,
        options: NativeFunctionOptions,
        #[napi(ts_arg_type = "readonly unknown[]")] callbacks: Unknown,
    ) -> napi::Result<()> {
        let aggregate = || {
            let (name, engine_options) = (options.name.clone(), engine_options(&options));
            let callback = |index| handle::element(&env, callbacks.raw(), index);
            let reference = |index| Reference::weak(&env, callback(index)?);
            let window = handle::defined(&env, callback(2)?)?.is_some();
            let callbacks = Rc::new(Callbacks {
                about: self.about(options),
                start: reference(0)?,
                step: reference(1)?,
                inverse: reference(if window { 2 } else { 1 })?,
                result: reference(3)?,
            });
            let start = move || Callbacks::start(&callbacks);
            let database = self.database();
            let created = match window {
                true => database.create_window_function(&name, &engine_options, start),
                false => database.create_aggregate(&name, &engine_options, start),
            };
            Ok(created?)
        };
        aggregate().map_err(|failure: Failure| failure.throw(&env))
    }

    /// Returns the numbers of the registrations whose callbacks SQLite no longer uses, and clears the list.
    #[napi(catch_unwind)]
    pub fn take_released(&self) -> Vec<u32> {
        self.released().take()
    }
}

impl NativeDatabase {
    fn about(&self, options: NativeFunctionOptions) -> About {
        About {
            name: options.name,
            integers: if options.bigints { Integers::BigInts } else { Integers::Numbers },
            _registration: Registration {
                number: options.registration,
                released: Rc::clone(self.released()),
            },
        }
    }
}

impl About {
    fn call(&self, callback: &Reference, arguments: &Arguments<'_>) -> Result<OwnedValue, CallbackError> {
        let env = callback.env();
        called(&env, || {
            let returned = call(callback, arguments.len(), |env, index| {
                argument_value(env, arguments.value(index), self.integers, index)
            })?;
            self.sql_value(&env, returned)
        })
    }

    fn sql_value(&self, env: &Env, value: Handle) -> Outcome<OwnedValue> {
        sql_value(env, value, || format!("User-defined function {}() returned", self.name))
    }
}

impl Callbacks {
    fn start(this: &Rc<Self>) -> Result<Box<dyn Accumulator>, CallbackError> {
        let env = this.start.env();
        called(&env, || {
            let state = call(&this.start, 0, |env, _| handle::undefined(env))?;
            let state = Reference::new(&env, state)?;
            Ok(Box::new(State { callbacks: Rc::clone(this), state }) as Box<dyn Accumulator>)
        })
    }
}

impl State {
    /// Calls a callback with the state and the arguments of the SQL call.
    fn call(&self, callback: &Reference, arguments: &Arguments<'_>) -> Result<(), CallbackError> {
        called(&callback.env(), || {
            call(callback, arguments.len() + 1, |env, index| match index.checked_sub(1) {
                None => self.state.value(),
                Some(index) => {
                    argument_value(env, arguments.value(index), self.callbacks.about.integers, index)
                }
            })
            .map(|_| ())
        })
    }
}

impl Accumulator for State {
    fn step(&mut self, arguments: &Arguments<'_>) -> Result<(), CallbackError> {
        self.call(&self.callbacks.step, arguments)
    }

    fn inverse(&mut self, arguments: &Arguments<'_>) -> Result<(), CallbackError> {
        self.call(&self.callbacks.inverse, arguments)
    }

    fn value(&mut self) -> Result<OwnedValue, CallbackError> {
        let callback = &self.callbacks.result;
        let env = callback.env();
        called(&env, || {
            let value = call(callback, 1, |_, _| self.state.value())?;
            self.callbacks.about.sql_value(&env, value)
        })
    }
}

fn engine_options(options: &NativeFunctionOptions) -> FunctionOptions {
    FunctionOptions {
        arguments: options.arguments,
        deterministic: options.deterministic,
        direct_only: options.direct_only,
    }
}
