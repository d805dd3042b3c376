//! Shell scripts that try to write where they may not, and to reach what is not theirs.

use crate::machine::Machine;
use crate::site::{Ended, Site, Who};

/// An attack: its name, its script, and whether the script may succeed; what it reaches is its own then.
type Attack = (&'static str, &'static str, Answer);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// The script fails.
    Refused,
    /// The script succeeds, and the machine has nothing of it.
    Alone,
}
use Answer::{Alone, Refused};

const ATTACKS: &[Attack] = &[
    // What the machine consists of.
    ("deletes /usr", "rm -rf /usr", Refused),
    ("deletes /etc", "rm -rf /etc", Refused),
    ("deletes all homes", "rm -rf /home /root; test -d /home", Alone),
    ("writes to /usr", "echo x > /usr/bin/forge-attack", Refused),
    ("writes to /etc", "echo x > /etc/forge-attack", Refused),
    ("writes to /opt", "mkdir /opt/forge-attack", Refused),
    ("writes to the root", "mkdir /forge-attack", Refused),
    ("adds a user", "echo attack::0:0::/:/bin/sh >> /etc/passwd", Refused),
    ("replaces a file that stands in another's place", "mv /etc/hosts /etc/hosts.old", Refused),
    ("changes rights", "chmod 777 /etc", Refused),
    ("changes times", "touch /usr/bin/env", Refused),
    ("links to a program", "ln /usr/bin/env env", Refused),
    ("writes to rpm's database", "echo x > /var/lib/rpm/forge-attack", Refused),
    ("writes to dpkg's database", "echo x > /var/lib/dpkg/forge-attack", Refused),
    ("replaces forge", "cp /bin/sh /run/rpmforge/forge", Refused),
    ("removes forge", "rm -f /run/rpmforge/forge", Refused),
    ("writes to /tmp", "echo x > /tmp/forge-attack", Alone),
    ("writes to /var/tmp", "echo x > /var/tmp/forge-attack", Alone),
    ("writes to /run", "echo x > /run/forge-attack", Alone),
    ("writes to shared memory", "echo x > /dev/shm/forge-attack", Alone),
    // Devices and the kernel's settings.
    ("writes to /dev", "echo x > /dev/forge-attack", Refused),
    ("reads the disk", "cat /dev/[sv]da* > disk", Refused),
    ("changes /dev/null", "chmod 600 /dev/null", Refused),
    ("removes /dev/null", "rm -f /dev/null", Refused),
    ("makes a block device", "mknod block b 254 0", Refused),
    ("makes a character device", "mknod character c 1 1", Refused),
    ("makes a device in memory", "mknod /dev/shm/memory c 1 1", Refused),
    ("writes to /sys", "echo 1 > /sys/kernel/profiling", Refused),
    ("makes a folder in /sys", "mkdir /sys/fs/cgroup/attack", Refused),
    ("sets where cores go", "echo /tmp/core > /proc/sys/kernel/core_pattern", Refused),
    ("sets how memory is shared out", "echo 1 > /proc/sys/vm/overcommit_memory", Refused),
    ("asks the kernel to sync", "echo s > /proc/sysrq-trigger", Refused),
    ("registers a kind of program", "echo :a:E::x::/bin/sh: > /proc/sys/fs/binfmt_misc/register", Refused),
    ("reads the kernel's memory", "test \"$(head -c 1 /proc/kcore | wc -c)\" = 1", Refused),
    ("writes to the kernel's log", "echo attack > /dev/kmsg", Refused),
    // Mounts and namespaces.
    ("mounts a folder in memory", "mount -t tmpfs none /tmp", Refused),
    ("mounts a folder elsewhere", "mkdir -p m && mount --bind /usr m", Refused),
    ("mounts the root anew", "mount -o remount,rw /", Refused),
    ("unmounts a file", "umount /etc/passwd", Refused),
    ("unmounts lazily", "umount -l /proc", Refused),
    ("makes a user namespace", "unshare -U true", Refused),
    ("makes a mount namespace", "unshare -m true", Refused),
    ("enters the first process's mounts", "nsenter -t 1 -m true", Refused),
    ("enters the first process's users", "nsenter -t 1 -U true", Refused),
    ("changes its root", "chroot / true", Refused),
    ("mounts proc anew", "mkdir -p p && mount -t proc proc p", Refused),
    // Rights.
    ("becomes root", "setpriv --reuid 0 true", Refused),
    ("becomes somebody else", "setpriv --reuid 1 --clear-groups true", Refused),
    ("asks su", "su -c true </dev/null", Refused),
    (
        "runs a setuid program of its own",
        "cp /usr/bin/id i && chmod 6755 i && ./i -u | grep -vx 1000",
        Refused,
    ),
    ("takes a capability", "setpriv --inh-caps +sys_admin --ambient-caps +sys_admin true", Refused),
    ("gives a file to root", "touch f && chown 0 f", Refused),
    ("makes itself important", "renice -n -5 $$ && test \"$(nice)\" -lt 0", Refused),
    ("runs in real time", "chrt -r 1 true", Refused),
    ("makes a file that stays", "touch f && chattr +i f", Refused),
    ("raises a limit", "ulimit -Hc unlimited", Refused),
    ("wants no randomness", "setarch -R true", Alone),
    // Processes.
    ("kills the first process", "kill -9 1; kill -0 1", Alone),
    ("stops the first process", "kill -STOP 1; kill -0 1", Alone),
    (
        "sees no other process",
        "for p in /proc/[0-9]*; do test ${p#/proc/} -lt 10000 || exit 0; done; exit 1",
        Refused,
    ),
    ("spares itself", "echo -1000 > /proc/self/oom_score_adj", Refused),
    ("goes up from its root", "test -e /../../../../../proc/1/root/../.forge-outside", Refused),
    ("goes up from its folder", "test -e ../../../../../project || test -e /builddir/../../project", Refused),
];

/// Seconds that an attack may take: to try every file of `/usr` takes a while where the machine is slow and much is
/// installed.
const SECONDS: u32 = 240;

/// Runs all attacks in one build, each in a shell and a folder of its own, and says how each ended.
fn script(machine: &Machine) -> String {
    let port = machine.port();
    let (socket, canary) = (machine.socket.1.display(), &machine.canary);
    let mut script = format!(
        "set +e\n$ATTACK connect unix {socket}\n$ATTACK connect abstract {canary}\n$ATTACK connect tcp {port}\n"
    );
    for (number, (name, attack, _)) in ATTACKS.iter().enumerate() {
        let attack = attack.replace('\'', "'\\''");
        script.push_str(&format!(
            "mkdir a{number}; (cd a{number} && timeout {SECONDS} sh -c '{attack}') </dev/null >out 2>&1\n\
             echo \"{name}: $?\"\nhead -n 3 out | cut -c -200 | sed 's/^/    /'\n"
        ));
    }
    script.push_str("set -e\n");
    script
}

#[test]
fn what_is_not_the_build_s_own_can_not_be_reached_or_changed() {
    for who in Who::all() {
        let machine = Machine::new(who, "attacks");
        let mut site = Site::new(who);
        site.build("attacks", &script(&machine));
        let ended = site.apply();
        machine.assert_unharmed();
        assert_eq!(ended.state("attacks"), "succeeded", "{}", site.log("attacks"));
        assert_answers(&ended, &site.log("attacks"), who);
        assert_eq!(ended.said("attacks", "unix"), "ENOENT");
        assert_eq!(ended.said("attacks", "abstract"), "ECONNREFUSED");
        assert_eq!(ended.said("attacks", "tcp"), "ECONNREFUSED");
    }
}

fn assert_answers(ended: &Ended<'_>, log: &str, who: Who) {
    assert!(!log.contains(": not found"), "a program that is missing refuses nothing:\n{log}");
    for (name, _, expected) in ATTACKS {
        let code: i32 = ended.said("attacks", name).parse().unwrap();
        let answer = if code == 0 { Alone } else { Refused };
        assert_eq!(answer, *expected, "{name}, {who:?}:\n{log}");
        assert_ne!(code, 124, "{name} did not end, {who:?}:\n{log}");
    }
}
