"""Keys that change while the edge runs: in files, and at an identity provider."""

import json
import os
import signal
import threading
import time

import pytest

from edge import SLUICE, configuration, open_route
from ports import HeldPort
from processes import Child
from providers import Key, Provider, key_set
from rawhttp import ByteStream, request
from tokens import AUDIENCE, ISSUER, symmetric_token
from waiting import eventually, patient


@pytest.fixture
def start(start_edge, responding_worker):
    """Starts an edge whose only route asks for a token; `keys` is what `auth` says of them."""

    def start(keys, **more):
        auth = {"main": {"issuer": ISSUER, "audience": [AUDIENCE], "algorithms": ["ES256"], "keys": keys} | more}
        return start_edge({"main": [responding_worker.path]}, [open_route() | {"auth": "main"}], auth=auth)

    return start


@pytest.fixture
def provider(site, closing):
    """Makes identity providers that serve these keys."""
    return lambda *keys, **more: closing(Provider(site, *keys, **more))


@pytest.fixture
def knock(closing):
    """The status that a new client's request with this token gets."""

    def knock(edge, token):
        stream = closing(ByteStream(edge.connect("plain")))
        stream.send(request(fields=[("Authorization", f"Bearer {token}")]))
        return stream.response().status

    return knock


def remote(provider, site, **more):
    return {"url": provider.url, "ca_file": str(site.chain)} | more


def replace(path, text):
    """Puts another file in the place of `path`, at once, as careful programs do."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    os.replace(beside, path)


# Files


def test_a_new_key_file_is_taken_up_and_the_tokens_of_a_removed_key_are_refused(start, directory, knock):
    old, new = Key("old"), Key("new")
    path = directory / "jwks.json"
    path.write_text(key_set(old))
    edge = start({"file": str(path)})
    assert [knock(edge, key.token()) for key in (old, new)] == [200, 401]
    token = old.token()
    assert [knock(edge, token), knock(edge, token)] == [200, 200]  # it is in the cache now
    replace(path, key_set(old, new))
    eventually(lambda: edge.events("keys.reloaded", keys_used=2, auth="main"))
    assert [knock(edge, key.token()) for key in (old, new)] == [200, 200]
    replace(path, key_set(new))
    eventually(lambda: edge.events("keys.reloaded", keys_used=1))
    assert [knock(edge, token), knock(edge, new.token())] == [401, 200]


@pytest.mark.parametrize("broken", ["", "no keys", '{"keys": []}', '{"keys": [', "-----BEGIN PUBLIC KEY-----\nAAAA\n"])
def test_a_broken_key_file_keeps_the_old_keys_and_is_told_of_once(start, directory, knock, broken):
    key, next_key = Key("a"), Key("b")
    path = directory / "jwks.json"
    path.write_text(key_set(key))
    edge = start({"file": str(path)})
    replace(path, broken)
    eventually(lambda: edge.events("keys.reload_failed"))
    assert knock(edge, key.token()) == 200
    replace(path, key_set(next_key))
    eventually(lambda: edge.events("keys.reloaded"))
    assert [knock(edge, key.token()), knock(edge, next_key.token())] == [401, 200]
    failure, = edge.events("keys.reload_failed", auth="main", keys_source=str(path))
    assert failure["level"] == "warn" and failure["error.type"]


def test_a_key_file_that_vanishes_keeps_the_old_keys(start, directory, knock):
    key = Key("a")
    path = directory / "jwks.json"
    path.write_text(key_set(key))
    edge = start({"file": str(path)})
    path.unlink()
    eventually(lambda: edge.events("keys.reload_failed"))
    assert knock(edge, key.token()) == 200
    path.write_text(key_set(key))
    eventually(lambda: edge.events("keys.reloaded"))
    assert knock(edge, key.token()) == 200


def test_a_new_secret_is_taken_up_and_a_short_one_is_not(start, directory, knock):
    old, new = b"o" * 32, b"n" * 32
    path = directory / "secret"
    path.write_bytes(old)
    claims = {"sub": "alice", "iss": ISSUER, "aud": AUDIENCE, "exp": 4_000_000_000}
    edge = start({"secret_file": str(path)}, algorithms=["HS256"])
    assert [knock(edge, symmetric_token(claims, secret)) for secret in (old, new)] == [200, 401]
    path.write_bytes(b"n" * 31)
    eventually(lambda: edge.events("keys.reload_failed"))
    assert [knock(edge, symmetric_token(claims, secret)) for secret in (old, new)] == [200, 401]
    path.write_bytes(new)
    eventually(lambda: edge.events("keys.reloaded"))
    assert [knock(edge, symmetric_token(claims, secret)) for secret in (old, new)] == [401, 200]
    assert "nnnn" not in edge.child.errors


def test_a_secret_of_fewer_than_32_bytes_refuses_to_start(directory, site, closing):
    (directory / "secret").write_bytes(b"s" * 31)
    auth = {"main": {"algorithms": ["HS256"], "keys": {"secret_file": str(directory / "secret")}}}
    document = configuration(directory, site, {"main": [directory / "w.sock"]}, [open_route() | {"auth": "main"}], auth=auth)
    assert_refused(directory, document, closing, "too weak")


# An identity provider


def test_keys_are_fetched_before_the_first_client_comes(start, provider, site, knock):
    key = Key("a")
    idp = provider(key)
    edge = start(remote(idp, site))
    assert [knock(edge, key.token()), knock(edge, Key("a").token())] == [200, 401]
    assert [path for path, _ in idp.requests] == ["/jwks"]
    fields = {name.lower(): value for name, value in idp.requests[0][1].items()}
    assert not {"authorization", "cookie"} & set(fields)
    assert 0 <= edge.metric("sluice_jwks_age_seconds", auth="main") < patient(10)


def test_an_unknown_key_is_fetched_once_and_its_owner_comes_in_the_second_time(start, provider, site, knock):
    old, new = Key("old"), Key("new")
    idp = provider(old)
    edge = start(remote(idp, site))
    idp.serve(new)
    assert knock(edge, new.token()) == 401
    eventually(lambda: len(edge.events("keys.reloaded", keys_used=1)) == 2)
    assert [knock(edge, new.token()), knock(edge, old.token())] == [200, 401]
    assert len(idp.requests) == 2


def test_a_flood_of_unknown_keys_causes_one_fetch(start, provider, site, knock):
    key = Key("a")
    idp = provider(key)
    edge = start(remote(idp, site))
    stranger = Key("x")
    began = time.monotonic()
    for number in range(100):
        stranger.id = f"x{number}"
        assert knock(edge, stranger.token()) == 401
    assert knock(edge, key.token()) == 200
    eventually(lambda: len(idp.requests) >= 2)
    assert len(idp.requests) <= 2 + (time.monotonic() - began) / 10  # one in ten seconds is what strangers can cause
    assert edge.metric("sluice_token_cache_total", result="miss") == 101


def test_a_provider_that_is_down_at_the_start_keeps_tokens_out_until_it_is_up(start, provider, site, knock, closing):
    key = Key("a")
    port = closing(HeldPort()).number
    edge = start({"url": f"https://localhost:{port}/jwks", "ca_file": str(site.chain)})
    failure = edge.events("keys.reload_failed", auth="main")[0]
    assert failure["level"] == "error" and failure["keys.source"] == f"https://localhost:{port}/jwks"
    assert knock(edge, key.token()) == 401
    assert edge.admin("GET", "/readyz")[0] == 200
    assert edge.metric("sluice_jwks_age_seconds", auth="main") == float("inf")
    provider(key, port=port)
    eventually(lambda: edge.events("keys.reloaded"), within=20)
    assert knock(edge, key.token()) == 200


def test_old_keys_serve_while_the_provider_fails_and_none_do_when_their_time_is_over(start, provider, site, knock):
    key, stranger = Key("a"), Key("b")
    idp = provider(key)
    edge = start(remote(idp, site, stale_for="3s"))
    token = key.token()
    assert knock(edge, token) == 200
    idp.send(500, "no")
    assert knock(edge, stranger.token()) == 401  # makes the edge ask
    eventually(lambda: edge.events("keys.reload_failed", error_type="status 500"))
    # They serve as long as it is not said that their time is over.
    assert knock(edge, token) == 200 or eventually(lambda: edge.events("keys.expired"))
    eventually(lambda: edge.events("keys.expired", auth="main", level="error"))
    assert knock(edge, token) == 401
    idp.serve(key)
    eventually(lambda: len(edge.events("keys.reloaded")) == 2, within=20)
    assert knock(edge, token) == 200


def test_a_key_that_the_provider_no_longer_has_is_refused_at_once(start, provider, site, knock):
    key = Key("a")
    idp = provider(key)
    edge = start(remote(idp, site))
    token = key.token()
    assert knock(edge, token) == 200
    idp.serve()
    assert knock(edge, Key("b").token()) == 401
    eventually(lambda: edge.events("keys.reloaded", keys_used=0, level="warn"))
    assert knock(edge, token) == 401


def test_one_bad_key_in_a_set_does_not_harm_the_others(start, provider, site, knock):
    key, bad = Key("a"), Key("bad").jwk
    bad["y"] = bad["x"]
    idp = provider(key)
    idp.send(200, key_set(key).replace('{"keys": [', '{"keys": [' + str(bad).replace("'", '"') + ", 1, "))
    edge = start(remote(idp, site))
    assert knock(edge, key.token()) == 200
    assert edge.events("keys.reloaded", keys_used=1, keys_skipped=2)


SECRET_TEXT = "what-the-provider-said"


def too_much(handler):
    handler.send_response(200)
    handler.end_headers()  # no length: the end of the connection is the end of the body
    with_ignored_resets(lambda: [handler.wfile.write(b" " * 65_536) for _ in range(64)])


def announces_too_much(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(1 << 30))
    handler.end_headers()


def with_ignored_resets(action):
    try:
        action()
    except OSError:
        pass


@pytest.mark.parametrize("act, reason", [
    (too_much, "more than 1048576 bytes"), (announces_too_much, "more than 1048576 bytes"),
    (("send", 404, SECRET_TEXT), "status 404"), (("send", 200, SECRET_TEXT), "not JSON"), (("send", 200, "{}"), "no array"),
    (("send", 302, SECRET_TEXT, [("Location", "/other")]), "redirected (302)"),
    (("send", 301, SECRET_TEXT, [("Location", "http://localhost/")]), "redirected (301)"),
    (("send", 204, ""), "status 204"),
], ids=["too_much", "announces_too_much", "404", "no_json", "no_set", "redirect", "redirect_to_http", "no_content"])
def test_what_is_no_small_key_set_changes_nothing_and_its_body_is_not_logged(start, provider, site, knock, act, reason):
    key = Key("a")
    idp = provider(key)
    edge = start(remote(idp, site))
    idp.send(*act[1:]) if isinstance(act, tuple) else idp.act(act)
    assert knock(edge, Key("b").token()) == 401
    failure = eventually(lambda: edge.events("keys.reload_failed"))[0]
    assert reason in failure["error.type"]
    assert knock(edge, key.token()) == 200
    assert {path for path, _ in idp.requests} == {"/jwks"}
    assert SECRET_TEXT not in edge.child.errors


def test_a_provider_that_hangs_is_given_ten_seconds_and_holds_up_nobody(start, provider, site, knock):
    key = Key("a")
    idp = provider(key)
    released = threading.Event()
    edge = start(remote(idp, site))
    idp.act(lambda handler: released.wait(patient(30)))
    assert knock(edge, Key("b").token()) == 401
    eventually(lambda: len(idp.requests) == 2)
    assert knock(edge, key.token()) == 200
    eventually(lambda: edge.events("keys.reload_failed", error_type="timed out"), within=20)
    assert knock(edge, key.token()) == 200
    released.set()


def test_the_edge_ends_in_time_while_a_fetch_hangs(start, provider, site, knock):
    idp = provider(Key("a"))
    released = threading.Event()
    edge = start(remote(idp, site))
    idp.act(lambda handler: released.wait(patient(30)))
    assert knock(edge, Key("b").token()) == 401
    eventually(lambda: len(idp.requests) == 2)
    edge.child.signal(signal.SIGTERM)
    edge.child.signal(signal.SIGINT)
    assert edge.child.wait(patient(5)) == 0
    released.set()


@pytest.mark.parametrize(
    "more, tls, reason", [({}, False, ""), ({"ca_file": None}, True, "certificate")], ids=["no_tls", "no_trust"])
def test_a_provider_without_tls_or_trust_is_not_believed(start, provider, site, knock, more, tls, reason):
    key = Key("a")
    idp = provider(key, tls=tls)
    edge = start(remote(idp, site) | more)
    assert reason in edge.events("keys.reload_failed")[0]["error.type"]
    assert knock(edge, key.token()) == 401
    assert not idp.requests


def test_a_provider_with_a_certificate_for_another_name_is_not_believed(start, provider, site, knock):
    key = Key("a")
    idp = provider(key)
    edge = start(remote(idp, site) | {"url": f"https://127.0.0.2:{idp.port}/jwks"})
    assert edge.events("keys.reload_failed")
    assert knock(edge, key.token()) == 401
    assert not idp.requests


def test_a_secret_in_the_query_of_the_address_is_not_logged(start, provider, site):
    idp = provider(Key("a"))
    edge = start(remote(idp, site) | {"url": f"{idp.url}?key=hush"})
    assert [path for path, _ in idp.requests] == ["/jwks?key=hush"]
    assert edge.events("keys.reloaded", keys_source=idp.url)
    assert "hush" not in edge.child.errors


def test_checking_a_configuration_fetches_nothing_and_reads_the_authorities(directory, site, provider, closing):
    idp = provider(Key("a"))
    auth = {"main": {"keys": remote(idp, site)}}
    document = configuration(directory, site, {"main": [directory / "w.sock"]}, [open_route() | {"auth": "main"}], auth=auth)
    assert check(directory, document, closing).exit_code == 0
    assert not idp.requests
    auth["main"]["keys"]["ca_file"] = str(site.jwks)
    assert_refused(directory, document, closing, "holds no certificates")


def check(directory, document, closing):
    """Lets `sluice check` look at the configuration."""
    path = directory / "checked.yaml"
    path.write_text(json.dumps(document))
    child = closing(Child([SLUICE, "check", "-c", path], directory, "check"))
    child.wait()
    return child


def assert_refused(directory, document, closing, words):
    child = check(directory, document, closing)
    assert child.exit_code == 78
    assert words in child.errors
