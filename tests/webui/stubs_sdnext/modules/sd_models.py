from types import SimpleNamespace

from modules import sd_checkpoint, shared

model_path = ""
model_data = SimpleNamespace(sd_model=None)
loads = []  # titles of what was loaded
broken = set()  # names of what cannot be


def reload_model_weights():
    info = sd_checkpoint.checkpoint_aliases[shared.opts.sd_model_checkpoint]
    if model_data.sd_model and model_data.sd_model.sd_checkpoint_info.filename == info.filename:
        return
    if info.name in broken:
        model_data.sd_model = None
        return
    if "[" not in info.title:
        info.calculate_shorthash()
    loads.append(info.name)
    model_data.sd_model = SimpleNamespace(sd_checkpoint_info=info)
    shared.opts.data["sd_model_checkpoint"] = info.title
    shared.opts.save(silent=True)
