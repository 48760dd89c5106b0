"""A saved page to NDJSON with the standard library. Arguments: page, output."""

import json
import sys

from peak import report_peak

with open(sys.argv[1], encoding="utf-8") as page, open(sys.argv[2], "w", encoding="utf-8") as out:
    for record in json.load(page)["result"]:
        out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
report_peak()
