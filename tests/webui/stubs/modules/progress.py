current_task = None
pending_tasks = {}
