from pathlib import Path

from modules import shared

checkpoints_list, checkpoint_aliases = {}, {}


class CheckpointInfo:
    def __init__(self, filename):
        self.filename = filename
        self.name = self.title = str(Path(filename).relative_to(shared.opts.ckpt_dir).with_suffix(""))

    def register(self):
        checkpoints_list[self.title] = self
        checkpoint_aliases.update(dict.fromkeys((self.name, self.filename, self.title), self))

    def calculate_shorthash(self):
        checkpoints_list.pop(self.title)
        self.title = f"{self.name} [0123456789]"
        self.register()


def list_models():
    checkpoints_list.clear()
    checkpoint_aliases.clear()
    for path in sorted(Path(shared.opts.ckpt_dir).rglob("*.safetensors")):
        CheckpointInfo(str(path)).register()
