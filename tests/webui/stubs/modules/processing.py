from types import SimpleNamespace

from modules import call_queue, sd_models, shared
from modules.painting import painted

made = []  # every processing that was asked for
during = [lambda p: None]  # what else happens while pictures are made


class StableDiffusionProcessingTxt2Img:
    scripts = None
    scheduler = None

    def __init__(self, **given):
        self.__dict__.update(given)


def process_images(p):
    assert call_queue.queue_lock.locked()
    p.checkpoint = shared.opts.data["sd_model_checkpoint"]
    p.loaded = sd_models.model_data.forge_loading_parameters["checkpoint_info"]
    p.parts = sd_models.model_data.forge_loading_parameters["additional_modules"]
    p.vae = shared.opts.sd_vae
    p.clip_skip = shared.opts.data["CLIP_stop_at_last_layers"]
    made.append(p)
    during[0](p)
    pictures = [painted(prompt, seed, p.width) for prompt, seed in zip(p.prompt, p.seed, strict=True)]
    return SimpleNamespace(images=pictures)
