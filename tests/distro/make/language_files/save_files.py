"""Lists the files of an installed project for %files."""
import csv
import fnmatch
import os
import pathlib
import sys

MODULES = "/usr/lib/python3/dist-packages"
buildroot, result, *patterns = sys.argv[1:]
wants_license = "--license" in patterns
others = "+auto" in patterns
patterns = [pattern for pattern in patterns if pattern not in ("--license", "+auto")]
lines, matched, has_license = [], set(), False
for record in pathlib.Path(buildroot + MODULES).glob("*.dist-info/RECORD"):
    for path, *_ in csv.reader(record.open()):
        full = os.path.normpath(os.path.join(MODULES, path))
        top = path.split("/")[0]
        if top == record.parent.name:
            is_license = "/licenses/" in path or any(
                word in path.upper() for word in ("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS")
            )
            has_license |= is_license
            lines.append(f'%license "{full}"' if is_license else f'"{full}"')
            continue
        stem = top.split(".")[0]
        wanted = [one for one in patterns if fnmatch.fnmatchcase(stem, one.split("/")[0].split(".")[0])]
        if not path.startswith("..") and wanted:
            matched.update(wanted)
            lines.append(f'"{full}"')
            folder = os.path.dirname(full)
            while folder != MODULES:
                lines.append(f'%dir "{folder}"')
                folder = os.path.dirname(folder)
        elif others:
            lines.append(f'"{full}"')
    lines.append(f'%dir "{MODULES}/{record.parent.name}"')
missing = [pattern for pattern in patterns if pattern not in matched]
if missing:
    sys.exit(f"no file is of the modules {missing}")
if wants_license and not has_license:
    sys.exit("the project names no license file")
pathlib.Path(result).write_text("".join(f"{line}\n" for line in sorted(set(lines))))
