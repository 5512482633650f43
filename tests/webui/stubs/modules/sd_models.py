from pathlib import Path
from types import SimpleNamespace

model_path = ""
checkpoints_list, checkpoint_aliases = {}, {}
model_data = SimpleNamespace(
    forge_loading_parameters={"checkpoint_info": "the user's", "additional_modules": ["a vae"]}
)


class CheckpointInfo:
    def __init__(self, filename):
        self.filename = filename
        self.title = f"{Path(filename).name} [abc]"


def list_models():
    checkpoints_list.clear()
    checkpoint_aliases.clear()
    for path in sorted(Path(model_path).rglob("*.safetensors")):
        info = CheckpointInfo(str(path))
        checkpoints_list[info.title] = info
        checkpoint_aliases.update({path.stem: info, info.title: info})
