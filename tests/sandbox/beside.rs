//! Builds that run at the same time, in one root.

use std::fs;

use crate::site::{Site, Who, wait_until};

/// Leaves its name in every place that both could share, waits until both have, and says what it finds there.
const MEET: &str = r#"
set +e
for folder in /tmp /var/tmp /dev/shm /run /home /builddir; do echo x > $folder/of-NAME; done
sh -c 'sleep 1000; : of-NAME' &
touch ready
until [ -e go ]; do sleep 0.05; done
for folder in /tmp /var/tmp /dev/shm /run /home /builddir; do echo "found: $(ls $folder | grep of- | tr '\n' ' ')"; done
echo "processes: $(cat /proc/[0-9]*/cmdline | tr '\0' ' ' | grep -o 'o[f]-[a-z]*' | sort -u | tr '\n' ' ')"
touch done
until [ -e end ]; do sleep 0.05; done
"#;

#[test]
fn builds_at_the_same_time_do_not_see_each_other() {
    for who in Who::all() {
        let mut site = Site::new(who);
        for name in ["one", "two"] {
            site.build(name, &MEET.replace("NAME", name));
        }
        let mut forge = site.start(&["apply", "-q", "--jobs", "2", "one", "two"]);
        let tree = |name: &str| site.path().join(".forge/work/host").join(name).join("builddir/BUILD");
        for (mark, answer) in [("ready", "go"), ("done", "end")] {
            wait_until("both are there", || ["one", "two"].iter().all(|name| tree(name).join(mark).exists()));
            ["one", "two"].iter().for_each(|name| fs::write(tree(name).join(answer), "").unwrap());
        }
        assert_eq!(forge.wait().unwrap().code(), Some(0));
        for name in ["one", "two"] {
            let log = site.log(name);
            let found: Vec<&str> = log.lines().filter(|line| line.starts_with("found: ")).collect();
            assert_eq!(found, vec![format!("found: of-{name} "); 6], "{who:?}");
            assert!(log.contains(&format!("processes: of-{name} \n")), "{who:?}: {log}");
        }
    }
}

#[test]
fn a_build_that_kills_everything_does_not_end_the_one_beside_it() {
    for who in Who::all() {
        let mut site = Site::new(who);
        site.build("victim", "touch ready; until [ -e go ]; do sleep 0.05; done");
        site.build("killer", "touch ready; until [ -e go ]; do sleep 0.05; done; kill -9 -1");
        let mut forge = site.start(&["apply", "-q", "--jobs", "2", "victim", "killer"]);
        let tree = |name: &str| site.path().join(".forge/work/host").join(name).join("builddir/BUILD");
        wait_until("both are there", || {
            ["victim", "killer"].iter().all(|name| tree(name).join("ready").exists())
        });
        fs::write(tree("killer").join("go"), "").unwrap();
        wait_until("the killer has ended", || site.run(&["status", "killer"]).stdout.contains("failed"));
        fs::write(tree("victim").join("go"), "").unwrap();
        assert_eq!(forge.wait().unwrap().code(), Some(1));
        assert!(site.run(&["status", "victim"]).stdout.contains("succeeded"), "{who:?}");
    }
}
