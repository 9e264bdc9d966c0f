//! The versions of Node-API: the functions of each version, and the releases of Node that have it.
//!
//! Sources: Node's documentation and the npm package node-api-headers 1.9.0 (`symbols`). A test compares
//! the functions with the exports of a Node.

use crate::facts::Facts;
use crate::version::Version;

/// The entry point of an addon.
pub(crate) const ENTRY: &str = "napi_register_module_v1";

/// The function of an addon that returns the version that the addon declares.
pub(crate) const DECLARED_VERSION: &str = "node_api_module_get_api_version_v1";

/// A range of Node releases: from the first, up to but not including the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Releases {
    pub(crate) from: Version,
    pub(crate) before: Version,
}

/// The functions that each version added, as a prefix and the rest of each name; the first row is version 1.
const FUNCTIONS: [(&str, &str); 10] = [
    (
        "napi_",
        "adjust_external_memory async_destroy async_init call_function cancel_async_work \
            close_escapable_handle_scope close_handle_scope coerce_to_bool coerce_to_number coerce_to_object \
            coerce_to_string create_array create_array_with_length create_arraybuffer create_async_work \
            create_buffer create_buffer_copy create_dataview create_double create_error create_external \
            create_external_arraybuffer create_external_buffer create_function create_int32 create_int64 \
            create_object create_promise create_range_error create_reference create_string_latin1 \
            create_string_utf16 create_string_utf8 create_symbol create_type_error create_typedarray \
            create_uint32 define_class define_properties delete_async_work delete_element delete_property \
            delete_reference escape_handle fatal_error get_and_clear_last_exception get_array_length \
            get_arraybuffer_info get_boolean get_buffer_info get_cb_info get_dataview_info get_element \
            get_global get_last_error_info get_named_property get_new_target get_node_version get_null \
            get_property get_property_names get_prototype get_reference_value get_typedarray_info get_undefined \
            get_value_bool get_value_double get_value_external get_value_int32 get_value_int64 \
            get_value_string_latin1 get_value_string_utf16 get_value_string_utf8 get_value_uint32 get_version \
            has_element has_named_property has_own_property has_property instanceof is_array is_arraybuffer \
            is_buffer is_dataview is_error is_exception_pending is_promise is_typedarray make_callback \
            module_register new_instance open_escapable_handle_scope open_handle_scope queue_async_work \
            reference_ref reference_unref reject_deferred remove_wrap resolve_deferred run_script set_element \
            set_named_property set_property strict_equals throw throw_error throw_range_error throw_type_error \
            typeof unwrap wrap",
    ),
    ("napi_", "get_uv_event_loop"),
    (
        "napi_",
        "add_env_cleanup_hook close_callback_scope fatal_exception open_callback_scope \
            remove_env_cleanup_hook",
    ),
    (
        "napi_",
        "acquire_threadsafe_function call_threadsafe_function create_threadsafe_function \
            get_threadsafe_function_context ref_threadsafe_function release_threadsafe_function \
            unref_threadsafe_function",
    ),
    ("napi_", "add_finalizer create_date get_date_value is_date"),
    (
        "napi_",
        "create_bigint_int64 create_bigint_uint64 create_bigint_words get_all_property_names \
            get_instance_data get_value_bigint_int64 get_value_bigint_uint64 get_value_bigint_words \
            set_instance_data",
    ),
    ("napi_", "detach_arraybuffer is_detached_arraybuffer"),
    (
        "napi_",
        "add_async_cleanup_hook check_object_type_tag object_freeze object_seal remove_async_cleanup_hook \
            type_tag_object",
    ),
    ("node_api_", "create_syntax_error get_module_file_name symbol_for throw_syntax_error"),
    (
        "node_api_",
        "create_buffer_from_arraybuffer create_external_string_latin1 create_external_string_utf16 \
            create_property_key_latin1 create_property_key_utf16 create_property_key_utf8",
    ),
];

/// The first release with each version of Node-API, in each line of releases (18.x).
///
/// Earlier releases of a line lack the version, and so does every release of a line that is not listed. All lines after
/// the last listed line have the version.
const RELEASES: [&[Version]; 10] = [
    &[node(8, 6, 0), node(9, 0, 0)],
    &[node(8, 10, 0), node(9, 3, 0), node(10, 0, 0)],
    &[node(6, 14, 2), node(8, 11, 2), node(9, 11, 0), node(10, 0, 0)],
    &[node(8, 16, 0), node(10, 16, 0), node(11, 8, 0), node(12, 0, 0)],
    &[node(10, 17, 0), node(12, 11, 0), node(13, 0, 0)],
    &[node(10, 20, 0), node(12, 17, 0), node(14, 0, 0)],
    &[node(10, 23, 0), node(12, 19, 0), node(14, 12, 0), node(15, 0, 0)],
    &[node(12, 22, 0), node(14, 17, 0), node(15, 12, 0), node(16, 0, 0)],
    &[node(18, 17, 0), node(20, 3, 0), node(21, 0, 0)],
    &[node(22, 14, 0), node(23, 6, 0), node(24, 0, 0)],
];

/// The first releases that had functions as experimental, before the functions' version; in the form of [`RELEASES`].
///
/// These releases export the functions: an addon that was built for the version loads there, and mostly works.
const EARLIER: [(&str, &[Version]); 17] = [
    ("napi_add_finalizer", &[node(8, 0, 0)]),
    (
        "napi_acquire_threadsafe_function napi_call_threadsafe_function napi_create_threadsafe_function \
            napi_get_threadsafe_function_context napi_ref_threadsafe_function napi_release_threadsafe_function \
            napi_unref_threadsafe_function",
        &[node(10, 6, 0)],
    ),
    ("napi_create_bigint_ napi_get_value_bigint_", &[node(10, 7, 0)]),
    ("napi_set_instance_data napi_get_instance_data", &[node(10, 20, 0), node(12, 8, 0)]),
    ("napi_get_all_property_names", &[node(10, 20, 0), node(12, 17, 0), node(13, 7, 0)]),
    ("napi_create_date napi_get_date_value napi_is_date", &[node(10, 17, 0), node(11, 11, 0)]),
    ("napi_detach_arraybuffer", &[node(10, 22, 0), node(12, 16, 0), node(13, 0, 0)]),
    ("napi_is_detached_arraybuffer", &[node(10, 22, 0), node(12, 16, 0), node(13, 3, 0)]),
    (
        "napi_type_tag_object napi_check_object_type_tag napi_add_async_cleanup_hook napi_remove_async_cleanup_hook",
        &[node(12, 19, 0), node(14, 8, 0)],
    ),
    ("napi_object_", &[node(12, 20, 0), node(14, 14, 0)]),
    ("node_api_create_syntax_error node_api_throw_syntax_error", &[node(16, 14, 0), node(17, 2, 0)]),
    ("node_api_symbol_for", &[node(16, 15, 0), node(17, 5, 0)]),
    ("node_api_get_module_file_name", &[node(12, 22, 0), node(14, 18, 0), node(15, 9, 0)]),
    ("node_api_create_external_string_", &[node(18, 18, 0), node(20, 4, 0)]),
    ("node_api_create_property_key_utf16", &[node(20, 12, 0), node(21, 7, 0)]),
    ("node_api_create_property_key_", &[node(20, 18, 0), node(22, 9, 0)]),
    ("node_api_create_buffer_from_arraybuffer", &[node(22, 12, 0), node(23, 0, 0)]),
];

/// The oldest release that a package.json promises.
const OLDEST: Version = node(0, 10, 0);

const fn node(major: u32, minor: u32, patch: u32) -> Version {
    Version { major, minor, patch }
}

/// Returns the version that one part of an addon needs: the newest version of a called function, or the declared version
/// if a Node that does not know this version crashes.
pub(crate) fn needed(facts: &Facts) -> Option<usize> {
    let declared = facts.elf().and_then(|elf| usize::try_from(elf.node_api?).ok());
    // Older releases know the version, or ignore the declaration.
    let declared = declared.filter(|declared| !refusing(*declared).is_empty());
    let functions = facts.imports.iter().filter(|name| is_function(name));
    functions.filter_map(|name| version(name)).chain(declared).max()
}

/// Returns whether Node reserves a name for functions of Node-API.
pub(crate) fn is_function(name: &str) -> bool {
    name.starts_with("napi_") || name.starts_with("node_api_")
}

/// Returns the version that added a function, counted from 1; None for an experimental or unknown function.
pub(crate) fn version(function: &str) -> Option<usize> {
    let row = FUNCTIONS.iter().position(|(prefix, names)| {
        let name = function.strip_prefix(prefix);
        name.is_some_and(|name| names.split(' ').any(|known| known == name))
    });
    row.map(|row| row + 1)
}

/// Returns the releases with a version of Node-API as text: `Node 18.17, 20.3 and later`.
pub(crate) fn releases(version: usize) -> String {
    let releases = version.checked_sub(1).and_then(|row| RELEASES.get(row)).copied().unwrap_or_default();
    // If the last two lines are consecutive, "and later" after the first of them covers the other one.
    let listed = match releases {
        [first @ .., before, last] if before.major + 1 == last.major => &releases[..=first.len()],
        all => all,
    };
    let names: Vec<String> = listed.iter().map(ToString::to_string).collect();
    format!("Node {} and later", names.join(", "))
}

/// Returns whether no known release of Node accepts a declared version.
pub(crate) fn is_unknown(declared: u32) -> bool {
    /// NAPI_VERSION_EXPERIMENTAL, which every Node accepts.
    const EXPERIMENTAL: u32 = 0x7fff_ffff;
    declared != EXPERIMENTAL && usize::try_from(declared).map_or(true, |declared| declared > RELEASES.len())
}

/// Returns the releases that lack a version of Node-API.
pub(crate) fn lacking(version: usize) -> Vec<Releases> {
    let row = version.checked_sub(1).and_then(|row| RELEASES.get(row)).copied().unwrap_or_default();
    gaps(row, version)
}

/// Returns the releases that crash when they load an addon that declares a version: these releases read the declared
/// version, and know only lower versions.
///
/// Source: a measurement with argon2 0.45.1, which declares 10. Node 16.20, 18.16, 19.8 and 20.1 load the addon; Node
/// 18.17, 20.2, 20.3 and 22.12 end with a segmentation fault. The result is empty for versions after the last known one.
pub(crate) fn refusing(declared: usize) -> Vec<Releases> {
    // The newest version that the first such releases know. The code ignores Node 20.2, which knows only version 8.
    const READING: usize = 9;
    let readers = [node(18, 17, 0), node(20, 2, 0), node(21, 0, 0)];
    let known = RELEASES.get(declared.saturating_sub(1)).copied().unwrap_or_default();
    if declared <= READING || known.is_empty() {
        return Vec::new();
    }
    let before = |from: &Version| {
        let end = node(from.major + 1, 0, 0);
        known.iter().copied().find(|start| start.major == from.major).unwrap_or(end)
    };
    let last = known.last().copied().unwrap_or(OLDEST);
    // All later lines read the version as well.
    let newest = readers.last().map_or(0, |reader| reader.major);
    let later = (newest + 1..last.major).map(|major| node(major, 0, 0));
    readers.into_iter().chain(later).map(|from| Releases { from, before: before(&from) }).collect()
}

/// Returns the releases that lack a function, even as an experimental function; an empty list if the function belongs to
/// no version.
pub(crate) fn without(function: &str) -> Vec<Releases> {
    let Some(version) = version(function) else { return Vec::new() };
    // A name in the table that ends with an underscore is a prefix of names.
    let named = |name: &str| name == function || (name.ends_with('_') && function.starts_with(name));
    match EARLIER.iter().find(|(names, _)| names.split(' ').any(named)) {
        Some((_, releases)) => gaps(releases, version),
        None => lacking(version),
    }
}

/// Returns the gaps between releases that have a function or a version, up to the last of `releases`.
fn gaps(releases: &[Version], version: usize) -> Vec<Releases> {
    // Each version includes all earlier versions.
    let rows = RELEASES.get(version.saturating_sub(1)..).unwrap_or_default();
    let last = releases.last().copied().unwrap_or(OLDEST);
    let mut starts: Vec<Version> = rows.iter().copied().flatten().chain(releases).copied().collect();
    starts.sort_unstable();
    let mut gaps = Vec::new();
    let mut from = OLDEST;
    for start in starts.into_iter().filter(|start| *start <= last) {
        if from < start {
            gaps.push(Releases { from, before: start });
        }
        from = from.max(node(start.major + 1, 0, 0));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use object::{Object, ObjectSymbol};

    use super::*;

    #[test]
    fn functions_have_the_version_that_added_them() {
        for (function, expected) in [
            ("napi_create_function", Some(1)),
            ("napi_wrap", Some(1)),
            ("napi_get_uv_event_loop", Some(2)),
            ("napi_fatal_exception", Some(3)),
            ("napi_create_threadsafe_function", Some(4)),
            ("napi_create_date", Some(5)),
            ("napi_set_instance_data", Some(6)),
            ("napi_detach_arraybuffer", Some(7)),
            ("napi_type_tag_object", Some(8)),
            ("node_api_symbol_for", Some(9)),
            ("node_api_create_property_key_utf16", Some(10)),
            ("node_api_post_finalizer", None),
            ("napi_symbol_for", None),
            ("node_api_wrap", None),
            ("napi_", None),
            ("wrap", None),
        ] {
            assert_eq!(version(function), expected, "{function}");
        }
    }

    #[test]
    fn releases_that_know_only_lower_versions_crash_on_a_declared_version() {
        let gaps = [
            ((18, 17), (19, 0)),
            ((20, 2), (21, 0)),
            ((21, 0), (22, 0)),
            ((22, 0), (22, 14)),
            ((23, 0), (23, 6)),
        ];
        let gaps = gaps.map(|(from, before)| Releases {
            from: node(from.0, from.1, 0),
            before: node(before.0, before.1, 0),
        });
        assert_eq!(refusing(10), gaps);
        for declared in [0, 8, 9, 11, 0x7fff_ffff] {
            assert_eq!(refusing(declared), [], "{declared}");
        }
    }

    #[test]
    fn no_function_is_listed_twice() {
        let mut names: Vec<&str> = FUNCTIONS.iter().flat_map(|(_, names)| names.split(' ')).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(names.iter().all(|name| !name.is_empty()));
    }

    #[test]
    fn the_last_line_is_omitted_if_it_continues_the_line_before() {
        let texts: Vec<String> = (1..=10).map(releases).collect();
        assert_eq!(
            texts,
            [
                "Node 8.6 and later",
                "Node 8.10, 9.3 and later",
                "Node 6.14.2, 8.11.2, 9.11 and later",
                "Node 8.16, 10.16, 11.8 and later",
                "Node 10.17, 12.11 and later",
                "Node 10.20, 12.17, 14.0 and later",
                "Node 10.23, 12.19, 14.12 and later",
                "Node 12.22, 14.17, 15.12 and later",
                "Node 18.17, 20.3 and later",
                "Node 22.14, 23.6 and later",
            ]
        );
    }

    #[test]
    fn all_other_releases_lack_a_version() {
        let gaps = |version| {
            let gaps = lacking(version).into_iter();
            gaps.map(|Releases { from, before }| format!("{from} to {before}")).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(gaps(1), "0.10 to 6.14.2, 7.0 to 8.6");
        assert_eq!(gaps(3), "0.10 to 6.14.2, 7.0 to 8.11.2, 9.0 to 9.11");
        // process.versions.napi is 3 in Node 8.15.1 and 4 in 8.16.0; Node's documentation omits this since version 12.
        assert_eq!(gaps(4), "0.10 to 8.16, 9.0 to 10.16, 11.0 to 11.8");
        assert_eq!(gaps(6), "0.10 to 10.20, 11.0 to 12.17, 13.0 to 14.0");
        assert_eq!(gaps(9), "0.10 to 18.17, 19.0 to 20.3");
        assert_eq!(gaps(10), "0.10 to 22.14, 23.0 to 23.6");
    }

    #[test]
    fn experimental_functions_are_present() {
        let gaps = |function| {
            let gaps = without(function).into_iter();
            gaps.map(|Releases { from, before }| format!("{from} to {before}")).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(gaps("napi_wrap"), "0.10 to 6.14.2, 7.0 to 8.6");
        assert_eq!(gaps("napi_add_finalizer"), "0.10 to 8.0");
        assert_eq!(gaps("napi_create_bigint_words"), "0.10 to 10.7");
        assert_eq!(gaps("napi_object_seal"), "0.10 to 12.20, 13.0 to 14.14");
        assert_eq!(gaps("node_api_symbol_for"), "0.10 to 16.15, 17.0 to 17.5");
        assert_eq!(gaps("node_api_post_finalizer"), "");
    }

    #[test]
    fn each_early_function_is_in_the_table() {
        for (names, releases) in EARLIER {
            for name in names.split(' ') {
                let known = FUNCTIONS
                    .iter()
                    .flat_map(|(prefix, names)| names.split(' ').map(move |name| (prefix, name)));
                let mut known = known.map(|(prefix, name)| format!("{prefix}{name}"));
                let all = name.ends_with('_');
                assert!(known.any(|known| known == name || (all && known.starts_with(name))), "{name}");
            }
            assert!(releases.is_sorted());
        }
    }

    /// Compares the table with a real Node, which has each function up to its own version.
    #[test]
    fn a_node_exports_the_functions_in_the_table() {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let files = std::env::split_paths(&path).map(|folder| folder.join("node"));
        let content =
            files.filter_map(|file| std::fs::read(file).ok()).find(|content| content.starts_with(b"\x7fELF"));
        let Some(content) = content else {
            println!("skipped: this machine has no `node` that is an ELF file");
            return;
        };
        let output =
            std::process::Command::new("node").args(["-p", "process.versions.napi"]).output().unwrap();
        let newest: usize = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        let node = object::File::parse(content.as_slice()).unwrap();
        let defined = node.dynamic_symbols().filter(|symbol| !symbol.is_undefined());
        let exports: HashSet<&str> = defined.map(|symbol| symbol.name().unwrap()).collect();
        for (row, (prefix, names)) in FUNCTIONS.iter().enumerate().take(newest) {
            for name in names.split(' ') {
                assert!(
                    exports.contains(format!("{prefix}{name}").as_str()),
                    "{prefix}{name} of version {}",
                    row + 1
                );
            }
        }
    }
}
