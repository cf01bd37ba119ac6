"""The admin API against its own description, by requests that nobody would think of."""

import hashlib
import json
import subprocess
import sys

import pytest

from edge import open_route
from waiting import patient

TOKENS = {role: f"token-of-{role}-0123456789abcdef" for role in ("viewer", "operator", "admin")}

# An answer that does not end, and the end of what is tested, have tests of their own.
UNTESTED = ["/api/v1/events", "/api/v1/drain"]


@pytest.fixture
def admin_edge(start_edge, echo_worker, directory):
    """An edge with a token for each role, whose admin plane listens on TCP too."""
    lines = [f"{role}:{role}:{hashlib.sha256(token.encode()).hexdigest()}\n" for role, token in TOKENS.items()]
    (directory / "tokens").write_text("".join(lines))
    return start_edge({"main": [echo_worker.path]}, [open_route()], admin={
        "listen": [f"unix:{directory}/admin.sock", "127.0.0.1:0"], "tokens_file": str(directory / "tokens")})


def test_every_answer_to_a_generated_request_is_one_that_the_description_allows(admin_edge, directory):
    _, document = admin_edge.admin("GET", "/api/v1/openapi.json")
    (directory / "openapi.json").write_text(document)
    checks = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
              "negative_data_rejection", "unsupported_method", "allow_header_conformance", "ignored_auth"]
    run = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", directory / "openapi.json", "--url",
         f"http://{admin_edge.admin_address()}", "-H", f"Authorization: Bearer {TOKENS['admin']}", "--checks", ",".join(checks),
         *(word for path in UNTESTED for word in ("--exclude-path", path)), "--phases", "examples,coverage,fuzzing",
         "--max-examples", "30", "--seed", "6455", "--continue-on-failure", "--request-timeout", str(patient(10)), "--no-color"],
        cwd=directory, capture_output=True, text=True, timeout=patient(200))
    assert run.returncode == 0, run.stdout[-12000:] + run.stderr[-2000:]
    operations = [
        name for path, item in json.loads(document)["paths"].items() if path not in UNTESTED
        for name in item if name != "parameters"]
    assert f"Tested: {len(operations)}" in run.stdout, run.stdout[-3000:]
    assert admin_edge.admin("GET", "/livez")[0] == 200
    assert admin_edge.child.exit_code is None
