"""What the Python workers share: telling the test how a WebSocket ended."""

import json
import os


def closed(path, code, reason):
    with open(os.environ["WORKER_JOURNAL"], "a") as journal:
        journal.write(json.dumps({"path": path, "code": code, "reason": reason or ""}) + "\n")
