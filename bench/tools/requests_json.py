"""A page over HTTP to NDJSON with requests. Arguments: URL, output."""

import json
import sys

import requests
from peak import report_peak

answer = requests.get(sys.argv[1])
answer.raise_for_status()
with open(sys.argv[2], "w", encoding="utf-8") as out:
    for record in answer.json()["result"]:
        out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
report_peak()
