from types import SimpleNamespace

from PIL import Image

from modules import call_queue, sd_models, shared

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
    p.clip_skip = shared.opts.data["CLIP_stop_at_last_layers"]
    made.append(p)
    during[0](p)
    pictures = [painted(prompt, seed, p.width) for prompt, seed in zip(p.prompt, p.seed, strict=True)]
    return SimpleNamespace(images=pictures)


def painted(prompt, seed, size):
    """Grey, with a square of the colour that a LoRA's name says."""
    picture = Image.new("RGB", (size, size), (128, 128, 128))
    picture.putpixel((size - 1, size - 1), (0, 0, 0))
    picture.paste((0, 0, 0), (size // 2, size // 2, size, size))
    for name, colour in {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}.items():
        if f"<lora:{name}:" in prompt:
            picture.paste(colour, (0, 0, 6 + seed % 5, 8))
    return picture
