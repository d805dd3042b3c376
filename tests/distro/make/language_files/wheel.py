"""Builds the wheel of the project in the working folder."""
import pathlib
import sys
import tomllib

from pyproject_hooks import BuildBackendHookCaller

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
project = pathlib.Path("pyproject.toml")
system = tomllib.loads(project.read_text()).get("build-system", {}) if project.exists() else {}
backend = system.get("build-backend", "setuptools.build_meta:__legacy__")
caller = BuildBackendHookCaller(".", backend, backend_path=system.get("backend-path"))
print(caller.build_wheel(str(folder)))
