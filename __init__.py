"""ComfyUI's door: its nodes when ComfyUI loads this folder, nothing anywhere else."""
# pyright: reportConstantRedefinition=false, reportMissingImports=false, reportUnusedImport=false

NODE_CLASS_MAPPINGS: dict[str, type] = {}
NODE_DISPLAY_NAME_MAPPINGS: dict[str, str] = {}
WEB_DIRECTORY = "./web"

try:
    import folder_paths  # noqa: F401, TID251  only ComfyUI has it
except ImportError:
    pass
else:
    from .nodes import routes
    from .nodes.registry import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

    routes.register()

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS", "WEB_DIRECTORY"]
