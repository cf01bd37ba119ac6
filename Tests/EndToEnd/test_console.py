"""The console in a real browser, before an edge with real clients. Screenshots go to $E2E_ARTIFACTS."""

import hashlib
import json
import os
import pathlib
import re
import socket
import threading

import pytest
from selenium import webdriver
from selenium.common.exceptions import (
    ElementNotInteractableException, NoSuchElementException, StaleElementReferenceException)
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from edge import Edge, configuration, open_route
from frames import TEXT, FrameStream, frame, upgrade_request
from ports import HeldPort
from waiting import eventually, patient

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
        self.driver.set_script_timeout(patient(30))
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
        eventually(lambda: self.is_shown(selector) and self._is_clicked(selector), what=f"{selector} being clicked")

    def _is_clicked(self, selector):
        """Clicks, unless something is before it at the moment, or another has just taken its place."""
        try:
            self.one(selector).click()
        except (ElementNotInteractableException, NoSuchElementException, StaleElementReferenceException):
            return False
        return True

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
        eventually(lambda: self.is_shown("#sign-in"), what="the form")
        self.fill("#token", TOKENS[role])
        self.keys(Keys.ENTER)
        eventually(lambda: self.is_shown("#tiles"), what="the console")

    def go(self, view):
        self.run("location.hash = arguments[0]", f"#/{view}")

    def column(self, table, name):
        """What the cells of a column say, from top to bottom. Rows that are gone and only keep their place say nothing."""
        return self.texts(f"#{table} tbody tr:not(.empty, [data-gone]) [data-column={name}]")

    def nameless(self):
        """What can be used and has no name in the tree that screen readers read."""
        tree = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        roles = {"button", "checkbox", "combobox", "link", "listbox", "radio", "searchbox", "spinbutton", "textbox", "dialog", "table"}
        used = [node for node in tree if not node["ignored"] and node["role"]["value"] in roles]
        assert used
        return [node["role"]["value"] for node in used if not node.get("name", {}).get("value")]

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
    eventually(lambda: browser.is_shown("#sign-in") and browser.focused() == "token", what="the form, with the focus where one writes")
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
    browser.wait_for_text("#about", answer["version"])
    streams[0].close()
    eventually(lambda: browser.text("[data-tile=connections] .value") == "2", what="one less")


def test_every_tile_says_what_happens_and_draws_a_line_of_it(start, browser, enter, site, closing):
    tls = {"certificates": [{"chain": str(site.chain), "key": str(site.key)}]}
    edge = start(listeners=[
        {"name": "plain", "address": "127.0.0.1:0"}, {"name": "secure", "address": "127.0.0.1:0", "tls": tls}])
    stream = enter(edge, "ada")
    slowed = enter(edge, "bob")
    [bob] = edge.connections(user="bob")
    browser.sign_in(edge.page)
    eventually(lambda: browser.text("[data-tile=connections] .value") == "2", what="two connections")
    edge.admin("PUT", f"/api/v1/connections/{bob['id']}/throttle", {"messages_per_second": 1, "burst": 1})
    slowed.send(frame(TEXT, b"too fast") * 1000)

    def happens(selector, pattern):
        """Lets things happen until a tile tells of them: several, since a tile shows what happens in a second."""
        for _ in range(10):
            stream.send_frame(TEXT, b"hello")
            stream.frame()
            refused = closing(FrameStream(edge.connect("plain")))
            refused.send(upgrade_request("/ws"))
            assert refused.response().status == 401
        return re.search(pattern, browser.text(selector) or "")

    for tile, part, pattern in [
            ("messages-in", "value", r"^[1-9][\d.]*k?/s$"), ("messages-out", "value", r"^[1-9][\d.]*k?/s$"),
            ("refused", "value", r"^[1-9][\d.]*k?/s$"), ("refused", "detail", r"^token missing [1-9]"), ("throttled", "value", r"^1$"),
            ("state", "value", "^Serving$"), ("certificates", "value", r"^\d+ d$"), ("configuration", "value", r"^\d+ (m \d\d )?s$")]:
        eventually(lambda: happens(f"[data-tile={tile}] .{part}", pattern), 20, f"{tile} saying {pattern}")
    days = status(edge)["next_certificate_expiry"]["days_left"]
    assert browser.text("[data-tile=certificates] .value") == f"{int(days)} d"
    for tile in ("connections", "messages-in", "messages-out", "refused", "throttled"):
        line = f"[data-tile={tile}] .sparkline .line"
        eventually(lambda: "L" in browser.one(line).get_attribute("d"), what=f"the line of {tile}")


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
    eventually(lambda: browser.column("open-connections", "messages-in")[:1] == ["3"], what="who said most coming first")
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


def test_a_ban_from_a_row_says_how_many_it_closes_and_is_taken_away_again(start, browser, enter):
    edge = start()
    ada, bob = [enter(edge, "ada"), enter(edge, "ada")], enter(edge, "bob")
    browser.sign_in(edge.page, "operator")
    browser.go("connections?user=ada")
    browser.click("#open-connections [data-action=ban]")
    browser.wait_for_text("#rule-dialog .count", "This concerns 2 connections that are open now.")
    browser.fill("#rule-dialog [name=ttl]", "1h")
    browser.fill("#rule-dialog [name=reason]", HOSTILE)
    browser.keys(Keys.ENTER)
    assert [stream.close_frame() for stream in ada] == [(4403, "banned")] * 2
    browser.wait_for_text("#notices", "is in force and closed 2 connections.")
    assert [(rule["user"], rule["reason"]) for rule in edge.rules()] == [("ada", HOSTILE)]
    browser.go("rules")
    eventually(lambda: browser.column("rules-table", "reason") == [HOSTILE], what="the rule")
    assert browser.column("rules-table", "by") == ["operator-token"]
    assert re.match(r"5\d m|1 h", browser.column("rules-table", "expires")[0])
    browser.click("#rules-table [data-action=remove]")
    browser.click("#confirm-dialog .confirm")
    eventually(lambda: edge.rules() == [], what="the rule being taken away")
    eventually(lambda: browser.column("rules-table", "id") == [], what="the row going")
    bob.send_frame(TEXT, b"still here")
    assert bob.frame().payload == b"still here"


def test_many_are_closed_once_their_count_is_confirmed(start, browser, enter):
    edge = start()
    spam, others = [enter(edge, f"spam-{number}") for number in range(3)], [enter(edge, "ada") for _ in range(2)]
    browser.sign_in(edge.page, "operator")

    # Those that are selected
    browser.go("connections?sort=user")
    eventually(lambda: len(browser.column("open-connections", "user")) == 5, what="the connections")
    for row in browser.driver.find_elements(By.CSS_SELECTOR, "#open-connections tbody tr")[:2]:
        row.find_element(By.CSS_SELECTOR, "input").click()
    browser.wait_for_text("#selection-count", "2 selected")
    chosen = browser.column("open-connections", "user")[:2]
    browser.click("#kick-selected")
    browser.wait_for_text("#kick-dialog .count", "This closes 2 connections now.")
    assert len(edge.connections()) == 5
    browser.fill("#kick-dialog [name=reason]", "bulk")
    browser.click("#kick-dialog .confirm")
    assert {spam[int(user[-1])].close_frame() for user in chosen} == {(4403, "bulk")}
    browser.wait_for_text("#notices", "Closed 2 connections.")

    # All that match, at a pace, which is shown
    more = [enter(edge, "mallory") for _ in range(40)]
    browser.go("connections?user=mallory")
    browser.click("#kick-matching")
    browser.wait_for_text("#kick-dialog .confirm", "Close 40 connections")
    browser.fill("#kick-dialog [name=rate_per_second]", "1")
    browser.click("#kick-dialog .confirm")
    browser.wait_for_text("#jobs", "Closing 40 connections")
    eventually(lambda: len(edge.connections(user="mallory", state="open")) < len(more), what="the first being closed")
    browser.click("#jobs button")
    browser.wait_for_text("#jobs", "Closed ")
    assert edge.connections(user="mallory", state="open")
    assert len(edge.connections(user="ada")) == len(others)

    # And how they ended
    browser.go("connections?state=closed&user=" + chosen[0])
    eventually(lambda: browser.column("closed-connections", "reason") == ["bulk"], what="the end")
    assert browser.column("closed-connections", "code") == ["4403"]
    assert browser.column("closed-connections", "initiator") == ["edge"]


def test_those_that_are_selected_are_throttled_or_banned_together(start, browser, enter):
    edge = start()
    *banned, _ = [enter(edge, user) for user in ("ada", "ada", "bob")]
    browser.sign_in(edge.page, "operator")
    browser.go("connections?sort=user&order=asc")
    eventually(lambda: browser.column("open-connections", "user") == ["ada", "ada", "bob"], what="the connections")
    for box in browser.driver.find_elements(By.CSS_SELECTOR, "#open-connections tbody input")[:2]:
        box.click()
    browser.click("#throttle-selected")
    browser.wait_for_text("#throttle-dialog .count", "This slows 2 connections down.")
    browser.fill("#throttle-dialog [name=messages_per_second]", "3")
    browser.click("#throttle-dialog .confirm")
    browser.wait_for_text("#notices", "Throttled 2 connections.")
    assert {one["user"] for one in edge.connections() if one["throttle"]} == {"ada"}
    browser.click("#ban-selected")
    browser.wait_for_text("#rule-dialog .count", "This bans 1 user and closes 2 connections now.")
    browser.click("#rule-dialog .confirm")
    browser.wait_for_text("#notices", "Put 1 ban in force.")
    for stream in banned:
        assert stream.close_frame() == (4403, "banned")
        stream.send_close(4403)
    assert [(rule["action"], rule["user"]) for rule in edge.rules()] == [("ban", "ada")]
    eventually(lambda: browser.column("open-connections", "user") == ["bob"], what="ada's rows going")


def test_one_is_throttled_from_its_row_for_a_time_and_let_go(start, browser, enter):
    edge = start()
    enter(edge, "ada")
    browser.sign_in(edge.page, "operator")
    browser.go("connections")
    browser.click("#open-connections [data-action=throttle]")
    browser.fill("#throttle-dialog [name=messages_per_second]", "3")
    browser.fill("#throttle-dialog [name=ttl]", "5m")
    browser.click("#throttle-dialog .confirm")
    browser.wait_for_text("#notices", "Throttled 1 connection.")
    throttle = edge.connections()[0]["throttle"]
    assert throttle["messages_per_second"] == 3 and throttle["until"] is not None
    browser.wait_for_text("#open-connections [data-action=throttle]", "Unthrottle")
    browser.click("#open-connections [data-action=throttle]")
    eventually(lambda: edge.connections()[0]["throttle"] is None, what="the throttle going")
    eventually(lambda: browser.text("#open-connections [data-action=throttle]") == "Throttle", what="the button")

    # Or who has it, with whatever comes
    browser.click("#open-connections [data-action=throttle]")
    browser.click("#throttle-dialog [value=user]")
    browser.wait_for_text("#throttle-dialog .count", "This slows down 1 connection that is open now.")
    browser.click("#throttle-dialog .confirm")
    eventually(lambda: [(rule["action"], rule["user"]) for rule in edge.rules()] == [("throttle", "ada")], what="a rule")


def test_who_talks_most_is_on_top_and_leads_to_their_connections(start, browser, enter):
    edge = start()
    streams = [(enter(edge, user), times) for user, times in [("ada", 1), (HOSTILE, 9)]]

    def talk():
        """The table is about those who talk now."""
        for stream, times in streams:
            for _ in range(times):
                stream.send_frame(TEXT, b"hello")
                stream.frame()

    def top():
        """Who is shown, with the number of their messages: of one moment."""
        talk()
        rows = browser.run("""return [...document.querySelectorAll("#top-table tbody tr:not(.empty)")].map((row) =>
            ["key", "messages-in"].map((column) => row.querySelector(`[data-column=${column}]`).textContent))""")
        return {key: int(count.replace(",", "")) for key, count in rows}

    def is_in_order():
        counts = top()
        return list(counts) == [HOSTILE, "ada"] and counts[HOSTILE] > counts["ada"] > 0

    def leads_there():
        talk()
        browser.run(
            "[...document.querySelectorAll('#top-table a')].find((link) => link.textContent === arguments[0])?.click()", HOSTILE)
        return browser.column("open-connections", "user") == [HOSTILE]

    browser.sign_in(edge.page, "viewer")
    browser.run("const by = document.getElementById('top-by'); by.value = 'user'; by.dispatchEvent(new Event('change'))")
    eventually(is_in_order, what="both, in order")
    eventually(leads_there, what="the connection")


def test_a_worker_is_drained_with_its_clients_and_taken_back(start, browser, enter):
    edge = start()
    stream = enter(edge, "ada")
    browser.sign_in(edge.page, "operator")
    browser.click("#workers-table [data-action=drain]")
    browser.click("#worker-dialog [name=close_clients]")
    browser.fill("#worker-dialog [name=spread_seconds]", "0")
    browser.wait_for_text("#worker-dialog .confirm", "Drain it, close 1 client")
    browser.click("#worker-dialog .confirm")
    assert stream.close_frame()[0] == 1012
    eventually(lambda: browser.column("workers-table", "state") == ["drain"], what="the state")
    browser.click("#workers-table [data-action=ready]")
    eventually(lambda: browser.column("workers-table", "state") == ["up"], what="the state")
    browser.click("#workers-table [data-action=weight]")
    browser.fill("#weight-dialog [name=weight]", "7")
    browser.keys(Keys.ENTER)
    eventually(lambda: edge.workers()[0]["weight"] == 7, what="the weight")
    eventually(lambda: browser.column("workers-table", "weight") == ["7"], what="the weight being shown")


def test_the_edge_is_drained_and_taken_back(start, browser, enter):
    edge = start()
    enter(edge, "ada")
    browser.sign_in(edge.page, "operator")
    eventually(lambda: browser.text("[data-tile=connections] .value") == "1", what="a connection")
    browser.click("#drain")
    browser.fill("#drain-dialog [name=spread_seconds]", "soon")
    browser.wait_for_text("#drain-dialog .error", "Write how long as")
    browser.fill("#drain-dialog [name=spread_seconds]", "10m")
    browser.wait_for_text("#drain-dialog .count", "1 connection will be closed with 1012, spread over 10 m 00 s.")
    browser.click("#drain-dialog .confirm")
    browser.wait_for_text("[data-tile=state] .value", "Draining")
    assert status(edge)["draining"]
    browser.click("#drain")
    browser.click("#confirm-dialog .confirm")
    browser.wait_for_text("[data-tile=state] .value", "Serving")
    assert not status(edge)["draining"]


def test_a_viewer_sees_everything_and_finds_out_why_they_may_do_nothing(start, browser, enter):
    edge = start()
    enter(edge, "ada")
    browser.sign_in(edge.page, "viewer")
    why = "This needs the role operator; viewer-token is viewer."
    for view, selectors in {
        "overview": ["#drain", "#workers-table [data-action=drain]", "#top-table button"],
        "connections": ["#open-connections [data-action=kick]"], "rules": ["#add-rule"], "configuration": ["#validate"]}.items():
        browser.go(view)
        for selector in selectors:
            eventually(lambda: browser.is_shown(selector) or selector.startswith("#top"), what=f"{selector} being shown")
            for button in browser.driver.find_elements(By.CSS_SELECTOR, selector):
                assert (button.get_attribute("aria-disabled"), button.get_attribute("title")) == ("true", why)
                browser.run("arguments[0].click()", button)
                assert browser.run("return document.querySelectorAll('dialog[open]').length") == 0
    browser.go("connections")
    assert "admin" in browser.one("#kick-matching").get_attribute("title")
    assert not browser.one("#log-level").is_enabled()
    assert len(edge.connections()) == 1


def test_the_feed_shows_what_happens_and_can_be_held(start, browser, enter):
    edge = start()
    browser.sign_in(edge.page, "viewer")
    browser.go("events")
    browser.wait_for_text("#stream-state", "Live")
    stream = enter(edge, HOSTILE)
    eventually(lambda: browser.texts("#event-list [data-type=opened] .who") == [f"{HOSTILE} · 127.0.0.1"], what="the event")
    browser.click("#pause")
    stream.close()
    browser.wait_for_text("#pause", "Go on (1 new)")
    assert browser.texts("#event-list [data-type=closed]") == []
    browser.click("#pause")
    eventually(lambda: len(browser.texts("#event-list [data-type=closed]")) == 1, what="the end")
    browser.click("#event-types [value=opened]")
    browser.wait_for_text("#stream-state", "Live")
    enter(edge, "bob").close()
    eventually(lambda: len(browser.texts("#event-list [data-type=closed]")) == 2, what="bob's end")
    assert len(browser.texts("#event-list [data-type=opened]")) == 1


def test_a_configuration_is_checked_reloaded_and_its_difference_shown(start, browser):
    edge = start()
    browser.sign_in(edge.page)
    browser.go("configuration")
    eventually(lambda: "routes:" in (browser.text("#yaml") or ""), what="the configuration")
    assert "tokens_file" in browser.text("#yaml")
    document = json.loads(edge.path.read_text())

    # Checked: nothing changes
    document["routes"][0]["messages"] = {"rate": "7/s"}
    browser.run("document.getElementById('draft').value = arguments[0]", json.dumps(document, indent=1))
    browser.click("#validate")
    browser.wait_for_text("#validate-result", "Valid. A reload with it would change:")
    assert any("7/s" in text for text in browser.texts("#validate-result .new"))
    browser.run("document.getElementById('draft').value = 'routes:\\n  - nmae: x\\n'")
    browser.click("#validate")
    browser.wait_for_text("#validate-result", "nmae")
    browser.click("#validate-result li:has(button) button")
    assert browser.focused() == "draft"

    # Reloaded: what changed is shown, and a bad file changes nothing
    edge.path.write_text(json.dumps(document))
    browser.click("#reload")
    browser.click("#confirm-dialog .confirm")
    browser.wait_for_text("#notices", "The configuration was reloaded.")
    assert any("7/s" in text for text in browser.texts("#reload-result .new"))
    edge.path.write_text("nonsense: true")
    browser.click("#reload")
    browser.click("#confirm-dialog .confirm")
    browser.wait_for_text("#reload-result", "nonsense")
    browser.keys(Keys.ESCAPE)
    browser.wait_for_text("[data-tile=configuration] .detail", "last reload failed")
    browser.screenshot("configuration-errors")


# How it is used


def test_everything_can_be_done_with_the_keyboard_alone(start, browser, enter):
    edge = start()
    stream = enter(edge, "ada")
    browser.open(edge.page)
    eventually(lambda: browser.focused() == "token", what="the form having the focus")
    browser.keys(TOKENS["operator"], Keys.ENTER)
    eventually(lambda: browser.is_shown("#tiles"), what="the console")

    def tab_to(words, key=Keys.TAB, most=60):
        for _ in range(most):
            browser.keys(key)
            if browser.focused() == words:
                ring = "return getComputedStyle(document.activeElement).outlineStyle"
                assert browser.run(ring) == "solid", f"{words} has the focus, and nobody sees it"
                return
        raise AssertionError(f"Tab does not lead to {words}")

    tab_to("skip")
    browser.keys(Keys.ENTER)
    assert browser.focused() == "main"
    tab_to("Connections", Keys.SHIFT + Keys.TAB)
    browser.keys(Keys.NULL, Keys.ENTER)
    eventually(lambda: browser.column("open-connections", "user") == ["ada"], what="the connection")
    tab_to("Msgs in")
    browser.keys(Keys.ENTER)
    eventually(lambda: browser.one("th[data-sort=messages]").get_attribute("aria-sort") == "descending", what="the order")
    tab_to("Kick")
    browser.keys(Keys.ENTER)
    eventually(lambda: browser.focused() == "code", what="the dialog having the focus")
    browser.keys(Keys.ESCAPE)
    eventually(lambda: browser.focused() == "Kick", what="the focus going back")
    browser.keys(Keys.ENTER)
    eventually(lambda: browser.focused() == "code", what="the dialog having the focus")
    browser.keys(Keys.ENTER)
    assert stream.close_frame() == (4403, "kicked")


def test_while_the_edge_is_away_the_page_says_how_old_it_is_and_goes_on_when_it_is_back(start, browser, directory, closing):
    port = closing(HeldPort())
    admin = {"listen": [f"unix:{directory}/admin.sock", port.address], "tokens_file": str(directory / "tokens")}
    edge = start(admin=admin)
    browser.sign_in(edge.page)
    eventually(lambda: browser.text("[data-tile=connections] .value") == "0", what="a tile")
    edge.close()
    eventually(lambda: browser.is_shown("#unreachable"), what="the banner")
    browser.wait_for_text("#unreachable-text", "The edge does not answer. What you see is old.")
    eventually(lambda: browser.text("#unreachable-age") not in ("", "0 s old"), what="its age")
    assert browser.text("[data-tile=connections] .value") == "0"
    # Refused, or cut off in the middle: nothing else may be wrong with the page.
    assert all("net::ERR_" in entry["message"] for entry in browser.complaints())
    start(admin=admin)
    browser.run("document.getElementById('retry').click()")
    eventually(lambda: not browser.is_shown("#unreachable"), what="the banner going")
    browser.complaints()


def test_a_hidden_tab_asks_nothing_and_what_it_asks_never_piles_up(start, browser):
    edge = start()
    counting = """const ask = window.fetch; window.asked = 0; window.most = {}; const open = {};
        window.fetch = async (url, ...rest) => {
            window.asked += 1;
            const path = url.split("?")[0];
            open[path] = (open[path] ?? 0) + 1;
            window.most[path] = Math.max(window.most[path] ?? 0, open[path]);
            try { return await ask(url, ...rest); } finally { open[path] -= 1; }
        };"""
    script = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": counting})
    browser.sign_in(edge.page)
    eventually(lambda: browser.run("return window.asked") > 7, 20, "questions")
    browser.driver.minimize_window()
    eventually(lambda: browser.run("return document.hidden"), what="the page being hidden")
    then, asked = browser.run("return [performance.now(), window.asked]")
    eventually(lambda: browser.run("return performance.now()") > then + 2500, what="more than every interval")
    assert browser.run("return window.asked") == asked
    browser.driver.set_window_rect(0, 0, 1280, 900)
    eventually(lambda: browser.run("return window.asked") > asked, what="questions again")
    assert max(browser.run("return window.most").values()) == 1
    browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_it_is_legible_in_both_themes_and_fits_both_widths(start, browser, enter):
    edge = start()
    for user in ["ada", "grace.hopper", HOSTILE]:
        stream = enter(edge, user, fields=[("Origin", "https://chat.example.com")])
        stream.send_frame(TEXT, b"hello")
    edge.rule("throttle", user="ada", messages_per_second=5)
    edge.rule("ban", cidr="192.0.2.0/24", ttl_seconds=3600, reason="spam")
    browser.prefer(prefers_color_scheme="light")
    browser.sign_in(edge.page)
    try:
        for theme in ["light", "dark"]:
            browser.prefer(prefers_color_scheme=theme)
            for width, height in [(1280, 900), (390, 844)]:
                browser.resize(width, height)
                for view in ["overview", "connections", "rules", "events", "configuration"]:
                    browser.go(view)
                    eventually(lambda: browser.is_shown(f"#{view}"), what=view)
                    browser.screenshot(f"{view}-{theme}-{width}")
                    assert browser.run("return document.documentElement.scrollWidth") <= width, f"{view} is wider than {width}"
                    assert browser.module("return " + ILLEGIBLE) == []
                    assert browser.nameless() == [], f"{view}: what a screen reader could not say"
            browser.run("document.getElementById('add-rule').click()")
            browser.screenshot(f"dialog-{theme}-390")
            assert browser.module("return " + ILLEGIBLE) == []
            assert browser.nameless() == []
            browser.keys(Keys.ESCAPE)
    finally:
        browser.resize(1280, 900)
    ground = "return getComputedStyle(document.body).backgroundColor"
    dark = browser.run(ground)
    browser.click("#theme")
    assert browser.text("#theme") == "Theme: light"
    assert browser.run(ground) != dark
    browser.prefer()


# Texts whose contrast is below what WCAG 2.2 asks for (§1.4.3): 4.5, or 3 for large ones. What cannot be used does not count.
ILLEGIBLE = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, index) => sum + c * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    const hasText = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!hasText || !node.checkVisibility() || node.closest("[aria-disabled], :disabled")) continue;
    const style = getComputedStyle(node);
    const [a, b] = [luminance(rgba(style.color)), luminance(ground(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const isLarge = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) found.push(`${node.tagName} ${node.className} ${node.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return found;
})()"""


# Its parts


def test_a_stream_is_read_right_wherever_it_is_split(start, browser):
    browser.open(start().page)
    text = ": heartbeat\n\nid: 1\nevent: opened\ndata: {\"user\":\"é\"}\n\ndata:a\r\ndata:b\r\n\r\nevent: none\n\ndata\r\rdata: x\n\ndata: cut"
    expected = [["opened", '{"user":"é"}', "1"], ["message", "a\nb", "1"], ["message", "", "1"], ["message", "x", "1"]]
    script = """const { EventParser } = await import("/console/sse.js");
        const [text] = given, results = new Set();
        for (let at = 0; at <= text.length; at += 1) {
          const parser = new EventParser();
          const events = [...parser.push(text.slice(0, at)), ...parser.push(text.slice(at))];
          results.add(JSON.stringify(events.map(({ type, data, id }) => [type, data, id])));
        }
        const parser = new EventParser();
        let endless = parser.push("data: ");
        for (let times = 0; times < 100; times += 1) endless = parser.push("x".repeat(10_000));
        endless = parser.push("\\n\\ndata: after\\n\\n");
        return [[...results].map((result) => JSON.parse(result)), endless.map(({ data }) => data)];"""
    assert browser.module(script, text) == [[expected], ["after"]]


def test_values_are_written_as_people_read_them(start, browser):
    browser.open(start().page)
    cases = {
        "count": [(0, "0"), (12345, "12,345"), (None, "–")],
        "short": [(0, "0"), (7.46, "7.5"), (840.4, "840"), (1000, "1.0k"), (12449, "12.4k"), (999_960, "1.0M"), (3_100_000, "3.1M")],
        "bytes": [(0, "0 B"), (999, "999 B"), (1536, "1.5 KiB"), (1_048_575, "1.0 MiB"), (2 * 1024**3, "2.0 GiB"), (None, "–")],
        "duration": [(0, "0 s"), (59.9, "59 s"), (723, "12 m 03 s"), (15_120, "4 h 12 m"), (273_600, "3 d 04 h"), (-5, "0 s"), (None, "–")],
        "clock": [("2026-01-31T12:33:05.250Z", "12:33:05"), ("never", "–")],
        "parseDuration": [("", None), ("90", 90), ("90s", 90), (" 10 m ", 600), ("1h", 3600), ("2d", 172_800), ("soon", "NaN")],
    }
    script = """const format = await import("/console/format.js");
        return given[0].map(([name, value]) => { const got = format[name](value); return Number.isNaN(got) ? "NaN" : got; });"""
    flat = [(name, value) for name, values in cases.items() for value, _ in values]
    assert browser.module(script, flat) == [text for values in cases.values() for _, text in values]


def test_an_edge_without_an_endpoint_has_a_section_that_says_so(start, browser):
    edge = start()
    hiding = """const ask = window.fetch;
        window.fetch = (url, ...rest) => ask(url.startsWith("/api/v1/workers") ? "/api/v1/nothing" : url, ...rest);"""
    script = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": hiding})
    browser.sign_in(edge.page)
    browser.wait_for_text("#workers .note", "This edge does not offer this")
    assert not browser.is_shown("#workers-table")
    assert browser.is_shown("#tiles")
    browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
