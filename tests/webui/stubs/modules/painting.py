"""No module of a WebUI: the pictures that the stubs make."""

from PIL import Image


def painted(prompt, seed, size):
    """Grey, with a square of the colour that a LoRA's name says."""
    picture = Image.new("RGB", (size, size), (128, 128, 128))
    picture.putpixel((size - 1, size - 1), (0, 0, 0))
    picture.paste((0, 0, 0), (size // 2, size // 2, size, size))
    for name, colour in {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}.items():
        if f"<lora:{name}:" in prompt:
            picture.paste(colour, (0, 0, 6 + seed % 5, 8))
    return picture
