"""The console in a real browser, before an edge with real clients. Screenshots go to $E2E_ARTIFACTS."""

import hashlib
import json
import os
import pathlib
import socket
import threading

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from edge import Edge, configuration, open_route
from frames import TEXT, FrameStream, upgrade_request
from waiting import eventually, slow

ARTIFACTS = pathlib.Path(os.environ.get("E2E_ARTIFACTS", "/tmp/e2e-artifacts"))
TOKENS = {role: f"token-of-{role}-0123456789abcdef" for role in ("viewer", "operator", "admin")}
HOSTILE = '<img src=x onerror="window.isBroken=1">'


class Browser:
    """One Chromium, for all tests of the file."""

    def __init__(self, directory):
        options = webdriver.ChromeOptions()
        options.binary_location = os.environ.get("E2E_CHROMIUM", "/usr/bin/chromium")
        for argument in [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            f"--user-data-dir={directory}/browser"]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.ChromeService(os.environ.get("E2E_CHROMEDRIVER", "/usr/bin/chromedriver"))
        self.driver = webdriver.Chrome(options, service)
        self.resize(1280, 900)

    def resize(self, width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, **features):
        """Media features as the system would have them, such as `prefers_color_scheme="dark"`."""
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, url):
        """Opens a page as somebody new."""
        self.driver.get(url)
        self.driver.execute_script("sessionStorage.clear(); localStorage.clear()")
        self.driver.get("about:blank")
        self.driver.get(url)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def module(self, script, *arguments):
        """Runs the body of an async function, which may `import` modules of the page; gives what it returns."""
        body = f"const done = arguments[arguments.length - 1]; (async (...given) => {{ {script} }})(...arguments).then(done, (e) => done(String(e)))"
        return self.driver.execute_async_script(body, *arguments)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.textContent", selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map((node) => node.textContent)", selector)

    def wait_for_text(self, selector, text, within=10):
        eventually(lambda: text in (self.text(selector) or ""), within, f"{selector} saying {text}, not {self.text(selector)}")

    def click(self, selector):
        """Clicks as a mouse does, once something can be clicked."""
        eventually(lambda: self.is_shown(selector), what=f"{selector} being shown")
        self.one(selector).click()

    def is_shown(self, selector):
        return self.run("return document.querySelector(arguments[0])?.checkVisibility() ?? false", selector)

    def fill(self, selector, text):
        field = self.one(selector)
        field.clear()
        field.send_keys(text)

    def focused(self):
        """What has the focus, in words."""
        return self.run("const e = document.activeElement; return e.id || e.name || e.textContent.trim()")

    def keys(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def sign_in(self, url, role="admin"):
        self.open(url)
        self.fill("#token", TOKENS[role])
        self.keys(Keys.ENTER)
        eventually(lambda: self.is_shown("#tiles"), what="the console")

    def go(self, view):
        self.run("location.hash = arguments[0]", f"#/{view}")

    def column(self, table, name):
        """What the cells of a column say, from top to bottom."""
        return self.texts(f"#{table} tbody tr:not(.empty) [data-column={name}]")

    def screenshot(self, name):
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(ARTIFACTS / f"console-{name}.png"))

    def complaints(self):
        """What the browser logged since it was asked last, but for answers that are no success: the page reads those."""
        return [entry for entry in self.driver.get_log("browser") if "the server responded with a status of" not in entry["message"]]

    def close(self):
        self.driver.quit()


@pytest.fixture(scope="module")
def browser(module_directory):
    started = Browser(module_directory)
    yield started
    started.close()


@pytest.fixture
def start(directory, site, closing, echo_worker, browser):
    """Starts an edge with two reactors, a route with users and one without, and a token for each role.

    When the test is over, nothing was refused by the page's policy, no script failed, and nothing of a peer's was run.
    """

    def start(**sections):
        lines = [f"{role}:{role}-token:{hashlib.sha256(token.encode()).hexdigest()}\n" for role, token in TOKENS.items()]
        (directory / "tokens").write_text("".join(lines))
        routes = [open_route(name="chat", path="/ws") | {"auth": "main"}, open_route(name="open", path="/")]
        document = configuration(directory, site, {"main": [echo_worker.path]}, routes, **{
            "threads": 2, "listeners": [{"name": "plain", "address": "127.0.0.1:0"}],
            "admin": {"listen": [f"unix:{directory}/admin.sock", "127.0.0.1:0"], "tokens_file": str(directory / "tokens")},
        } | sections)
        edge = closing(Edge(directory, site, document))
        edge.page = f"http://{edge.admin_address()}/"
        return edge

    yield start
    assert browser.run("return window.isBroken === undefined")
    browser.driver.get("about:blank")
    assert browser.complaints() == []


@pytest.fixture
def enter(closing, site):
    """Opens a WebSocket, of a user where one is named."""

    def enter(edge, user=None, fields=()):
        stream = closing(FrameStream(edge.connect("plain")))
        fields = [*fields, ("Authorization", f"Bearer {site.token(user)}")] if user else fields
        stream.send(upgrade_request("/ws" if user else "/open", fields))
        response = stream.response()
        assert response.status == 101, response
        return stream

    return enter


def status(edge):
    return json.loads(edge.admin("GET", "/api/v1/status")[1])


# Who may come in


def test_a_token_opens_the_page_stays_in_the_tab_and_is_forgotten(start, browser):
    edge = start()
    browser.open(edge.page)
    eventually(lambda: browser.is_shown("#sign-in"), what="the form")
    assert browser.focused() == "token"
    browser.fill("#token", "wrong")
    browser.keys(Keys.ENTER)
    browser.wait_for_text("#sign-in-error", "does not know this token")
    browser.fill("#token", TOKENS["operator"])
    browser.keys(Keys.ENTER)
    browser.wait_for_text("#who", "operator-token · operator")
    assert TOKENS["operator"] not in browser.run("return location.href + document.cookie + JSON.stringify(localStorage)")
    browser.driver.refresh()
    browser.wait_for_text("#who", "operator-token · operator")
    browser.click("#sign-out")
    eventually(lambda: browser.is_shown("#sign-in"), what="the form")
    assert browser.run("return sessionStorage.length") == 0


def test_on_the_unix_socket_nobody_is_asked_for_a_token(start, browser, closing):
    edge = start()
    browser.open(closing(Forward(edge.directory / "admin.sock")).page)
    browser.wait_for_text("#who", "uid:")
    eventually(lambda: browser.text("[data-tile=connections] .value") == "0", what="a tile")
    assert not browser.is_shown("#sign-out")


def test_without_a_tokens_file_the_page_says_how_to_come_in(start, browser, directory):
    edge = start(admin={"listen": [f"unix:{directory}/admin.sock", "127.0.0.1:0"]})
    browser.open(edge.page)
    browser.wait_for_text("#sign-in-error", "admin.tokens_file")


class Forward:
    """A port that leads to a Unix socket, as `ssh -L` makes one."""

    def __init__(self, path):
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.page = f"http://localhost:{self._listener.getsockname()[1]}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            edge = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            edge.connect(str(self._path))
            for source, target in [(client, edge), (edge, client)]:
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    @staticmethod
    def _pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            target.close()

    def close(self):
        self._listener.close()


# What it shows


def test_the_tiles_say_what_the_api_says(start, browser, enter):
    edge = start()
    streams = [enter(edge, "ada") for _ in range(3)]
    browser.sign_in(edge.page)
    eventually(lambda: browser.text("[data-tile=connections] .value") == "3", what="three connections")
    assert browser.text("[data-tile=state] .value") == "Serving"
    answer = status(edge)
    assert f"of {answer['max_connections']:,}" in browser.text("[data-tile=connections] .detail")
    assert answer["version"] in browser.text("#about")
    streams[0].close()
    eventually(lambda: browser.text("[data-tile=connections] .value") == "2", what="one less")


def test_3000_connections_are_sorted_filtered_and_paged_by_the_edge(start, browser, enter, site):
    edge = start()
    for number in range(2997):
        enter(edge)
    ada = [enter(edge, "ada") for _ in range(2)]
    enter(edge, HOSTILE, fields=[("Origin", "https://<b>bold</b>.example")])
    for _ in range(3):
        ada[1].send_frame(TEXT, b"hello")
    browser.sign_in(edge.page)
    browser.go("connections")
    browser.wait_for_text("#page-range", "1–100 of 3,000 open")
    browser.screenshot("3000-connections")

    # Sorted
    browser.click("#open-connections th[data-sort=messages] button")
    eventually(lambda: browser.column("open-connections", "messages-in")[0] == "3", what="who said most coming first")
    assert browser.one("th[data-sort=messages]").get_attribute("aria-sort") == "descending"
    assert browser.column("open-connections", "user")[0] == "ada"

    # Paged: every connection once
    browser.go("connections?limit=1000&order=asc")
    seen = []
    for page in range(3):
        browser.wait_for_text("#page-range", f"{page * 1000 + 1:,}–{(page + 1) * 1000:,} of 3,000")
        seen += browser.run("return [...document.querySelectorAll('#open-connections tbody tr')].map((row) => row.dataset.key)")
        if page < 2:
            browser.click("#next-page")
    assert len(set(seen)) == 3000
    assert not browser.one("#next-page").is_enabled()

    # Filtered
    browser.fill("#filter [name=user]", "ada")
    browser.keys(Keys.ENTER)
    browser.wait_for_text("#page-range", "1–2 of 2 that match")
    assert browser.run("return location.hash") .endswith("user=ada")
    browser.fill("#filter [name=user]", HOSTILE)
    browser.keys(Keys.ENTER)
    browser.wait_for_text("#page-range", "1–1 of 1 that match")
    assert browser.column("open-connections", "user") == [HOSTILE]
    browser.click("#open-connections [data-column=id] button")
    browser.wait_for_text("#details-list", "https://<b>bold</b>.example")
    browser.keys(Keys.ESCAPE)
    browser.click("#clear-filter")
    browser.wait_for_text("#page-range", "of 3,000 open")


# What it does


def test_a_kick_closes_that_client_with_the_code_and_reason_that_were_given(start, browser, enter):
    edge = start()
    ada, bob = enter(edge, "ada"), enter(edge, "bob")
    browser.sign_in(edge.page, "operator")
    browser.go("connections?user=ada")
    browser.click("#open-connections [data-action=kick]")
    assert "ada" in browser.text("#kick-title")
    browser.fill("#kick-dialog [name=code]", "4000")
    browser.fill("#kick-dialog [name=reason]", "off you go")
    browser.keys(Keys.ENTER)
    assert ada.close_frame() == (4000, "off you go")
    ada.send_close(4000)
    browser.wait_for_text("#notices", "Closed the connection of ada with 4000 off you go.")
    eventually(lambda: browser.column("open-connections", "user") == [], what="the row going")
    browser.go("connections")
    eventually(lambda: browser.column("open-connections", "user") == ["bob"], what="bob being there still")
