//! The rule `size`: the size budget of a file.

use node_audit::{Policy, Rule, Severity};
use object::pe;

use crate::object_maker;
use crate::pe_maker::{NAME, PeMaker};

const RULE: &str = "size";

#[test]
fn the_explanation_names_the_default_budget() {
    assert_eq!(Policy::default().size, 32_000_000);
    let rule = Rule::by_id(RULE).unwrap();
    assert!(rule.explanation.contains("32 MB unless a policy file says otherwise"));
}

#[test]
fn a_file_as_large_as_the_budget_is_fine() {
    let size = PeMaker::addon().make().len() as u64;
    let policy = Policy { size, ..Policy::default() };
    assert_eq!(PeMaker::addon().findings_by(NAME, RULE, &policy), []);
    assert_eq!(object_maker::Maker::addon().findings(object_maker::NAME, RULE), []);
}

#[test]
fn a_larger_file_is_a_warning_with_both_sizes() {
    let sections = vec![(".data", pe::IMAGE_SCN_MEM_READ, 3_500_000)];
    let object = PeMaker { sections, ..PeMaker::addon() };
    let policy = Policy { size: 3_000_000, ..Policy::default() };
    let found = object.findings_by(NAME, RULE, &policy);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert_eq!(found[0].message, "the addon is 3.5 MB large; the budget is 3.0 MB");
    let size = object.make().len();
    assert_eq!(found[0].evidence, format!("{size} bytes, {} more than 3000000", size - 3_000_000));
}
