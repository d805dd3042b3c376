"""Installs wheels below a build root."""
import pathlib
import sys

from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile

wheels, buildroot = sys.argv[1:]
modules = "/usr/lib/python3/dist-packages"
for wheel in pathlib.Path(wheels).glob("*.whl"):
    name = wheel.name.split("-")[0]
    scheme = {
        "purelib": modules,
        "platlib": modules,
        "scripts": "/usr/bin",
        "data": "/usr",
        "headers": f"/usr/include/python3.13/{name}",
    }
    destination = SchemeDictionaryDestination(
        scheme, interpreter="/usr/bin/python3", script_kind="posix", destdir=buildroot
    )
    with WheelFile.open(wheel) as source:
        install(source, destination, additional_metadata={"INSTALLER": b"rpm\n"})
