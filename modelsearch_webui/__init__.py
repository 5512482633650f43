"""The part of Model Search that runs inside a Stable Diffusion WebUI (Forge, reForge, A1111, Neo).

`scripts/model_search.py` registers its callbacks. It needs the WebUI's `modules`, so nothing else imports it.
"""
