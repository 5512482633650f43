from types import SimpleNamespace

from modules import call_queue, script_callbacks, sd_models, shared
from modules.painting import painted

made = []  # every processing that was asked for
during = [lambda p: None]  # what else happens while pictures are made


class StableDiffusionProcessingTxt2Img:
    scripts = None

    def __init__(self, seed, **given):
        self.__dict__.update(given, seed=int(seed))


def process_images(p):
    assert call_queue.queue_lock.locked()
    for callback in script_callbacks.registered.get("on_before_process", []):
        callback(p)
    p.loaded = sd_models.model_data.sd_model.sd_checkpoint_info.name
    p.schedule = shared.opts.schedulers_sigma, shared.opts.schedulers_timestep_spacing
    made.append(p)
    during[0](p)
    if shared.state.interrupted:
        return None
    pictures = [painted(prompt, seed, p.width) for prompt, seed in zip(p.prompt, p.seed, strict=True)]
    return SimpleNamespace(images=pictures)
