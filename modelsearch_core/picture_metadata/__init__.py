"""What a picture's file says of how it was made: what the WebUIs, ComfyUI, Fooocus, SwarmUI and InvokeAI write.

A1111 and its kin write "parameters", a text; the others write JSON, in which model files stand under telling keys.
"""

from .account import Account, account_of, mentions
from .mention import Mention

__all__ = ["Account", "Mention", "account_of", "mentions"]
