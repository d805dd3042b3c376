"""Says what the makers of the forms say of documents: a word and a file for each, read from the command line."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement
from in_toto_attestation.v1 import statement_pb2
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document


def problems_of(kind, path):
    if kind == "cyclonedx":
        error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(path).read())
        return [str(error)] if error else []
    if kind == "spdx":
        return [message.validation_message for message in validate_full_spdx_document(parse_file(path))]
    document = json.load(open(path))
    read = statement.Statement.copy_from_pb(json_format.ParseDict(document, statement_pb2.Statement()))
    read.validate()
    # Its fields, and no others.
    json_format.ParseDict(document["predicate"], provenance_pb2.Provenance())
    return []


wrong = False
for argument in sys.argv[1:]:
    kind, path = argument.split("=", 1)
    try:
        found = problems_of(kind, path)
    except Exception as error:
        found = [f"{type(error).__name__}: {error}"]
    for problem in found:
        wrong = True
        print(f"{path}: {problem}")
sys.exit(wrong)
