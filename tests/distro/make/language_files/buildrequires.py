"""Prints what a project of Python's needs to be built, as dependencies of RPM."""
import argparse
import importlib.metadata
import os
import pathlib
import sys
import tempfile
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pyproject_hooks import BuildBackendHookCaller

# What a backend prints is for the log.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def dependencies(requirement):
    """The dependencies that stand for a requirement."""
    extras = "".join(f"[{extra}]" for extra in sorted(requirement.extras))
    names = [f"python3dist({canonicalize_name(requirement.name)})"]
    if extras:
        names.append(f"python3dist({canonicalize_name(requirement.name)}{extras})")
    specifiers = [one for one in requirement.specifier if one.operator != "!="]
    parts = []
    for one in specifiers:
        version = one.version.removesuffix(".*")
        if one.operator == "~=":
            upper = version.split(".")[:-1]
            upper[-1] = str(int(upper[-1]) + 1)
            parts += [f"{names[0]} >= {version}", f"{names[0]} < {'.'.join(upper)}"]
        elif one.operator == "==" and one.version.endswith(".*"):
            upper = version.split(".")
            upper[-1] = str(int(upper[-1]) + 1)
            parts += [f"{names[0]} >= {version}", f"{names[0]} < {'.'.join(upper)}"]
        else:
            parts.append(f"{names[0]} {one.operator.replace('===', '=').replace('==', '=')} {version}")
    if len(parts) > 1:
        return [f"({' with '.join(parts)})"]
    return parts or names[:1]


class Requirements:
    """What is needed, and whether it is there."""

    def __init__(self):
        self.is_complete = True

    def add(self, texts, extras=("",)):
        for text in texts:
            requirement = Requirement(text)
            if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
                continue
            for dependency in dependencies(requirement):
                print(dependency, file=answers)
            try:
                found = importlib.metadata.version(requirement.name)
            except importlib.metadata.PackageNotFoundError:
                found = None
            if found is None or not requirement.specifier.contains(found, prereleases=True):
                print(f"not there yet: {text} (found {found})", file=sys.stderr)
                self.is_complete = False

    def check(self):
        """Ends here where something has to be installed before more can be asked."""
        answers.flush()
        if not self.is_complete:
            sys.exit(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-runtime", action="store_true")
    parser.add_argument("--extras", default="")
    options = parser.parse_args()
    project = pathlib.Path("pyproject.toml")
    system = tomllib.loads(project.read_text()).get("build-system", {}) if project.exists() else {}
    backend = system.get("build-backend", "setuptools.build_meta:__legacy__")
    needed = Requirements()
    needed.add(["packaging", "pyproject_hooks", "installer"])
    needed.add(system.get("requires", ["setuptools >= 40.8", "wheel"]))
    needed.check()
    caller = BuildBackendHookCaller(".", backend, backend_path=system.get("backend-path"))
    needed.add(caller.get_requires_for_build_wheel())
    needed.check()
    if options.no_runtime:
        return
    extras = ["", *[extra for extra in options.extras.split(",") if extra]]
    with tempfile.TemporaryDirectory() as folder:
        info = caller.prepare_metadata_for_build_wheel(folder)
        metadata = importlib.metadata.PathDistribution(pathlib.Path(folder, info))
        needed.add(metadata.requires or [], extras)
    answers.flush()


main()
