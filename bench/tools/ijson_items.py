"""A saved page to NDJSON with ijson, in its default backend. Arguments: page, output."""

import json
import sys

import ijson
from peak import report_peak

with open(sys.argv[1], "rb") as page, open(sys.argv[2], "w", encoding="utf-8") as out:
    for record in ijson.items(page, "result.item", use_float=True):
        out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
report_peak()
