//! The rule `context-aware`: addons that a process can load only once.
//!
//! The expectations are measured in Node 20, 22 and 24 with C addons for each registration. A second require() and a worker
//! failed only if a constructor registered a module without nm_context_register_func.

use node_audit::{Finding, Registration, Severity, read_facts};
use object::{Object, ObjectSection, elf, macho, pe};

use crate::macho_maker::{self, MachO};
use crate::object_maker::{Maker, Module, NAME};
use crate::pe_maker::{self, PeMaker};

const RULE: &str = "context-aware";

const PLAIN: Module = Module { abi: 115, plain: true, context: false };

/// Returns an addon whose constructor calls a registration function.
fn registers(function: &'static str, module: Option<Module>) -> Maker {
    Maker {
        imports: vec![function],
        exports: vec![],
        numbers: vec![(elf::DT_INIT_ARRAY, 0x1000), (elf::DT_INIT_ARRAYSZ, 8)],
        module,
        ..Maker::addon()
    }
}

fn findings(object: &Maker) -> Vec<Finding> {
    object.findings(NAME, RULE)
}

#[test]
fn a_module_without_a_function_for_contexts_is_a_warning() {
    let found = findings(&registers("node_module_register", Some(PLAIN)));
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert!(found[0].message.starts_with("the addon is not context-aware"), "{}", found[0].message);
    assert_eq!(
        found[0].evidence,
        "a constructor, the import node_module_register, and a module for ABI 115 with nm_register_func and no \
         nm_context_register_func"
    );
}

/// node-lmdb 0.9.7 registers such a module.
#[test]
fn a_module_with_a_function_for_contexts_is_fine() {
    for plain in [false, true] {
        let module = Module { plain, context: true, ..PLAIN };
        assert_eq!(findings(&registers("node_module_register", Some(module))), []);
    }
}

#[test]
fn a_module_that_node_audit_cannot_find_is_a_cautious_warning() {
    for module in [None, Some(Module { abi: 0, ..PLAIN }), Some(Module { plain: false, ..PLAIN })] {
        let found = findings(&registers("node_module_register", module));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert!(
            found[0].message.starts_with("the addon is perhaps not context-aware"),
            "{}",
            found[0].message
        );
    }
}

#[test]
fn node_api_and_exported_entry_points_are_fine() {
    assert_eq!(findings(&Maker::addon()), []);
    assert_eq!(findings(&registers("napi_module_register", Some(PLAIN))), []);
    for entry in ["node_register_module_v115", "napi_register_module_v1"] {
        let both = Maker { exports: vec![entry], ..registers("node_module_register", Some(PLAIN)) };
        assert_eq!(findings(&both), [], "{entry}");
    }
    // An addon without a constructor registers nothing; `napi-entry` reports such an addon.
    let never = Maker { numbers: vec![], ..registers("node_module_register", Some(PLAIN)) };
    assert_eq!(findings(&never), []);
}

#[test]
fn the_module_is_a_fact() {
    let facts = read_facts(NAME.as_ref(), &registers("node_module_register", Some(PLAIN)).make()).unwrap();
    assert_eq!(facts[0].registration, Some(Registration { abi: 115, context_aware: false }));
}

/// Returns the bytes of a module at an address; `pointer` encodes an address as the file stores it.
fn module(address: u64, context: bool, pointer: impl Fn(u64) -> u64) -> Vec<u8> {
    let text = pointer(address + 64);
    let functions = if context { [0, text] } else { [text, 0] };
    let fields = [115, 0, text, functions[0], functions[1], text, 0, 0];
    let fields = fields.into_iter().flat_map(u64::to_le_bytes);
    fields.chain(*b"../x.cc\0").collect()
}

/// Writes a module at an offset of a file's content, and returns the registration that the reader finds.
fn registration(name: &str, mut content: Vec<u8>, offset: usize, module: &[u8]) -> Option<Registration> {
    content[offset..offset + module.len()].copy_from_slice(module);
    read_facts(name.as_ref(), &content).unwrap()[0].registration
}

#[test]
fn a_macho_module_is_found_by_addresses_and_by_chains() {
    let object = MachO {
        imports: vec!["_node_module_register"],
        exports: vec![],
        section: macho::S_MOD_INIT_FUNC_POINTERS.0.into(),
        protection: 3,
        code: 200,
        signing: None,
        ..MachO::addon()
    };
    let content = object.make();
    let start = content.windows(100).position(|bytes| bytes == [0xc3; 100]).unwrap().next_multiple_of(8);
    let found = |object: &MachO, module: &[u8]| registration(macho_maker::NAME, object.make(), start, module);
    for context_aware in [false, true] {
        let expected = Some(Registration { abi: 115, context_aware });
        // Plain addresses, and the links of a chain, whose upper bits hold the distance to the next link.
        for chain in [0, 5 << 51] {
            let module = module(start as u64, context_aware, |pointer| pointer | chain);
            assert_eq!(found(&object, &module), expected, "{chain:#x}");
        }
    }
    let plain = module(start as u64, false, |pointer| pointer);
    assert_eq!(found(&MachO { protection: 1, ..object.clone() }, &plain), None, "constant data");
    assert_eq!(
        found(&object, &module(start as u64, false, |pointer| pointer | 1 << 63)),
        None,
        "of another file"
    );
    assert_eq!(found(&object, &module(start as u64, false, |_| 1 << 35)), None, "outside");
}

#[test]
fn a_pe_module_is_found_by_addresses() {
    let flags = pe::IMAGE_SCN_CNT_INITIALIZED_DATA | pe::IMAGE_SCN_MEM_READ | pe::IMAGE_SCN_MEM_WRITE;
    let object = PeMaker {
        imports: vec![("node.exe", vec!["node_module_register"])],
        exports: vec![],
        sections: vec![(".data", flags, 128)],
        ..PeMaker::addon()
    };
    let content = object.make();
    let file = object::File::parse(content.as_slice()).unwrap();
    let data = file.section_by_name(".data").unwrap();
    let offset = usize::try_from(data.file_range().unwrap().0).unwrap();
    for context_aware in [false, true] {
        let module = module(data.address(), context_aware, |pointer| pointer);
        let found = registration(pe_maker::NAME, content.clone(), offset, &module);
        assert_eq!(found, Some(Registration { abi: 115, context_aware }));
    }
    let outside = module(data.address(), false, |_| 1);
    assert_eq!(registration(pe_maker::NAME, content.clone(), offset, &outside), None);
}
