"""Serves an instance: the ASGI application, the web server and the worker, their connections, memory and health."""
