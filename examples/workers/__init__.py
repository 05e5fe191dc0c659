"""One bulk job on three task queues: taskiq, arq and Celery. See README.md."""
