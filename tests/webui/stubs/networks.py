from pathlib import Path

from modules import shared

available_networks, available_network_aliases, forbidden_network_aliases = {}, {}, {}
aliases = {}  # by file stem, as `ss_output_name` in a file says


class NetworkOnDisk:
    def __init__(self, filename):
        self.filename, self.name = filename, Path(filename).stem
        self.alias = aliases.get(self.name, self.name)

    def get_alias(self):
        by_file = shared.opts.lora_preferred_name == "Filename" or self.alias.lower() in forbidden_network_aliases
        return self.name if by_file else self.alias


def list_available_networks():
    for found in (available_networks, available_network_aliases, forbidden_network_aliases):
        found.clear()
    for path in sorted(Path(shared.cmd_opts.lora_dir).rglob("*.safetensors")):
        entry = NetworkOnDisk(str(path))
        available_networks[entry.name] = entry
        if entry.alias in available_network_aliases:
            forbidden_network_aliases[entry.alias.lower()] = 1
        available_network_aliases.update({entry.name: entry, entry.alias: entry})
