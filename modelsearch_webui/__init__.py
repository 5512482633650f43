"""The part of Model Search that runs inside a Stable Diffusion WebUI (Forge, Classic, Neo, reForge, A1111, SD.Next).

`scripts/model_search.py` registers its callbacks. It needs the WebUI's `modules`, so nothing else imports it.
"""
