"""Model Search in a Stable Diffusion WebUI: registers its callbacks; the work is done in `modelsearch_webui`."""

from modules import script_callbacks, scripts

from modelsearch_webui import axis, controls, settings, start, tab


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


script_callbacks.on_ui_settings(settings.declare)
script_callbacks.on_before_ui(axis.add)
script_callbacks.on_after_component(tab.catch_prompts)
script_callbacks.on_ui_tabs(tab.build)
script_callbacks.on_app_started(start.started)
script_callbacks.on_script_unloaded(start.unloaded)
if hasattr(script_callbacks, "on_before_process"):  # SD.Next
    script_callbacks.on_before_process(start.before_process)
