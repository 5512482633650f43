registered = {}


def _registers(name):
    def register(callback):  # like Forge Classic's: nothing but the callback
        registered.setdefault(name, []).append(callback)

    return register


on_ui_settings = _registers("on_ui_settings")
on_ui_tabs = _registers("on_ui_tabs")
on_before_ui = _registers("on_before_ui")
on_app_started = _registers("on_app_started")
on_after_component = _registers("on_after_component")
on_script_unloaded = _registers("on_script_unloaded")
on_before_process = _registers("on_before_process")
