from pathlib import Path

from modules import shared

available_networks, available_network_aliases, forbidden_network_aliases = {}, {}, {}


class NetworkOnDisk:
    def __init__(self, filename):
        self.filename, self.name = filename, Path(filename).stem.replace(".", "_")
        self.alias = self.name

    def get_alias(self):
        return self.name


def list_available_networks():
    for found in (available_networks, available_network_aliases, forbidden_network_aliases):
        found.clear()
    for path in sorted(Path(shared.opts.lora_dir).rglob("*.safetensors")):
        entry = NetworkOnDisk(str(path))
        available_networks[entry.name] = available_network_aliases[entry.name] = entry
