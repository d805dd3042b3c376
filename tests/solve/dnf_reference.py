# What dnf chooses for many requests: reads them as JSON from the file that the first argument names, writes the answers
# as JSON to standard output. A request is `{"wanted": [[kind, text], …], "best": bool, "weak": bool}`, where `kind` is
# `package` for what one writes after `dnf install` and `dependency` for what `dnf builddep` finds in a spec.
import json
import logging
import sys

import dnf
import dnf.selector
import hawkey


def base(order):
    base = dnf.Base()
    conf = base.conf
    conf.installroot = order["root"]
    conf.cachedir = order["cache"]
    conf.logdir = order["cache"]
    conf.persistdir = order["cache"]
    conf.reposdir = []
    conf.varsdir = []
    conf.pluginpath = []
    conf.plugins = False
    conf.gpgcheck = False
    conf.zchunk = False
    conf.substitutions.update({"arch": "x86_64", "basearch": "x86_64", "releasever": "1"})
    for made in order["repositories"]:
        repo = base.repos.add_new_repo(made["name"], conf, baseurl=["file://" + made["folder"]])
        repo.priority = made["priority"]
        repo.cost = made["cost"]
        repo.excludepkgs = made["exclude"]
        repo.includepkgs = made["include"]
    base.fill_sack(load_system_repo=False)
    return base


def mark(base, kind, text):
    if kind == "package":
        base.install(text)
        return
    # As `dnf builddep` does it.
    selector = dnf.selector.Selector(base.sack)
    selector.set(provides=text)
    found = selector.matches()
    if not found and text.startswith("/"):
        selector = dnf.selector.Selector(base.sack)
        selector.set(file=text)
        found = selector.matches()
    if not found and not text.startswith("("):
        raise dnf.exceptions.MarkingError("no package matched", text)
    base._goal.install(select=selector, optional=False)


def answer(base, request):
    base.reset(goal=True)
    base.conf.best = request["best"]
    base.conf.install_weak_deps = request["weak"]
    try:
        for kind, text in request["wanted"]:
            mark(base, kind, text)
        base.resolve()
    except dnf.exceptions.Error as error:
        return {"error": str(error)}
    return {"packages": sorted(str(p) + "@" + p.reponame for p in base.transaction.install_set)}


logging.disable(logging.CRITICAL)
with open(sys.argv[1]) as file:
    order = json.load(file)
base = base(order)
json.dump([answer(base, request) for request in order["requests"]], sys.stdout)
