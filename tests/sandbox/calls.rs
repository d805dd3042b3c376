//! Calls of the kernel that no build needs: each is refused.

use crate::site::{Site, Who, spec};

/// A call, and how it ends.
const CALLS: &[(&str, &str)] = &[
    ("mount", "EPERM"),
    ("umount2", "EPERM"),
    ("pivot_root", "EPERM"),
    ("chroot", "EPERM"),
    ("move_mount", "EPERM"),
    ("open_tree", "EPERM"),
    ("open_tree_attr", "EPERM"),
    ("fsopen", "EPERM"),
    ("fsconfig", "EPERM"),
    ("fsmount", "EPERM"),
    ("fspick", "EPERM"),
    ("statmount", "EPERM"),
    ("listmount", "EPERM"),
    ("mount_setattr", "EPERM"),
    ("setns", "EPERM"),
    ("unshare user", "EPERM"),
    ("unshare mount", "EPERM"),
    ("clone3", "ENOSYS"),
    ("keyctl", "EPERM"),
    ("add_key", "EPERM"),
    ("request_key", "EPERM"),
    ("bpf", "EPERM"),
    ("perf_event_open", "EPERM"),
    ("userfaultfd", "EPERM"),
    ("syslog", "EPERM"),
    ("init_module", "EPERM"),
    ("finit_module", "EPERM"),
    ("delete_module", "EPERM"),
    ("kexec_load", "EPERM"),
    ("reboot", "EPERM"),
    ("swapon", "EPERM"),
    ("swapoff", "EPERM"),
    ("acct", "EPERM"),
    ("quotactl", "EPERM"),
    ("settimeofday", "EPERM"),
    ("clock_settime", "EPERM"),
    ("adjtimex", "EPERM"),
    ("sethostname", "EPERM"),
    ("setdomainname", "EPERM"),
    ("vhangup", "EPERM"),
    ("open_by_handle_at", "EPERM"),
    ("io_uring_setup", "EPERM"),
    ("io_uring_enter", "EPERM"),
    ("io_uring_register", "EPERM"),
    ("clone into a user namespace", "EPERM"),
    ("TIOCSTI", "EPERM"),
    ("TIOCLINUX", "EPERM"),
    ("the terminal", "ENXIO"),
];

/// The same by the numbers of other kinds of programs, which an x86_64 machine runs too.
#[cfg(target_arch = "x86_64")]
const CALLS_OF_OTHERS: &[(&str, &str)] = &[
    ("mount of i386", "EPERM"),
    ("umount of i386", "EPERM"),
    ("unshare of i386", "EPERM"),
    ("clone3 of i386", "ENOSYS"),
    ("keyctl of i386", "EPERM"),
    ("bpf of i386", "EPERM"),
    ("mount of x32", "ENOSYS"),
    ("unshare of x32", "ENOSYS"),
    ("getpid of x32", "ENOSYS"),
];
#[cfg(not(target_arch = "x86_64"))]
const CALLS_OF_OTHERS: &[(&str, &str)] = &[];

#[test]
fn calls_that_no_build_needs_are_refused() {
    for who in Who::all() {
        let mut site = Site::new(who);
        site.build("calls", "$ATTACK calls </dev/null");
        let ended = site.apply();
        assert_eq!(ended.state("calls"), "succeeded");
        for (call, expected) in CALLS.iter().chain(CALLS_OF_OTHERS) {
            assert_eq!(ended.said("calls", call), *expected, "{call}, {who:?}");
        }
    }
}

/// What a process is asked for by another one, and how that ends for the first process of a sandbox and for the worker.
const INTO_PROCESSES: &[(&str, &str)] = &[
    ("ptrace attach", "EPERM"),
    ("ptrace seize", "EPERM"),
    ("process_vm_readv", "EPERM"),
    ("process_vm_writev", "EPERM"),
    ("pidfd_getfd", "EPERM"),
    ("kcmp", "EPERM"),
    ("PID/mem", "EACCES"),
    ("PID/environ", "EACCES"),
    ("PID/root/etc", "EACCES"),
    ("PID/cwd/.", "EACCES"),
    ("PID/fd/3", "EACCES"),
    ("PID/fd/1", "EACCES"),
    ("PID/exe", "EACCES"),
    ("PID/maps", "EACCES"),
    ("PID/auxv", "EACCES"),
    ("PID/pagemap", "EACCES"),
    ("PID/syscall", "EACCES"),
];

#[test]
#[cfg(target_arch = "x86_64")]
fn a_build_for_32_bits_is_told_of_such_a_machine() {
    for who in Who::all() {
        let mut site = Site::new(who);
        let engine = crate::support::engine();
        site.replace_manifest(format!(
            "rpmforge version=1\nchroot host {{ root \"/\"; arch i686 }}\nchroot own {{ root \"/\" }}\n\
             defaults {{ engine {engine}; timeout \"100s\" }}\n"
        ));
        let script = "echo says $(uname -m) %{_target_cpu} $(test -w / && echo root)";
        site.package("small", "", &spec("small", script).replace("BuildArch: noarch\n", ""));
        let run = site.run(&["apply"]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let log = |chroot: &str| site.run(&["log", "small", "--chroot", chroot]).stdout;
        assert!(log("host").contains("says i686 i686"), "{}", log("host"));
        assert!(log("own").contains("says x86_64 x86_64"), "{}", log("own"));
    }
}

#[test]
fn the_first_process_and_the_worker_can_not_be_looked_into() {
    for who in Who::all() {
        let mut site = Site::new(who);
        site.build("first", "$ATTACK into 1");
        site.build("worker", "$ATTACK into $PPID");
        let ended = site.apply();
        for package in ["first", "worker"] {
            assert_eq!(ended.state(package), "succeeded");
            for (attack, expected) in INTO_PROCESSES {
                assert_eq!(ended.said(package, attack), *expected, "{attack}, {package}, {who:?}");
            }
        }
    }
}
