"""Model Search in a Stable Diffusion WebUI: registers its callbacks; the work is done in `modelsearch_webui`."""

from modules import script_callbacks, scripts

from modelsearch_webui import lifecycle, picking, settings, tab


class ModelSearchScript(scripts.Script):
    def title(self):
        return picking.TITLE

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        controls, self.infotext_fields = picking.controls(self.elem_id)
        return controls

    def process(self, p, *args):
        picking.apply(p, *args)


script_callbacks.on_ui_settings(settings.declare)
script_callbacks.on_after_component(tab.catch_prompts)
script_callbacks.on_ui_tabs(tab.build)
script_callbacks.on_app_started(lifecycle.started)
script_callbacks.on_script_unloaded(lifecycle.unloaded)
