"""What came of reading users' pictures, in numbers that can be told again without reading them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

FOLDERS, SUMMARY, SETS = "picture_folders", "pictures_told", "picture_sets"  # settings of a catalog
MOST_ABSENT = 100  # names that are kept


@dataclass(frozen=True, kw_only=True)
class PictureSummary:
    """`telling` of the `files` name a model, `matched` of these one of the collection, `models` of it in all.
    `absent`: how many pictures name what no model, or not just one, is called; `unread`: folders out of reach."""

    files: int = 0
    telling: int = 0
    matched: int = 0
    models: int = 0
    absent: Mapping[str, int] = field(default_factory=dict[str, int])
    absent_pictures: int = 0
    unread: Sequence[str] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | None) -> PictureSummary | None:
        return None if not text else cls(**json.loads(text))

    def __str__(self) -> str:
        said = f"{self.files} pictures: {self.telling} name models, {self.matched} of them {self.models} models of the"
        said += " collection"
        if self.absent_pictures:
            names = ", ".join(f"{name} ({n})" for name, n in list(self.absent.items())[:5])
            said += f"; {self.absent_pictures} name only others: {names}{', …' if len(self.absent) > 5 else ''}"
        if self.unread:
            said += f"; out of reach, what is known of them is kept: {', '.join(self.unread[:3])}"
        return said
