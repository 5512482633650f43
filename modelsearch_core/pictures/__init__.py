"""Pictures that users have made: which files there are, what they say, which models made them, which to look at."""

from .choosing import MOST, Use, chosen
from .naming import Names
from .reading import Unreadable, account_at, account_from_json, account_to_json
from .sets import sets_below, uses_of
from .summary import FOLDERS, SETS, SUMMARY, PictureSummary
from .walking import Found, Walk, walk

__all__ = [
    "FOLDERS",
    "MOST",
    "SETS",
    "SUMMARY",
    "Found",
    "Names",
    "PictureSummary",
    "Unreadable",
    "Use",
    "Walk",
    "account_at",
    "account_from_json",
    "account_to_json",
    "chosen",
    "sets_below",
    "uses_of",
    "walk",
]
