"""How far an index can be trusted, by its own pictures: samples of each model are held out and searched for.

A fold holds out the same probes of all models, so that a picture is asked against models none of which has seen its
prompt, as a user's picture is. What comes out is about pictures that the models make themselves; pictures of the world
are harder.
"""

from .checking import SelfCheck, Settings, check
from .findings import Mistake, ModelCheck
from .verdicts import Verdict

__all__ = ["Mistake", "ModelCheck", "SelfCheck", "Settings", "Verdict", "check"]
