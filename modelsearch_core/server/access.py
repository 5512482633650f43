"""Who may use a server that others can reach: whoever has the token of its address, or the password.

As Jupyter does it, the token that is made at each start stands in the printed address; the first request with it gets a
cookie, so that the address need not be kept. Programs send it as `Authorization: Bearer`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from base64 import b64decode
from html import escape
from urllib.parse import parse_qs

from aiohttp import web

WAIT = 1.0  # seconds after a wrong password, for all who try
LONGEST_FORM = 4096  # bytes
LOGIN = "/login"
SIGN_IN = "sign in first: open the address that `modelsearch serve` printed, or its page"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Model Search</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="dark light">
<form method="post" action="{action}"><h1>Model Search</h1><p>{message}</p>
<label>{secret} <input type="password" name="secret" autofocus autocomplete="current-password"></label>
<button>Sign in</button></form></html>"""
PAGE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


class Access:
    """Lets in who knows the secret: a password that the user chose, or a token made here."""

    def __init__(self, password: str | None = None) -> None:
        self.has_password = password is not None
        self.secret = secrets.token_urlsafe(24) if password is None else password
        self._key = secrets.token_bytes(32)
        self._session = hmac.new(self._key, b"session", hashlib.sha256).hexdigest()
        self._turn = asyncio.Lock()

    def address(self, address: str) -> str:
        """The address to open: with the token in it, unless there is a password."""
        return address if self.has_password else f"{address}?token={self.secret}"

    def lets_in(self, request: web.Request) -> bool:
        cookie = request.cookies.get(self._cookie(request), "")
        return hmac.compare_digest(cookie.encode(), self._session.encode()) or self._is_secret(_authorised(request))

    async def sign_in(self, request: web.Request) -> web.Response | None:
        """The answer to a token in the address or to the form of the page; None where a request does neither."""
        if request.method == "POST" and request.path == LOGIN:
            given = await _form_secret(request)
        elif request.method == "GET" and "token" in request.query:
            given = request.query["token"]
        else:
            return None
        if not self._is_secret(given):
            async with self._turn:  # one after another: guesses by many connections take as long
                await asyncio.sleep(WAIT)
            return self.page("That is not right.")
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(self._cookie(request), self._session, httponly=True, samesite="Strict", path="/")
        return answer

    def page(self, message: str = "") -> web.Response:
        secret = "Password" if self.has_password else "Token"
        message = message or (
            "" if self.has_password else "Open the address that modelsearch serve printed, or type its token."
        )
        text = PAGE.format(action=LOGIN, message=escape(message), secret=secret)
        headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"}
        return web.Response(status=401, text=text, content_type="text/html", headers=headers)

    def _is_secret(self, given: str) -> bool:
        """In a time that does not tell how much of it is right."""
        first, second = (
            hmac.digest(self._key, text.encode("utf-8", "replace"), "sha256") for text in (given, self.secret)
        )
        return hmac.compare_digest(first, second)

    def _cookie(self, request: web.Request) -> str:
        """One for each port: cookies are shared by all ports of a name."""
        port = request.host.rpartition(":")[2]
        return f"modelsearch-{port if port != request.host and port.isdecimal() and port.isascii() else 'web'}"


def _authorised(request: web.Request) -> str:
    """What an `Authorization` header brings: a bearer's token, or a Basic password under any name."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    try:
        return b64decode(value, validate=True).decode().partition(":")[2] if kind.lower() == "basic" else ""
    except ValueError:
        return ""


async def _form_secret(request: web.Request) -> str:
    content = await request.content.read(LONGEST_FORM)
    try:
        return parse_qs(content.decode(), max_num_fields=4).get("secret", [""])[0]
    except ValueError:
        return ""
