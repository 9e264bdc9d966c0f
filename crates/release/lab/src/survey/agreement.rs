//! The agreement of node-audit's verdict on an addon with real Nodes.

use node_audit::Cpu;

/// The result of comparing a verdict with the loads of one addon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Agreement {
    /// Every Node loads the addon, and no load-blocking rule reports an error.
    Loads,
    /// A Node refuses the addon, and a load-blocking rule reports an error.
    Fails,
    /// No Node on this machine has the addon's ABI, and every Node refuses the addon.
    OtherAbi,
    /// The verdict and the loads differ, and an exception in the list explains the difference.
    Excepted,
    /// The verdict and the loads differ, as the text describes.
    Disagrees(String),
    /// No Node on this machine can test the verdict.
    NoNode,
}

/// The number of addons with each agreement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) load: usize,
    pub(super) fail: usize,
    pub(super) other_abi: usize,
    pub(super) excepted: usize,
    pub(super) disagree: usize,
    pub(super) no_node: usize,
}

impl Counts {
    /// Counts the Linux addons for a processor. With `None`, counts the addons that no Node on this machine tried to load.
    pub(super) fn of<'a>(
        addons: impl Iterator<Item = (Option<Cpu>, &'a Agreement)>,
        cpu: Option<Cpu>,
    ) -> Self {
        let mut counts = Self::default();
        for (_, agreement) in addons.filter(|(own, _)| *own == cpu) {
            let count = match agreement {
                Agreement::Loads => &mut counts.load,
                Agreement::Fails => &mut counts.fail,
                Agreement::OtherAbi => &mut counts.other_abi,
                Agreement::Excepted => &mut counts.excepted,
                Agreement::Disagrees(_) => &mut counts.disagree,
                Agreement::NoNode => &mut counts.no_node,
            };
            *count += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addons_are_counted_by_processor() {
        let addons = [
            (Some(Cpu::X64), Agreement::Loads),
            (Some(Cpu::X64), Agreement::Fails),
            (Some(Cpu::X64), Agreement::OtherAbi),
            (Some(Cpu::Arm64), Agreement::Disagrees("so".to_owned())),
            (Some(Cpu::Arm64), Agreement::Excepted),
            (None, Agreement::NoNode),
        ];
        let count = |cpu| Counts::of(addons.iter().map(|(cpu, agreement)| (*cpu, agreement)), cpu);
        assert_eq!(count(Some(Cpu::X64)), Counts { load: 1, fail: 1, other_abi: 1, ..Counts::default() });
        assert_eq!(count(Some(Cpu::Arm64)), Counts { excepted: 1, disagree: 1, ..Counts::default() });
        assert_eq!(count(None), Counts { no_node: 1, ..Counts::default() });
    }
}
