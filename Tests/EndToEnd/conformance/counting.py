"""Says at the end of a run how many cases were proven: by chapter of RFC 6455, over each version of HTTP."""

import collections
import re

_CHAPTERS = {
    "3": "WebSocket URIs", "4": "Opening handshake", "5": "Data framing", "6": "Sending and receiving data",
    "7": "Closing the connection", "8": "Error handling (UTF-8)", "9": "Extensions, of which there are none",
    "8441": "Bootstrapping WebSockets with HTTP/2 (RFC 8441)"}
_CASE = re.compile(r"test_conformance\w*\.py::test_\w+\[(?P<chapter>\d+)[. ].*-(?P<way>http/1\.1|h2)\]$", re.DOTALL)


def pytest_terminal_summary(terminalreporter):
    passed = [_CASE.search(report.nodeid) for report in terminalreporter.stats.get("passed", [])]
    counts = collections.Counter((case["chapter"], case["way"]) for case in passed if case)
    if not counts:
        return
    terminalreporter.section("cases of RFC 6455", sep="-")
    terminalreporter.line(f"{'':58}{'HTTP/1.1':>10}{'HTTP/2':>10}")
    for chapter, title in _CHAPTERS.items():
        terminalreporter.line(_row(f"{'' if chapter == '8441' else '§' + chapter + ' '}{title}", counts, [chapter]))
    terminalreporter.line(_row("All", counts, _CHAPTERS))


def _row(title, counts, chapters):
    numbers = [sum(counts[chapter, way] for chapter in chapters) for way in ("http/1.1", "h2")]
    return f"{title:58}" + "".join(f"{number:>10,}" for number in numbers)
