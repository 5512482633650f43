"""Whose requests are answered."""

from __future__ import annotations

import pytest

from modelsearch_core.panel import may_enter


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "127.0.0.1:8189"},
        {"Host": "localhost:8189", "Origin": "http://localhost:8189"},
        {"Host": "[::1]:8189", "Origin": "http://[::1]:8189", "Sec-Fetch-Site": "same-origin"},
        {"Host": "192.168.1.7:8189", "Origin": "http://192.168.1.7:8189"},
        {"Host": "LOCALHOST:8189", "Origin": "http://localhost:8189"},
    ],
)
def test_our_own_page_enters(headers: dict[str, str]):
    assert may_enter(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": ""},
        {"Host": "evil.example:8189"},  # a name rebound to 127.0.0.1
        {"Host": "evil.example:8189", "Origin": "http://evil.example:8189"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost:8189", "Origin": "https://evil.example"},
        {"Host": "localhost:8189", "Origin": "http://localhost:9999"},
        {"Host": "localhost:8189", "Origin": "null"},
        {"Host": "127.0.0.1:8189", "Origin": "http://localhost:8189"},
        {"Host": "localhost:8189", "Sec-Fetch-Site": "cross-site"},
        {"Host": "[::1"},
    ],
)
def test_other_sites_do_not(headers: dict[str, str]):
    assert not may_enter(headers)


def test_a_name_that_the_user_gave_is_ours():
    headers = {"Host": "studio.local:8189", "Origin": "http://studio.local:8189"}
    assert not may_enter(headers)
    assert may_enter(headers, ["studio.local"])


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://["}, {"Origin": "http://[x]"}, {"Origin": "null"}, {"Host": "["}]
)
def test_what_is_no_address_is_refused(headers: dict[str, str]):
    assert not may_enter({"Host": "127.0.0.1:8189", **headers})
