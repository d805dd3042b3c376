"""What the real rpmautospec says of the packages whose specs are named on standard input, one JSON a line."""

import json
import sys

from rpmautospec.subcommands.changelog import do_generate_changelog
from rpmautospec.subcommands.release import do_calculate_release

for line in sys.stdin:
    spec = line.strip()
    try:
        said = {
            "release": do_calculate_release(spec, error_on_unparseable_spec=False),
            "changelog": do_generate_changelog(spec, error_on_unparseable_spec=False),
        }
    except AttributeError as error:
        # It falls over merges that take the changelog away from all their parents.
        said = {"failed": str(error)}
    print(json.dumps(said), flush=True)
