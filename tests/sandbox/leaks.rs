//! What a build sees of the machine that its root does not have.

use std::fs;
use std::io::Write;
use std::process::Command;

use crate::machine::Machine;
use crate::site::{Site, Who, attacker};

/// What a build prints of all that it can find out; each line begins with where it was found. `WORD` is what must not be
/// in any.
const LOOK: &str = r#"
set +e
show() { sed "s|^|$1: |"; }
find / -xdev \( -path /proc -o -path /usr \) -prune -o -print 2>/dev/null | grep 'CANARY' | show files
for folder in /tmp /var/tmp /home /root /mnt /srv /media /run /dev/shm /builddir; do
    find $folder 2>/dev/null | grep 'CANARY' | show "files of $folder"
    grep -r 'CANARY' $folder --exclude-dir=SPECS --exclude-dir=tmp 2>/dev/null | show "content of $folder"
done
for file in /proc/*; do
    [ -f $file ] && timeout 5 head -c 1000000 $file 2>/dev/null | grep -a 'CANARY' | show $file
done
for process in /proc/[0-9]* /proc/self; do
    for file in cmdline environ status mountinfo mounts mountstats maps smaps numa_maps cgroup; do
        cat $process/$file 2>/dev/null | tr '\0' '\n' | grep -a 'CANARY' | show $process/$file
    done
    ls -l $process/fd $process/cwd $process/root 2>/dev/null | grep 'CANARY' | show $process/fd
done
cat /proc/*/mountinfo /proc/*/mounts /proc/*/mountstats /proc/*/task/*/mountinfo /etc/mtab 2>/dev/null | show mounts
cat /proc/net/* 2>/dev/null | grep -a 'CANARY' | show network
cat /proc/keys /proc/key-users 2>/dev/null | show keys
dmesg 2>/dev/null | grep 'CANARY' | show "the kernel's log"
timeout 1 cat /dev/kmsg 2>/dev/null | head -n 1 | show "the kernel's log"
env | grep 'CANARY' | show environment
cat /etc/* 2>/dev/null | grep -a 'CANARY' | show /etc
tail -n +2 /proc/sysvipc/shm | show "shared memory"
tail -n +2 /proc/sysvipc/msg | show "message queues"
ls /dev/mqueue 2>/dev/null | show "message queues"
tail -n +3 /proc/net/dev | grep -v ' lo:' | show "network devices"
ls /sys/class/net 2>/dev/null | grep -vx lo | show "network devices"
tail -n +2 /proc/net/unix | show sockets
tail -n +2 /proc/net/tcp | show sockets
tail -n +2 /proc/net/route | show routes
cat /etc/machine-id /var/lib/dbus/machine-id 2>/dev/null | show machine-id
uname -n | grep -vx localhost | show "host name"
cat /proc/sys/kernel/hostname /etc/hostname | grep -vx localhost | show "host name"
awk -F: '$3 >= 1000 && $1 != "builder" && $1 != "nobody" && $1 != "nogroup"' /etc/passwd /etc/group | show people
awk -F: '$4 != ""' /etc/group | show members
for descriptor in /proc/self/fd/*; do
    case $descriptor in */0|*/1|*/2|*/3) ;; *) [ -e $descriptor ] && readlink $descriptor | show descriptors ;; esac
done
cat /proc/self/cgroup | grep -v ':/$' | show "control groups"
ls /dev | grep -vxE 'fd|full|null|ptmx|pts|random|shm|stderr|stdin|stdout|tty|urandom|zero' | show devices
echo "looked: all"
"#;

#[test]
fn nothing_of_the_machine_is_seen_but_its_root() {
    for who in Who::all() {
        let machine = Machine::new(who, "leaks");
        let mut site = Site::new(who);
        // What the grep is given is in the spec: it looks for the word in two parts.
        let (first, rest) = machine.canary.split_at(4);
        let folder = site.beside("").file_name().unwrap().to_str().unwrap().to_owned();
        // Where the project is on the machine is in none, either.
        let words = format!(
            "\\({first}[{}]{}\\|{}[{}]\\)",
            &rest[..1],
            &rest[1..],
            &folder[..folder.len() - 1],
            &folder[folder.len() - 1..]
        );
        let script = LOOK.replace("CANARY", &words);
        site.build("leaks", &script);
        for path in ["beside", "folder/beside", ".git/config", ".forge/left/beside"] {
            let path = site.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &machine.canary).unwrap();
        }
        // A kernel's log that nobody may write to has nothing of ours.
        let _ = fs::OpenOptions::new()
            .write(true)
            .open("/dev/kmsg")
            .map(|mut log| writeln!(log, "{}", machine.canary));
        let shared = Command::new("ipcmk").args(["-M", "4096"]).output().unwrap();
        let run = {
            let mut command = who.command(attacker_of(&site));
            command.arg("with-key").arg(&machine.canary).arg(site.beside("forge")).args(["apply", "--json"]);
            command = site.here(command);
            crate::support::Run::from(command.env("TOKEN", &machine.canary).output().unwrap())
        };
        let shared = String::from_utf8(shared.stdout).unwrap();
        let shared = shared.rsplit(' ').next().unwrap().trim().to_owned();
        assert!(Command::new("ipcrm").args(["-m", &shared]).status().unwrap().success());
        assert_eq!(run.states()["leaks"], "succeeded", "{who:?}: {}\n{}", run.stdout, run.stderr);
        let log = site.log("leaks");
        let seen = log.lines().skip_while(|line| !line.starts_with("+ set +x"));
        let seen: Vec<&str> = seen.skip(1).take_while(|line| *line != "looked: all").collect();
        assert!(log.contains("looked: all"), "{log}");
        assert!(seen.is_empty(), "{who:?}: {}", seen.join("\n"));
    }
}

/// The program of attacks, where everybody can run it.
fn attacker_of(site: &Site) -> std::path::PathBuf {
    let program = site.beside("attack");
    fs::copy(attacker(), &program).unwrap();
    program
}
