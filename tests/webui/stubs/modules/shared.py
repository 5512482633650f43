from types import SimpleNamespace


class OptionInfo:
    def __init__(self, default=None, label="", component=None, component_args=None, onchange=None, section=None):
        self.default, self.label, self.component = default, label, component
        self.component_args, self.section = component_args, section


class Options:
    def __init__(self):
        self.data, self.data_labels = {}, {}
        self.saved = []  # what was in its file, one after the other

    def add_option(self, key, info):
        self.data_labels[key] = info
        self.data.setdefault(key, info.default)

    def save(self, filename=None, **_):
        self.saved.append(dict(self.data))

    def __getattr__(self, name):
        try:
            return self.data[name]
        except KeyError:
            raise AttributeError(name) from None


class State:
    def __init__(self):
        self.job, self.jobs = "", []
        self.interrupted = self.skipped = self.stopping_generation = False

    def begin(self, job="(unknown)"):
        self.job = job
        self.jobs.append(job)
        self.interrupted = self.skipped = self.stopping_generation = False

    def end(self):
        self.job = ""


cmd_opts = SimpleNamespace(lora_dir=None, ckpt_dir=None, ckpt=None, server_name=None)
opts = Options()
opts.data.update(
    sd_model_checkpoint="grey checkpoint",
    sd_vae="the user's",
    CLIP_stop_at_last_layers=2,
    lora_preferred_name="Filename",
)
opts.data_labels.update(dict.fromkeys(opts.data))
state = State()
