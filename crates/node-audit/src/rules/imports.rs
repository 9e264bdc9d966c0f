//! Only DLLs that every Windows has are loaded.

use super::{Check, Problem, Rule, Subject, few};
use crate::beside::Presence;
use crate::facts::DllImports;
use crate::finding::Severity;
use crate::policy::listed;

pub(super) const RULE: Rule = Rule {
    id: "imports",
    asks: "only DLLs that every Windows has are loaded, and those that come with the addon",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "Windows loads each DLL that an addon imports from, and where one is missing require() fails: The \
        specified module could not be found, without the name of what is missing. The Visual C++ run-time library \
        (VCRUNTIME140.dll, MSVCP140.dll) is no part of Windows, and Node does not bring it, since node.exe is linked to \
        it statically; it is there by chance, on a machine where another program installed it. Its debug version is \
        where Visual Studio is. A DLL in the addon's own directory is found. A delayed import is looked for when it is \
        first called. node.exe is another case: in Electron, or where node.exe was renamed, the import fails unless it \
        is delayed and redirected to the running program, as node-gyp does it.\n\
        Link the run-time library statically (/MT; -C target-feature=+crt-static in Rust), or ship the DLL beside the \
        addon.",
    check: Check::Addon(check),
};

/// What Windows 10 has and Windows Server from 2016 on, with its desktop, in every edition; without `.dll`.
///
/// Media Foundation (mf, mfplat) is left out: the N editions lack it.
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

/// Names that Windows resolves by a table of its own: the parts of its own libraries, the C library among them.
const API_SETS: [&str; 2] = ["api-ms-win-", "ext-ms-"];

/// The Visual C++ run-time library and what comes with it, by the start of their names; a `d` at the end means debug.
const VISUAL_CPP: [&str; 9] =
    ["vcruntime", "msvcp", "msvcr", "concrt", "vcomp", "vcamp", "vccorlib", "mfc1", "mfcm1"];

/// The run-time libraries of the other compilers.
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

/// The programs that load addons, and what they have instead of a name in the program itself.
///
/// An addon of node-gyp delays this import and redirects it to whatever program it is in.
const HOSTS: [&str; 7] =
    ["node.exe", "iojs.exe", "electron.exe", "nw.exe", "node.dll", "libnode.dll", "nw.dll"];

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Some(facts) = subject.facts.pe() else { return Vec::new() };
    facts.dlls.iter().filter_map(|imports| problem(subject, imports)).collect()
}

fn problem(subject: &Subject<'_>, imports: &DllImports) -> Option<Problem> {
    let DllImports { dll, delayed, symbols } = imports;
    let name = dll.to_ascii_lowercase();
    let allowed = subject.policy.allowed.windows.iter().map(|pattern| pattern.to_ascii_lowercase());
    if is_windows(&name) || listed(&allowed.collect::<Vec<_>>(), &name) {
        return None;
    }
    let how = if *delayed { "imports, when first called, from" } else { "imports from" };
    let evidence = match symbols.len() {
        0 => format!("{how} {dll}, no name of it"),
        _ => format!("{how} {dll}: {}", few(symbols)),
    };
    if HOSTS.contains(&name.as_str()) {
        let (severity, message) = match name.as_str() {
            _ if *delayed => return None,
            "node.exe" => {
                let message = "it loads only into a program that is called node.exe, and not into Electron";
                (Severity::Warning, message.to_owned())
            }
            _ => (Severity::Error, format!("it loads only into a program that has {dll}, and not into Node")),
        };
        let remedy = "delay the import and redirect it, as node-gyp does (/DELAYLOAD:node.exe, win_delay_load_hook), or \
                      look the names up at run time, as napi-rs does";
        return Some(Problem { severity, message, evidence, remedy: remedy.to_owned() });
    }
    // The addon's own directory is the first that is searched.
    if subject.beside.find_ignoring_case(dll) == Presence::Present {
        return None;
    }
    let (what, remedy) = describe(&name, dll);
    let (severity, message) = if *delayed {
        (Severity::Warning, format!("it needs {what}, once it first calls it"))
    } else {
        (Severity::Error, format!("it needs {what}"))
    };
    Some(Problem { severity, message, evidence, remedy: remedy.to_owned() })
}

fn is_windows(name: &str) -> bool {
    let stem = name.strip_suffix(".dll").unwrap_or(name);
    API_SETS.iter().any(|start| name.starts_with(start))
        || WINDOWS.split_whitespace().any(|known| known == stem)
}

/// What a DLL is that Windows does not have, and what to do.
fn describe(name: &str, dll: &str) -> (String, &'static str) {
    let starts = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    let debug = name.ends_with("d.dll");
    if debug && (starts(&VISUAL_CPP) || name == "ucrtbased.dll") {
        let what = format!("{dll}, a debug version of the run-time library, which no user's machine has");
        (what, "build it as Release: /MT and not /MTd or /MDd; without --debug in node-gyp")
    } else if starts(&VISUAL_CPP) {
        let what = format!("{dll} of the Visual C++ redistributable, which is no part of Windows or of Node");
        (
            what,
            "link it statically: /MT (RuntimeLibrary 0 in node-gyp), -C target-feature=+crt-static in Rust",
        )
    } else if starts(&MINGW) {
        let what = format!("{dll}, the compiler's run-time library, which is no part of Windows");
        (what, "link it statically: -static (with -static-libgcc, -static-libstdc++)")
    } else {
        (format!("{dll}, which is no part of Windows"), "link it statically, or ship it beside the addon")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_own_libraries_are_told_from_those_of_compilers() {
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
            ("libcrypto-3-x64.dll", "libcrypto-3-x64.dll, which is no part of Windows"),
        ] {
            assert!(!is_windows(name), "{name}");
            let (what, _) = describe(name, name);
            assert!(what.contains(part), "{what}");
        }
    }
}
