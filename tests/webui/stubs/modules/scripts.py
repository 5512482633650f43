AlwaysVisible = object()
scripts_data = []


class Script:
    infotext_fields = None

    def elem_id(self, name):
        return f"script_{name}"
