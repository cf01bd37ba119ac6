"""`sluice demo` in a real browser: two people chat, and one of them loses the network. Screenshots go to $E2E_ARTIFACTS."""

import os
import pathlib
import re

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from edge import SLUICE
from processes import Child
from waiting import eventually, patient

ARTIFACTS = pathlib.Path(os.environ.get("E2E_ARTIFACTS", "/tmp/e2e-artifacts"))


class Demo:
    """A running demo: its page's address, and its processes."""

    def __init__(self, directory, *options):
        self.child = Child([SLUICE, "demo", "--port", "0", "--admin-port", "0", *options], directory, "demo")
        self.url = eventually(self._url, 20, "the demo printing its address")

    def _url(self):
        assert self.child.exit_code is None, self.child.errors
        found = re.search(r"Open (https://\S+)", self.child.output)
        return found and found.group(1)

    def workers(self):
        """Process numbers of the chat workers."""
        children = pathlib.Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read_text().split()
        return [int(child) for child in children]

    def close(self):
        self.child.signal(15)
        try:
            self.child.wait(patient(8))
        finally:
            self.child.kill()


class Window:
    """One person's browser, with its own cookies."""

    def __init__(self, url, name, directory, arguments=()):
        options = webdriver.ChromeOptions()
        options.binary_location = os.environ.get("E2E_CHROMIUM", "/usr/bin/chromium")
        for argument in [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--ignore-certificate-errors",
            "--window-size=1100,750", f"--user-data-dir={directory}/browser-{name}", *arguments]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.ChromeService(os.environ.get("E2E_CHROMEDRIVER", "/usr/bin/chromedriver"))
        self.driver = webdriver.Chrome(options, service)
        self.name = name
        self.driver.get(url)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return self.driver.execute_script(script, selector)

    def join(self):
        self.one("#name").send_keys(self.name)
        self.one("#login").click()
        self.wait_for_state("online")

    def say(self, text):
        self.one("#text").send_keys(text, Keys.ENTER)

    def say_at_once(self, texts):
        """Says several things faster than a person types."""
        script = """for (const text of arguments[0]) {
            document.getElementById("text").value = text;
            document.getElementById("composer").requestSubmit();
        }"""
        self.driver.execute_script(script, texts)

    def said(self):
        """Every message that is shown: sender and text, in order."""
        script = """return [...document.querySelectorAll("#messages li[data-seq]")].map(
            (item) => [item.dataset.sender, item.querySelector(".said").textContent])"""
        return [tuple(pair) for pair in self.driver.execute_script(script)]

    def state(self):
        return self.one("#state").get_attribute("data-state")

    def wait_for_state(self, *states, within=15):
        eventually(lambda: self.state() in states, within, f"{self.name} being {states}, not {self.state()}")

    def present(self):
        script = 'return [...document.querySelectorAll("#presence li[data-user]")].map((item) => item.dataset.user)'
        return sorted(self.driver.execute_script(script))

    def deliveries(self):
        script = 'return [...document.querySelectorAll("#messages li[data-delivery]")].map((item) => item.dataset.delivery)'
        return self.driver.execute_script(script)

    def network(self, is_on):
        """Takes the browser's network away, or gives it back."""
        self.driver.execute_cdp_cmd("Network.enable", {})
        conditions = {"offline": not is_on, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)

    def screenshot(self, name):
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(ARTIFACTS / f"{name}.png"))

    def close(self):
        self.driver.quit()


@pytest.fixture
def demo(directory, closing):
    return closing(Demo(directory))


@pytest.fixture
def people(demo, directory, closing):
    windows = [closing(Window(demo.url, name, directory)) for name in ("Ada", "Grace")]
    for window in windows:
        window.join()
    return windows


def test_two_people_chat_and_one_who_lost_the_network_catches_up(demo, people):
    ada, grace = people
    for window in people:
        eventually(lambda: window.present() == ["Ada", "Grace"], what="both being seen")

    # Messages arrive, in order, with their delivery shown.
    ada.say("Hello, Grace!")
    eventually(lambda: grace.said() == [("Ada", "Hello, Grace!")])
    grace.say("Hello, Ada! <b>not bold</b> & 'quoted'")
    eventually(lambda: len(ada.said()) == 2)
    assert ada.said() == grace.said() == [("Ada", "Hello, Grace!"), ("Grace", "Hello, Ada! <b>not bold</b> & 'quoted'")]
    eventually(lambda: ada.deliveries() == grace.deliveries() == ["sent"])
    assert not ada.driver.find_elements(By.CSS_SELECTOR, "#messages b")

    # Typing shows, and ends.
    grace.one("#text").send_keys("I am th")
    eventually(lambda: ada.texts("#typing") == ["Grace is typing…"])
    ada.screenshot("1-typing")
    grace.say("inking")
    eventually(lambda: ada.texts("#typing") == [""] and len(ada.said()) == 3)
    ada.screenshot("2-chat-ada")
    grace.screenshot("2-chat-grace")

    # One loses the network: it shows, what she writes waits, and afterwards nobody has missed anything.
    grace.network(False)
    grace.wait_for_state("offline", "reconnecting")
    eventually(lambda: ada.present() == ["Ada"], 30, "Grace being gone")
    for number in range(5):
        ada.say(f"While you were away {number}")
    grace.say("Written offline")
    eventually(lambda: grace.deliveries()[-1] == "sending")
    grace.screenshot("3-offline-grace")
    eventually(lambda: ada.deliveries() == ["sent"] * 6)
    assert len(grace.said()) == 4
    grace.network(True)
    grace.wait_for_state("online", within=30)
    eventually(lambda: len(grace.said()) == len(ada.said()) == 9, 15, "everything being there on both sides")
    assert ada.said() == grace.said()
    assert ada.said()[3:8] == [("Ada", f"While you were away {number}") for number in range(5)]
    assert ada.said()[8] == ("Grace", "Written offline")
    eventually(lambda: set(grace.deliveries()) == {"sent"})
    assert not grace.driver.find_elements(By.CSS_SELECTOR, "#messages li[data-gap]")
    grace.screenshot("4-caught-up-grace")
    ada.screenshot("4-caught-up-ada")


def test_people_survive_the_death_of_a_worker(demo, people):
    ada, grace = people
    ada.say("Before")
    eventually(lambda: len(grace.said()) == 1)
    victim, _ = demo.workers()
    os.kill(victim, 9)
    # Whoever was on it comes back on the other.
    for window in people:
        eventually(lambda: window.state() == "online" and window.present() == ["Ada", "Grace"], 30, "both being back")
    ada.say("After")
    eventually(lambda: ("Ada", "After") in grace.said(), 15)
    grace.say("So am I")
    eventually(lambda: ("Grace", "So am I") in ada.said(), 15)
    ada.screenshot("5-worker-died-ada")


def test_the_page_says_nothing_bad_on_the_console_and_has_a_dark_side(demo, people):
    ada, _ = people
    ada.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    ada.say("Good evening")
    eventually(lambda: len(ada.said()) == 1)
    ada.screenshot("6-dark-ada")
    ada.driver.set_window_size(420, 800)
    ada.screenshot("7-narrow-ada")
    severe = [entry for entry in ada.driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert severe == []


def test_who_writes_fast_is_told_so_and_loses_nothing(demo, people):
    ada, grace = people
    ada.say_at_once([f"Quickly {number}" for number in range(12)])
    eventually(lambda: ada.texts("#slow")[0].startswith("You are writing fast."), what="the page telling it")
    ada.screenshot("8-slow-ada")
    eventually(lambda: grace.said() == [("Ada", f"Quickly {number}") for number in range(12)], 20, "everything arriving, in order")
    eventually(lambda: ada.texts("#slow") == [""], what="the notice going away")
    assert ada.state() == grace.state() == "online"


def test_a_login_that_runs_out_is_renewed_without_a_reconnect(directory, closing):
    demo = closing(Demo(directory, "--token-lifetime", "8s"))
    window = closing(Window(demo.url, "Ada", directory))
    window.join()
    script = """new MutationObserver(() => (window.sessionSeen ??= []).push(document.getElementById("session").dataset.session))
        .observe(document.getElementById("session"), { attributes: true });
        new MutationObserver(() => (window.statesSeen ??= []).push(document.getElementById("state").dataset.state))
        .observe(document.getElementById("state"), { attributes: true, attributeFilter: ["data-state"] });"""
    window.driver.execute_script(script)
    renewals = lambda: (window.driver.execute_script("return window.sessionSeen ?? []")).count("renewed")
    eventually(lambda: renewals() >= 3, 30, "three renewals: longer than the first login lasts")
    window.screenshot("9-renewed-ada")
    assert set(window.driver.execute_script("return window.statesSeen ?? []")) <= {"online"}


def test_the_console_opens_with_the_token_that_the_demo_prints(demo, directory, closing):
    printed = eventually(lambda: re.search(r"The console is at (\S+); its token is (\S+)\n", demo.child.output))
    url, token = printed.groups()
    window = closing(Window(url, "operator", directory))
    eventually(lambda: window.one("#sign-in").is_displayed(), what="the form")
    window.one("#token").send_keys(token, Keys.ENTER)
    eventually(lambda: window.texts("#who") == ["demo · admin"], what="the console")
    eventually(lambda: len(window.texts("#workers-table tbody tr")) == 2, what="both workers")


def test_a_name_that_is_not_allowed_is_refused_with_a_sentence(demo, directory, closing):
    window = closing(Window(demo.url, "x" * 31, directory))
    window.one("#name").send_keys("a\u202eb")
    window.one("#login").click()
    eventually(lambda: window.texts("#login-error") != [""], what="a sentence")
    assert window.one("#welcome").is_displayed()


def test_the_demo_ends_on_terminate_and_leaves_nothing_behind(directory):
    demo = Demo(directory)
    workers = demo.workers()
    assert len(workers) == 2
    before = set(pathlib.Path("/tmp").glob("sluice-demo*"))
    demo.child.signal(15)
    assert demo.child.wait(patient(8)) == 0
    eventually(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in workers), what="the workers being gone")
    assert len(set(pathlib.Path("/tmp").glob("sluice-demo*"))) < max(len(before), 1)
