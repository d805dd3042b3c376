//! `forge import`: what other tools' configurations become.

use std::fs;

use crate::support::Project;

/// A configuration of mock's kind: a distribution's template, an add-on's over it, and one architecture of both.
fn mock_project() -> Project {
    let project = Project::new();
    let template = r#"
config_opts['root'] = 'acme-{{ releasever }}-{{ target_arch }}'
config_opts['description'] = "Acme Linux {{ releasever }}"   # the distribution
config_opts['mirrored'] = config_opts['target_arch'] != 'i686' and int(config_opts['releasever']) >= 9
config_opts['chroot_setup_cmd'] = 'install @{% if mirrored %}buildsys-{% endif %}build'
config_opts['dist'] = 'ac{{ releasever }}'
config_opts['extra_chroot_dirs'] = [ '/run/lock', ]
config_opts['package_manager'] = '{% if releasever|int >= 9 %}dnf5{% else %}dnf{% endif %}'
config_opts['macros']['%dist'] = '.ac{{ releasever }}'
config_opts['environment']['LANG'] = 'C.UTF-8'
config_opts['files']['etc/hosts'] = "127.0.0.1 localhost\n"
config_opts['plugin_conf']['ccache_enable'] = True
if 'absent' in config_opts:
    config_opts['root'] = 'never'
elif config_opts['releasever'] == '9':
    config_opts['chroot_additional_packages'] = ('acme-release',
        'ccache')
else:
    config_opts['root'] = 'neither'
import os
config_opts['releasever_of_host'] = os.uname()[2]

config_opts['dnf.conf'] = """
[main]
keepcache=1
gpgcheck=0
best=1
install_weak_deps=0
user_agent={{ user_agent }}
{% if repo_arch == 'x86_64' %}
excludepkgs=*.i586,*.i686
{% endif %}

{%- macro keys() -%}
{%- for version in [releasever|int, releasever|int + 1] -%}
file:///etc/keys/acme-{{ version }} {% endfor -%}
{%- endmacro %}

[base]
name=Acme $releasever - $basearch
mirrorlist=https://mirrors.example.org/metalink?repo=base-$releasever&arch=$basearch
gpgkey={{ keys() }}
gpgcheck=1
sslclientcert=/etc/pki/client.pem

[local]
name=local
baseurl=https://one.example.org/$releasever/$basearch/
    https://two.example.org/$releasever/{{ target_arch }}/
enabled={{ mirrored }}
cost=2000
priority=10

[source]
name=sources
baseurl=https://one.example.org/source
enabled=0
"""
"#;
    project.write("mock/templates/acme.tpl", template);
    let add_on = "config_opts['chroot_setup_cmd'] += \" extra-rpm-macros\"\n\
        config_opts['dnf.conf'] += \"\"\"\n[extra]\nname=extra\nmetalink=https://mirrors.example.org/extra-${releasever_major}\n\
        gpgkey=file:///etc/keys/extra-$releasever\ngpgcheck=1\n\"\"\"\n";
    project.write("mock/templates/extra.tpl", add_on);
    project.write(
        "mock/acme+extra-9-x86_64.cfg",
        "config_opts['releasever'] = '9'\nconfig_opts['target_arch'] = 'x86_64'\n\
         config_opts['legal_host_arches'] = ('x86_64',)\n\ninclude('templates/acme.tpl')\ninclude('templates/extra.tpl')\n",
    );
    project
}

#[test]
fn a_configuration_of_mock_becomes_a_chroot_and_what_has_no_counterpart_is_listed() {
    let project = mock_project();
    let run = project.succeed(&["import", "mock", "mock/acme+extra-9-x86_64.cfg"]);
    insta::assert_snapshot!("import_mock", run.stdout);
    let notes: Vec<&str> = run.stderr.lines().filter_map(|line| line.strip_prefix("note: ")).collect();
    assert!(notes.len() >= 6, "{}", run.stderr);
    for note in notes {
        assert!(run.stdout.contains(&format!("// {note}\n")), "{note}");
    }
}

#[test]
fn what_is_imported_is_a_manifest_that_check_takes() {
    let project = mock_project();
    project.write("Rpmforge.kdl", "rpmforge version=1\ninclude \"chroots/*.kdl\"\npackages \"*.spec\"\n");
    project.spec("a", "", "true");
    fs::create_dir_all(project.path().join("chroots")).unwrap();
    project.write(
        "acme.repo",
        "[acme]\nname=Acme\nbaseurl=file:///srv/acme\n          file:///srv/more\ngpgcheck=0\n",
    );
    project.succeed(&["import", "mock", "mock/acme+extra-9-x86_64.cfg", "--output", "chroots/acme.kdl"]);
    project.succeed(&["import", "repo", "acme.repo", "--output", "chroots/repo.kdl"]);
    project.succeed(&["check", "--manifest-only"]);
    project.succeed(&["fmt"]);
    let list = project.succeed(&["chroot", "list"]).stdout;
    assert!(list.contains("acme-9-x86_64  packages of base, local, extra"), "{list}");
    assert!(list.contains("acme           packages of acme"), "{list}");
    let again = project.run(&["import", "repo", "acme.repo", "--output", "chroots/repo.kdl"]);
    assert!(again.code == Some(1) && again.stderr.contains("forge::cli::file_exists"), "{}", again.stderr);
}

#[test]
fn a_repo_file_becomes_a_chroot_with_what_is_enabled() {
    let project = Project::new();
    project.write(
        "acme.repo",
        "# Acme\n[acme-base]\nname=Acme Base\nmetalink=https://example.org/metalink?repo=base-$releasever&arch=$basearch\nenabled=1\n\
         gpgcheck=1\ngpgkey=https://example.org/KEY\nrepo_gpgcheck=1\nexclude=kernel* shim\nproxy=http://proxy.example.org\n\
         [acme-debug]\nname=x\nbaseurl=https://example.org/debug\nenabled=0\n",
    );
    let run = project.succeed(&["import", "repo", "acme.repo", "--chroot", "acme-9"]);
    insta::assert_snapshot!("import_repo", run.stdout);
    project.write("none.repo", "[acme-debug]\nbaseurl=https://example.org/debug\nenabled=0\n");
    let none = project.run(&["import", "repo", "none.repo"]);
    assert!(none.code == Some(1) && none.stderr.contains("forge::import::no_repository"), "{}", none.stderr);
}

#[test]
fn what_is_imported_stays_in_its_comment_and_in_its_quotes() {
    let project = Project::new();
    let odd = "x\u{2028}chroot evil { root \\\"/\\\" }\u{85}y";
    project
        .write("odd.repo", &format!("[a]\nname={odd}\nbaseurl=/srv/{odd}\"z\ngpgcheck=0\nsetting-{odd}=1\n"));
    let text = project.succeed(&["import", "repo", "odd.repo"]).stdout;
    project.write("Rpmforge.kdl", &format!("rpmforge version=1\npackages \"*.spec\"\n{text}"));
    project.spec("a", "", "true");
    project.succeed(&["check", "--manifest-only"]);
    let list = project.succeed(&["chroot", "list"]).stdout;
    assert!(list.lines().count() == 2 && list.contains("\nodd "), "{list}");
}

#[test]
fn packages_of_anda_become_packages_and_their_scripts_are_listed() {
    let project = Project::new();
    project.write(
        "apps/tool/anda.hcl",
        "project pkg {\n  arches = [\"x86_64\"]\n  rpm {\n    spec = \"tool.spec\"\n    pre_script {\n      commands = [\"./fetch.sh\"]\n    }\n  }\n\
         \x20 labels { nightly = 1 }\n}\n",
    );
    project.write("apps/other/anda.hcl", "project \"named\" {\n\trpm {\n\t\tspec = \"other.spec\"\n\t}\n}\n");
    project.write(
        "libs/tool/anda.hcl",
        "project pkg {\n  rpm {\n    spec = \"tool.spec\"\n  }\n}\nproject image {\n  docker {}\n}\n",
    );
    for spec in ["apps/tool/tool.spec", "apps/other/other.spec", "libs/tool/tool.spec"] {
        project.write(spec, "Name: x\n");
    }
    let run = project.succeed(&["import", "anda", "."]);
    insta::assert_snapshot!("import_anda", run.stdout);
    project.write(
        "Rpmforge.kdl",
        &format!("rpmforge version=1\nchroot f-x86_64 {{ root \"/\" }}\n{}", run.stdout),
    );
    project.succeed(&["check", "--manifest-only"]);
    let none = project.run(&["-C", "apps/tool", "import", "anda", "nowhere.hcl"]);
    assert!(none.stderr.contains("forge::import::unreadable"), "{}", none.stderr);
}

/// What is told of a configuration that can't be imported.
fn refused(text: &str) -> String {
    let project = Project::new();
    project.write("bad.cfg", text);
    let run = project.run(&["import", "mock", "bad.cfg"]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    run.stderr
}

#[test]
fn what_cannot_be_imported_says_why() {
    let project = Project::new();
    let nowhere = project.run(&["import", "mock", "no-such-configuration"]).stderr;
    assert!(nowhere.contains("forge::import::no_configuration"), "{nowhere}");
    assert!(refused("config_opts['root'] = '''no end\n").contains("forge::import::syntax"));
    assert!(refused("include('bad.cfg')\n").contains("forge::import::includes"));
    assert!(refused("include('none.tpl')\n").contains("forge::import::unreadable"));
    assert!(refused("config_opts['root'] = 'a'\n").contains("forge::import::no_repository"));
    assert!(refused("config_opts['dnf.conf'] = '{% if %}'\n").contains("forge::import::template"));
    let endless = "config_opts['dnf.conf'] = '{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}'\n";
    assert!(refused(endless).contains("forge::import::template"));
    assert!(
        refused("config_opts['dnf.conf'] = 'x{{ config }}'\nconfig_opts['config'] = '{{ config }}y'\n")
            .contains("forge::import::")
    );
    let nested = format!("config_opts['dnf.conf'] = {}1{}\n", "(".repeat(5000), ")".repeat(5000));
    assert!(refused(&nested).contains("forge::import::no_repository"));
    project.write("deep.hcl", &format!("a = {}1{}\n", "[".repeat(5000), "]".repeat(5000)));
    let deep = project.run(&["import", "anda", "deep.hcl"]);
    assert!(deep.code == Some(1) && deep.stderr.contains("forge::import::syntax"), "{}", deep.stderr);
    let folder = project.run(&["import", "anda", "."]).stderr;
    assert!(folder.contains("forge::cli::no_anda") || folder.contains("forge::import"), "{folder}");
}
