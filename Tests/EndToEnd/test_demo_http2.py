"""The demo's page over HTTP/2 in headless Chromium: its WebSocket is a stream of its connection, by the browser's own word."""

import urllib.parse

import pytest

from cable import Cable
from networklog import NetworkLog
from test_demo import Demo, Window
from waiting import eventually


@pytest.fixture
def demo(directory, closing):
    return closing(Demo(directory))


class LoggedWindow(Window):
    """A browser that keeps a log of its network; `network_log` ends it, and gives the log."""

    def __init__(self, url, name, directory):
        self._path = directory / f"network-{name}.json"
        super().__init__(url, name, directory, [f"--log-net-log={self._path}", "--net-log-capture-mode=IncludeSensitive"])

    def network_log(self):
        self.close()
        return NetworkLog(self._path)


def port_of(url):
    return urllib.parse.urlsplit(url).port


def test_the_pages_websocket_is_a_stream_of_its_own_connection_before_and_after_a_reload(demo, directory, closing):
    window = closing(LoggedWindow(demo.url, "Ada", directory))
    window.join()
    window.say("Before the reload")
    eventually(lambda: window.deliveries() == ["sent"])
    window.driver.refresh()
    window.wait_for_state("online")
    eventually(lambda: window.said() == [("Ada", "Before the reload")], what="what was said being there again")
    window.say("After it")
    eventually(lambda: window.deliveries() == ["sent", "sent"])
    heads = window.network_log().stream_heads(port_of(demo.url))
    pages = [head for head in heads if (head.fields[":method"], head.fields[":path"]) == ("GET", "/")]
    sockets = [head for head in heads if head.is_websocket]
    assert (len(pages), len(sockets)) == (2, 2)
    assert {head.fields[":path"] for head in sockets} == {"/ws"}
    assert len({head.session for head in [*pages, *sockets]}) == 1


def test_twenty_tabs_have_their_websockets_on_one_connection(demo, directory, closing):
    window = closing(LoggedWindow(demo.url, "Ada", directory))
    window.join()
    for _ in range(19):
        window.driver.switch_to.new_window("tab")
        window.driver.get(demo.url)
        window.join()
    window.say("To all tabs")
    for tab in window.driver.window_handles:
        window.driver.switch_to.window(tab)
        eventually(lambda: window.said() == [("Ada", "To all tabs")], 20, "each tab hearing it")
        assert window.state() == "online"
    sockets = [head for head in window.network_log().stream_heads(port_of(demo.url)) if head.is_websocket]
    assert len(sockets) == 20
    assert len({head.session for head in sockets}) == 1


def test_a_page_whose_connection_is_lost_comes_back_on_another_and_has_missed_nothing(demo, directory, closing):
    cable = closing(Cable(port_of(demo.url)))
    ada = closing(LoggedWindow(f"https://localhost:{cable.port}/", "Ada", directory))
    grace = closing(Window(demo.url, "Grace", directory))
    for window in (ada, grace):
        window.join()
    grace.say("Before")
    eventually(lambda: ada.said() == [("Grace", "Before")])
    cable.cut()
    ada.wait_for_state("reconnecting", "connecting")
    eventually(lambda: grace.present() == ["Grace"], 30, "Ada being gone")
    for number in range(3):
        grace.say(f"Meanwhile {number}")
    ada.say("Written meanwhile")
    eventually(lambda: grace.deliveries() == ["sent"] * 4)
    cable.mend()
    ada.wait_for_state("online", within=60)
    eventually(lambda: len(ada.said()) == len(grace.said()) == 5, 20, "everything being there on both sides")
    assert ada.said() == grace.said()
    assert ada.said()[1:] == [("Grace", f"Meanwhile {number}") for number in range(3)] + [("Ada", "Written meanwhile")]
    eventually(lambda: ada.deliveries() == ["sent"])
    assert not ada.driver.find_elements("css selector", "#messages li[data-gap]")
    sockets = [head for head in ada.network_log().stream_heads(cable.port) if head.is_websocket]
    assert len(sockets) >= 2 and len({head.session for head in sockets}) == len(sockets), "each attempt on a connection of its own"
