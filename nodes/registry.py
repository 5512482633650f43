"""All nodes by the name that workflows know them by."""

from __future__ import annotations

from .auditioning import Audition
from .finding import FindCheckpoint, FindDiffusionModel, FindLora
from .identifying import IdentifyModel
from .indexing_nodes import IndexModels, IndexOne
from .loaders import LoadFoundCheckpoint, LoadFoundLora
from .matches import PickMatch, ShowMatches, SimilarModels
from .probing import FindClassifier, FindDetector
from .querying import CombineQueries, ModelQuery

NODES: dict[str, tuple[type, str]] = {
    "ModelSearchFindLora": (FindLora, "Find LoRA"),
    "ModelSearchFindCheckpoint": (FindCheckpoint, "Find Checkpoint"),
    "ModelSearchFindDiffusionModel": (FindDiffusionModel, "Find Diffusion Model"),
    "ModelSearchFindDetector": (FindDetector, "Find Detector"),
    "ModelSearchFindClassifier": (FindClassifier, "Find Classifier/Tagger"),
    "ModelSearchQuery": (ModelQuery, "Model Query"),
    "ModelSearchCombineQueries": (CombineQueries, "Combine Queries"),
    "ModelSearchSimilar": (SimilarModels, "Similar Models"),
    "ModelSearchPickMatch": (PickMatch, "Pick Match"),
    "ModelSearchShowMatches": (ShowMatches, "Show Matches"),
    "ModelSearchLoadLora": (LoadFoundLora, "Load Found LoRA(s)"),
    "ModelSearchLoadCheckpoint": (LoadFoundCheckpoint, "Load Found Checkpoint"),
    "ModelSearchAudition": (Audition, "Audition LoRA"),
    "ModelSearchIdentify": (IdentifyModel, "Identify Model"),
    "ModelSearchIndexModels": (IndexModels, "Index Models"),
    "ModelSearchIndexOne": (IndexOne, "Index one model (internal)"),
}
NODE_CLASS_MAPPINGS = {name: node for name, (node, _) in NODES.items()}
NODE_DISPLAY_NAME_MAPPINGS = {name: title for name, (_, title) in NODES.items()}
