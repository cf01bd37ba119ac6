"""Fixtures: a short directory of one's own, the site's keys, and things that are closed whatever happens."""

import asyncio
import contextlib
import inspect
import pathlib
import shutil
import tempfile

import pytest

from edge import SLUICE, Edge, configuration, open_route
from processes import REPORTS
from rawstreams import RawConnection
from relayed import Relayed
from tokens import Site
from ways import OwnConnections
from workers import ForeignWorker, RawWorker, RespondingWorker

pytest_plugins = ["conformance.counting"]
# A case that fails says what was compared.
pytest.register_assert_rewrite("conformance.proof")


def pytest_configure(config):
    if not SLUICE.exists():
        raise pytest.UsageError(f"{SLUICE} is missing: build first, or set EDGE_BIN_DIR")


def pytest_pyfunc_call(pyfuncitem):
    """Runs tests that are coroutines."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown():
    """A test in which a sanitizer found something has failed, whatever the test itself saw."""
    result = yield
    found = set(pathlib.Path(REPORTS).iterdir()) - _known_reports if REPORTS else set()
    _known_reports.update(found)
    assert not found, "\n".join(path.read_text(errors="replace") for path in found)
    return result


_known_reports = set()


@contextlib.contextmanager
def short_directory():
    """A new directory with a path short enough for socket names (107 bytes)."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="edge-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def directory():
    with short_directory() as path:
        yield path


@pytest.fixture(scope="module")
def module_directory():
    with short_directory() as path:
        yield path


@pytest.fixture(scope="session")
def site():
    with short_directory() as path:
        yield Site(path)


@pytest.fixture(scope="module")
def echo_worker(module_directory):
    """A worker on node's `ws`, which echoes."""
    started = ForeignWorker("node", module_directory)
    try:
        started.wait_until_ready()
        yield started
    finally:
        started.close()


@pytest.fixture
def closing():
    """`closing(thing)` gives it back, and closes it when the test ends, last first."""
    with contextlib.ExitStack() as stack:

        def register(thing):
            stack.callback(thing.close)
            return thing

        yield register


@pytest.fixture
def start_edge(directory, site, closing):
    """Starts an edge; its directory is the test's. `routes` defaults to one open route to the pool `main`."""

    def start(pools, routes=None, descriptors=None, clock=None, environment=None, passed=None, **sections):
        document = configuration(directory, site, pools, routes or [open_route()], **sections)
        return closing(Edge(directory, site, document, descriptors, clock, environment, passed))

    return start


@pytest.fixture
def raw_worker(directory, closing):
    """A worker that the test plays by hand."""
    return closing(RawWorker(directory / "worker.sock"))


@pytest.fixture
def way(request, closing):
    """How WebSockets come: by HTTP/1.1, where a test does not say `both_ways`."""
    return closing(getattr(request, "param", OwnConnections)())


@pytest.fixture
def relayed(start_edge, raw_worker, way):
    """Makes an edge in front of a hand-played worker; arguments are those of `start_edge`, with the pools besides `main`."""

    def make(routes=None, pools=None, **sections):
        return Relayed(start_edge({"main": [raw_worker.path]} | (pools or {}), routes, **sections), raw_worker, way)

    return make


@pytest.fixture
def responding_worker(directory, closing):
    return closing(RespondingWorker(directory / "worker.sock"))


@pytest.fixture
def dial(edge, closing):
    """A raw connection of HTTP/2 to the `edge` of the file, by TLS; arguments are those of `RawConnection`."""
    return lambda **how: closing(RawConnection(edge.connect(protocols=["h2"]), **how))
