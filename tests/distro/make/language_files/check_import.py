"""Imports the modules of an installed project."""
import csv
import fnmatch
import importlib
import pathlib
import sys

buildroot, *options = sys.argv[1:]
excluded = options[options.index("--exclude") + 1].split(",") if "--exclude" in options else []
folder = pathlib.Path(buildroot + "/usr/lib/python3/dist-packages")
sys.path.insert(0, str(folder))
sys.dont_write_bytecode = True
names = set()
for record in folder.glob("*.dist-info/RECORD"):
    for path, *_ in csv.reader(record.open()):
        parts = path.split("/")
        if path.endswith(".py") and len(parts) == 1:
            names.add(parts[0][:-3])
        elif path.endswith("/__init__.py") and len(parts) == 2:
            names.add(parts[0])
for name in sorted(names):
    # What is private may need what is not there.
    if name.isidentifier() and not name.startswith("_") and not any(fnmatch.fnmatchcase(name, one) for one in excluded):
        print("import", name)
        importlib.import_module(name)
