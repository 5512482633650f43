AlwaysVisible = object()
scripts_data = []


class ScriptRunner:
    def __init__(self):
        self.alwayson_scripts = []


class Script:
    infotext_fields = None

    def elem_id(self, name):
        return f"script_{name}"
