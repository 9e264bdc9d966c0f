//! Checks that the addon loads only DLLs that every Windows has.

use super::evidence::first_names;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::DllImports;
use crate::finding::Severity;
use crate::neighbours::Presence;
use crate::policy::matches_any;

pub(super) const RULE: Rule = Rule {
    id: "imports",
    asks: "the addon loads only DLLs that every Windows has or that come with the addon",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "Windows loads each DLL that an addon imports from. If a DLL is missing, require() fails without naming \
        the DLL: The specified module could not be found. The Visual C++ run-time library (VCRUNTIME140.dll, \
        MSVCP140.dll) is not part of Windows, and Node does not install it, since node.exe links it statically; the \
        library is present only if another program installed it. Its debug version comes with Visual Studio. Windows \
        finds a DLL in the addon's own directory, and the rule also checks the imports of such a DLL. Windows resolves a \
        delayed import at its first call. An import from node.exe fails in Electron, and in a renamed node.exe, unless \
        the import is delayed and redirected to the running program, as node-gyp does.\n\
        Link the run-time library statically (/MT; -C target-feature=+crt-static in Rust), or ship the DLL beside the \
        addon.",
    check: Check::Loaded(check),
};

/// The DLLs that every edition of Windows 10 has, and Windows Server 2016 and later with the desktop; without `.dll`.
///
/// The list omits Media Foundation (mf, mfplat), which the N editions lack.
const WINDOWS: &str = "
    activeds advapi32 amsi authz avrt bcrypt bcryptprimitives cabinet cfgmgr32 clbcatq combase comctl32 comdlg32
    coremessaging credui crypt32 cryptbase cryptnet cryptsp cryptui d2d1 d3d10 d3d10_1 d3d11 d3d12 d3d9 d3dcompiler_47
    dbgeng dbghelp dcomp ddraw devobj dhcpcsvc dinput8 dnsapi dsound dwmapi dwrite dxcore dxgi dxva2 esent fltlib
    fwpuclnt gdi32 gdi32full gdiplus glu32 hid httpapi icu icuin icuuc imagehlp imm32 iphlpapi kernel32 kernelbase
    ktmw32 lz32 mmdevapi mpr msacm32 mscms mscoree msi msimg32 mswsock msvcp_win msvcrt ncrypt netapi32 netutils newdev
    normaliz ntdll odbc32 odbccp32 ole32 oleacc oleaut32 opengl32 pdh powrprof profapi propsys psapi quartz rasapi32
    resutils rpcrt4 rstrtmgr samcli secur32 sechost setupapi shcore shell32 shlwapi srvcli sspicli tdh ucrtbase urlmon
    user32 userenv usp10 uxtheme version virtdisk wer wevtapi win32u windowscodecs winhttp wininet winmm winscard
    winspool.drv wintrust winusb wkscli wldap32 ws2_32 wscapi wsock32 wtsapi32 xinput9_1_0 xmllite";

/// Prefixes of names that Windows maps by a table to its own libraries, including the C library.
const API_SETS: [&str; 2] = ["api-ms-win-", "ext-ms-"];

/// The prefixes of the Visual C++ run-time library and its companions; a `d` at the end of a name means debug.
const VISUAL_CPP: [&str; 9] =
    ["vcruntime", "msvcp", "msvcr", "concrt", "vcomp", "vcamp", "vccorlib", "mfc1", "mfcm1"];

/// The prefixes of other compilers' run-time libraries.
const MINGW: [&str; 9] = [
    "libgcc_s_",
    "libstdc++-",
    "libwinpthread-",
    "libssp-",
    "libgomp-",
    "libatomic-",
    "libc++",
    "libunwind",
    "msys-",
];

/// The programs that load addons, and the libraries that export Node-API for them.
///
/// node-gyp delays the imports from node.exe, and redirects them to the running program.
pub(super) const HOSTS: [&str; 7] =
    ["node.exe", "iojs.exe", "electron.exe", "nw.exe", "node.dll", "libnode.dll", "nw.dll"];

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Some(facts) = subject.facts.pe() else { return Vec::new() };
    facts.dlls.iter().filter_map(|imports| problem(subject, imports)).collect()
}

fn problem(subject: &Subject<'_>, imports: &DllImports) -> Option<Problem> {
    let DllImports { dll, delayed, symbols } = imports;
    let name = dll.to_ascii_lowercase();
    let allowed = subject.policy.allowed.windows.iter().map(|pattern| pattern.to_ascii_lowercase());
    if is_windows(&name) || matches_any(&allowed.collect::<Vec<_>>(), &name) {
        return None;
    }
    let how = if *delayed { "imports at the first call from" } else { "imports from" };
    let evidence = match symbols.len() {
        0 => format!("{how} {dll}, but no function"),
        _ => format!("{how} {dll}: {}", first_names(symbols)),
    };
    if HOSTS.contains(&name.as_str()) {
        let (severity, message) = match name.as_str() {
            _ if *delayed => return None,
            "node.exe" => {
                let message = "the addon loads only in a program named node.exe, not in Electron";
                (Severity::Warning, message.to_owned())
            }
            _ => (
                Severity::Error,
                format!("the addon loads only in a program that contains {dll}, not in Node"),
            ),
        };
        let remedy = "delay the import and redirect it, as node-gyp does (/DELAYLOAD:node.exe, win_delay_load_hook), or \
                      look up the names at run time, as napi-rs does";
        return Some(Problem { severity, message, evidence, remedy: remedy.to_owned() });
    }
    // Windows searches the addon's own directory first.
    if subject.finds(dll) || subject.neighbours.find_ignoring_case(dll) == Presence::Present {
        return None;
    }
    let (what, remedy) = describe(&name, dll);
    let (severity, message) = if *delayed {
        (Severity::Warning, format!("the addon needs {what}; Windows loads the library at the first call"))
    } else {
        (Severity::Error, format!("the addon needs {what}"))
    };
    Some(Problem { severity, message, evidence, remedy: remedy.to_owned() })
}

fn is_windows(name: &str) -> bool {
    let stem = name.strip_suffix(".dll").unwrap_or(name);
    API_SETS.iter().any(|start| name.starts_with(start))
        || WINDOWS.split_whitespace().any(|known| known == stem)
}

/// Returns a description of a DLL that Windows lacks, and the remedy.
fn describe(name: &str, dll: &str) -> (String, &'static str) {
    let starts = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    let debug = name.ends_with("d.dll");
    if debug && (starts(&VISUAL_CPP) || name == "ucrtbased.dll") {
        let what = format!("{dll}, a debug version of the run-time library, which no user's machine has");
        (what, "build the addon as Release: /MT instead of /MTd or /MDd; without --debug in node-gyp")
    } else if starts(&VISUAL_CPP) {
        let what = format!("{dll} of the Visual C++ redistributable, which neither Windows nor Node has");
        (
            what,
            "link the library statically: /MT (RuntimeLibrary 0 in node-gyp), -C target-feature=+crt-static in Rust",
        )
    } else if starts(&MINGW) {
        let what = format!("{dll}, the compiler's run-time library, which Windows lacks");
        (what, "link the library statically: -static (with -static-libgcc, -static-libstdc++)")
    } else {
        (
            format!("{dll}, which Windows lacks"),
            "link the library statically, or ship the DLL beside the addon",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_windows_and_of_compilers_are_recognised() {
        for name in ["kernel32.dll", "msvcrt.dll", "msvcp_win.dll", "ucrtbase.dll", "winspool.drv", "ws2_32"]
        {
            assert!(is_windows(name), "{name}");
        }
        for (name, part) in [
            ("vcruntime140.dll", "redistributable"),
            ("vcruntime140_threads.dll", "redistributable"),
            ("msvcp140_codecvt_ids.dll", "redistributable"),
            ("mfc140u.dll", "redistributable"),
            ("vcruntime140_1d.dll", "debug version"),
            ("msvcp140d.dll", "debug version"),
            ("ucrtbased.dll", "debug version"),
            ("libgcc_s_seh-1.dll", "the compiler's"),
            ("libcrypto-3-x64.dll", "libcrypto-3-x64.dll, which Windows lacks"),
        ] {
            assert!(!is_windows(name), "{name}");
            let (what, _) = describe(name, name);
            assert!(what.contains(part), "{what}");
        }
    }
}
