#!/usr/bin/python3
"""What installed projects of Python's give and need, for rpm."""
import email.parser
import re
import sys

from packaging.requirements import Requirement


def capability(name):
    return f"python3dist({re.sub('[-_.]+', '-', name).lower()})"


for path in map(str.strip, sys.stdin):
    with open(path, encoding="utf-8", errors="replace") as file:
        metadata = email.parser.Parser().parse(file, headersonly=True)
    if sys.argv[1] == "--provides":
        print(f"{capability(metadata['Name'])} = {metadata['Version']}")
        continue
    print("python(abi) = 3.13")
    for text in metadata.get_all("Requires-Dist", []):
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        lowest = [one.version for one in requirement.specifier if one.operator in (">=", "~=")]
        version = f" >= {lowest[0]}" if lowest else ""
        print(capability(requirement.name) + version)
