names = {"DPM++ 2M", "Euler", "LCM", "DDIM"}


def find_sampler_config(name):
    return name if name in names else None
