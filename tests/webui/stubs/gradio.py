"""Components that remember how they were made, for either major version of gradio."""

__version__ = "4.40.0"
built = []


class Component:
    def __init__(self, *positional, **given):
        self.positional, self.given = positional, given
        self.elem_id = given.get("elem_id")
        self.events = []
        built.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def click(self, **event):
        self.events.append(event)
        return self

    def then(self, **event):
        self.events.append(event)
        return self


Blocks = HTML = Row = Textbox = Button = Accordion = Checkbox = Radio = Slider = Image = Component


def update(**given):
    return {"__type__": "update", **given}
