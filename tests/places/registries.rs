//! Sending to a registry of OCI artifacts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sha2::{Digest as _, Sha256};

use crate::bucket_server::SECRET;
use crate::registry_server::{FrontRules, RegistryServer, files_of, log_in};
use crate::repository_client::{Listed, follow};
use crate::support::{Project, Run};

/// What a client finds that pulls a tag or digest.
fn pull(server: &RegistryServer, reference: &str) -> Result<Listed, String> {
    let files = server.files(reference);
    follow(&|path| server.blob(files.get(path)?))
}

#[track_caller]
fn packages(server: &RegistryServer, reference: &str) -> Vec<String> {
    let listed = pull(server, reference).unwrap();
    listed.into_keys().filter(|path| path.ends_with(".rpm")).collect()
}

/// The digest that a tag stands for.
fn digest(server: &RegistryServer, tag: &str) -> String {
    let bytes = server.manifest(tag).unwrap().1;
    let digits: Vec<String> = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{}", digits.concat())
}

/// The code that says why something is not sent, the cause and what helps.
#[track_caller]
fn why_not(project: &Project) -> [String; 3] {
    let run = project.run(&["publish", "--json"]);
    assert_eq!(run.code, Some(1), "{}\n{}", run.stdout, run.stderr);
    assert!(!run.stdout.contains(SECRET) && !run.stderr.contains(SECRET));
    let events = run.events("not-sent");
    assert_eq!(events.len(), 1, "{}\n{}", run.stdout, run.stderr);
    ["code", "cause", "help"].map(|name| events[0][name].as_str().unwrap().to_owned())
}

#[test]
fn an_apply_sends_the_repository_as_an_artifact_and_a_second_one_sends_nothing() {
    let server = RegistryServer::start();
    let project = server.project();
    let first = project.succeed(&["apply"]);
    let sent = format!("sent       host: oci://{}/acme/host (", server.front.address);
    assert!(first.stderr.contains(&sent), "{}", first.stderr);
    assert_eq!(packages(&server, "latest").len(), 4, "packages and their sources");
    let (manifest, _) = server.manifest("latest").unwrap();
    assert_eq!(manifest["artifactType"], "application/vnd.rpmforge.repository.v1");
    // Neither the record nor the lock of the folder goes along, nor anything of this machine.
    assert!(server.files("latest").keys().all(|path| !path.contains(".forge")), "{manifest}");
    assert!(!manifest.to_string().contains(&*project.path().to_string_lossy()), "{manifest}");
    server.front.take_requests();
    let second = project.succeed(&["apply", "-v"]);
    assert!(!second.stderr.contains("sent "), "{}", second.stderr);
    let asked = server.front.take_requests();
    assert!(!asked.is_empty() && asked.iter().all(|request| request.starts_with("GET ")), "{asked:?}");
}

#[test]
fn an_update_sends_what_is_new_and_who_has_begun_to_pull_gets_what_was_there() {
    let server = RegistryServer::start();
    let project = server.project();
    project.succeed(&["apply"]);
    let (before, old) = (packages(&server, "latest"), digest(&server, "latest"));
    project.spec("a", "Provides: more", "true");
    server.front.take_requests();
    let events = project.succeed(&["apply", "--json"]).events("sent");
    // Two packages, three metadata files, repomd.xml; what they replace is in the new manifest no more.
    assert_eq!((&events[0]["files"], &events[0]["removed"]), (&6.into(), &5.into()), "{events:?}");
    let asked = server.front.take_requests();
    let sent = asked.iter().filter(|request| request.starts_with("PUT /v2/acme/host/blobs/"));
    assert_eq!(sent.count(), 6, "{asked:?}");
    // The tag comes last, and is read once more.
    let after: Vec<&String> = asked.iter().rev().take(2).collect();
    assert_eq!(after, ["GET /v2/acme/host/manifests/latest", "PUT /v2/acme/host/manifests/latest"]);
    assert_ne!(packages(&server, "latest"), before);
    assert_eq!(packages(&server, &old), before);
    // What has been there before need not be sent again.
    project.spec("a", "", "true");
    let events = project.succeed(&["apply", "--json"]).events("sent");
    let asked = server.front.take_requests();
    let sent = asked.iter().filter(|request| request.starts_with("PUT /v2/acme/host/blobs/"));
    assert!(sent.count() < 6, "{asked:?} {events:?}");
    assert_eq!(packages(&server, "latest"), before);
}

#[test]
fn a_tag_may_be_named_and_a_chroot_that_no_registry_can_name_is_refused() {
    let server = RegistryServer::start();
    let project = server.project();
    project.edit("Rpmforge.kdl", "/acme/{chroot}\"", "/acme/host:v1.{chroot}\"");
    project.succeed(&["apply"]);
    assert_eq!(packages(&server, "v1.host").len(), 4);
    assert!(server.manifest("latest").is_none());
    project.edit("Rpmforge.kdl", "/acme/host:v1.{chroot}\"", "/acme/-{chroot}\"");
    let run = project.run(&["publish"]);
    assert!(run.stderr.contains("a name that no registry has"), "{}", run.stderr);
}

#[test]
fn a_login_of_docker_podman_or_a_helper_is_used_and_shown_nowhere() {
    let server = RegistryServer::start_with_passwords();
    let project = server.project();
    project.succeed(&["apply", "--offline"]);
    let [code, cause, help] = why_not(&project);
    assert_eq!(code, "forge::publish::place_refused");
    assert!(cause.contains("401 UNAUTHORIZED: authentication required"), "{cause}");
    assert!(help.contains("docker login"), "{help}");
    let home = project.path().parent().unwrap().to_owned();
    log_in(&home.join(".docker"), server.front.address);
    let wrong = fs::read_to_string(home.join(".docker/config.json")).unwrap().replace("YWRh", "Ym9i");
    fs::write(home.join(".docker/config.json"), wrong).unwrap();
    assert_eq!(why_not(&project)[0], "forge::publish::place_refused");
    log_in(&home.join(".docker"), server.front.address);
    let run = project.succeed(&["publish", "-v"]);
    assert!(!run.stderr.contains(SECRET), "{}", run.stderr);
    // Those that a variable names count before, and may leave it to a program.
    let own = home.join("own");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("config.json"), "{\"credsStore\":\"lab\"}").unwrap();
    let helper = own.join("docker-credential-lab");
    let registry = server.front.address;
    let text = format!(
        "#!/bin/sh\nread -r asked\n[ \"$1 $asked\" = 'get {registry}' ] && echo '{{\"Username\":\"ada\",\"Secret\":\"{SECRET}\"}}'\n"
    );
    fs::write(&helper, text).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(home.join(".docker/config.json")).unwrap();
    let mut command = project.forge(&["publish", "-v"]);
    let path = format!("{}:/usr/bin:/bin", own.display());
    let run = Run::from(command.env("DOCKER_CONFIG", &own).env("PATH", path).output().unwrap());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(!run.stderr.contains(SECRET) && !run.stdout.contains(SECRET));
}

#[test]
fn a_token_is_asked_for_where_a_registry_wants_one() {
    let server = RegistryServer::start();
    server.front.set(FrontRules { wants_token: true, ..FrontRules::default() });
    let project = server.project();
    project.succeed(&["apply", "--offline"]);
    let [code, cause, _] = why_not(&project);
    assert_eq!(code, "forge::publish::place_refused");
    assert!(cause.contains("asking for a token") && cause.contains("DENIED: who?"), "{cause}");
    log_in(&project.path().parent().unwrap().join(".docker"), server.front.address);
    server.front.take_requests();
    project.succeed(&["publish"]);
    assert_eq!(packages(&server, "latest").len(), 4);
    let asked = server.front.take_requests();
    let tokens = asked.iter().filter(|request| request.starts_with("GET /token")).count();
    assert_eq!(tokens, 1, "{asked:?}");
}

#[test]
fn a_large_file_that_was_cut_goes_on_where_it_stopped() {
    let server = RegistryServer::start();
    let project = server.project();
    project.spec("a", "", "head -c 25000000 /dev/urandom > big");
    let text = project.read("a.spec").replace("echo a > %{buildroot}", "cat big > %{buildroot}");
    project.write("a.spec", &text);
    server.front.set(FrontRules { chunks: Some(2), ..FrontRules::default() });
    let cut = project.run(&["apply"]);
    assert_eq!(cut.code, Some(1), "{}", cut.stderr);
    assert!(cut.stderr.contains("not sent:  host to oci://"), "{}", cut.stderr);
    assert!(server.manifest("latest").is_none());
    assert!(project.repository().follow().is_ok(), "the folder is as it should be");
    server.front.set(FrontRules::default());
    server.front.take_requests();
    project.succeed(&["publish"]);
    let chunks = server.front.take_requests();
    let chunks = chunks.iter().filter(|request| request.starts_with("PATCH ")).count();
    assert_eq!(chunks, 1, "two chunks were there");
    assert_eq!(packages(&server, "latest").len(), 4);
    // Where the server can't go on in the middle of a chunk, it gets the file once more.
    project.spec("a", "Provides: more", "head -c 25000000 /dev/urandom > big");
    let text = project.read("a.spec").replace("echo a > %{buildroot}", "cat big > %{buildroot}");
    project.write("a.spec", &text);
    server.front.set(FrontRules { chunks: Some(1), halves: true, ..FrontRules::default() });
    assert_eq!(project.run(&["apply"]).code, Some(1));
    server.front.set(FrontRules::default());
    project.succeed(&["publish"]);
    assert!(project.repository().primary().contains("more"));
    assert_eq!(packages(&server, "latest").len(), 4);
    let uploads = server.storage().join("docker/registry/v2/repositories/acme/host/_layers");
    assert!(uploads.exists());
}

#[test]
fn an_artifact_of_another_project_is_refused_until_it_is_taken_over() {
    let server = RegistryServer::start();
    let named = |name: &str| {
        let project = server.project();
        let begin = format!("rpmforge version=1\nproject {name}\n");
        project.edit("Rpmforge.kdl", "rpmforge version=1\n", &begin);
        project
    };
    let (first, second) = (named("one"), named("two"));
    first.succeed(&["apply"]);
    let before = digest(&server, "latest");
    assert_eq!(second.run(&["apply"]).code, Some(1));
    let [code, cause, _] = why_not(&second);
    assert_eq!(code, "forge::publish::place_foreign");
    assert!(cause.contains("belongs to the project `one`"), "{cause}");
    assert_eq!(digest(&server, "latest"), before);
    second.edit(
        "Rpmforge.kdl",
        "publish \"public/{chroot}\" {",
        "publish \"public/{chroot}\" { adopt #true;",
    );
    second.succeed(&["publish"]);
    assert_ne!(digest(&server, "latest"), before);
    // An artifact without a config of forge's may be anybody's.
    let (mut manifest, _) = server.manifest("latest").unwrap();
    manifest["config"]["mediaType"] = "application/vnd.oci.empty.v1+json".into();
    server.put_manifest("latest", manifest.to_string().as_bytes());
    assert_eq!(why_not(&first)[0], "forge::publish::place_unrecorded");
    // And what is no config can't be believed.
    manifest["config"] = manifest["layers"][0].clone();
    manifest["config"]["mediaType"] = "application/vnd.rpmforge.repository.config.v1+json".into();
    server.put_manifest("latest", manifest.to_string().as_bytes());
    assert_eq!(why_not(&first)[0], "forge::publish::place_damaged_record");
}

#[test]
fn what_a_registry_has_lost_is_sent_again() {
    let server = RegistryServer::start();
    let project = server.project();
    project.succeed(&["apply"]);
    let files = server.files("latest");
    let (_, lost) = files.iter().find(|(path, _)| path.contains("/b-")).unwrap();
    server.lose(lost);
    project.spec("a", "Provides: more", "true");
    project.succeed(&["apply"]);
    assert_eq!(packages(&server, "latest").len(), 4);
}

#[test]
fn who_pulls_while_updates_are_published_meets_no_broken_state() {
    let server = RegistryServer::start();
    let project = server.project();
    project.succeed(&["apply"]);
    let (is_over, times, unanswered) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let read_on = || {
        while !is_over.load(Ordering::Relaxed) {
            // This server writes the file of a tag in its place: for a moment it knows none. Clients ask again.
            let Some((manifest, _)) = server.manifest("latest") else {
                unanswered.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            let files = files_of(&manifest);
            let listed = follow(&|path| server.blob(files.get(path)?))?;
            if listed.len() < 7 {
                return Err(format!("only {} files", listed.len()));
            }
            times.fetch_add(1, Ordering::Relaxed);
        }
        Ok::<(), String>(())
    };
    std::thread::scope(|scope| {
        let reader = scope.spawn(read_on);
        for round in 0..10 {
            project.spec("a", &format!("Provides: round({round})"), "true");
            project.succeed(&["apply", "-q"]);
        }
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(reader.join().unwrap(), Ok(()));
    });
    assert!(times.load(Ordering::Relaxed) > 10, "{times:?}");
    // No more often than tags were written.
    assert!(unanswered.load(Ordering::Relaxed) <= 30, "{unanswered:?}");
}

#[test]
fn a_server_that_is_no_registry_is_told_from_one() {
    let project = crate::bucket_server::project_sent_to("to \"oci://127.0.0.1:1/acme/{chroot}\"");
    project.succeed(&["apply", "--offline"]);
    let run = project.run(&["publish", "--json"]);
    let cause = run.events("not-sent")[0]["cause"].as_str().unwrap().to_owned();
    assert!(cause.contains("https://127.0.0.1:1/v2/acme/host/manifests/latest"), "{cause}");
}
