"""Model Search in a Stable Diffusion WebUI: the always-on script; all else is done in `modelsearch_webui`."""

from modules import scripts

from modelsearch_webui import callbacks, controls


class ModelSearchScript(scripts.Script):
    def title(self):
        return controls.TITLE

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        found, self.infotext_fields = controls.controls(self.elem_id)
        return found

    def process(self, p, *args):
        if args and args[0]:
            from modelsearch_webui.picking import apply  # reads the index

            apply(p, *args)


callbacks.register()
