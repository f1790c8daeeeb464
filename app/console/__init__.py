"""The pages people use. Only this package knows Gradio."""

from app.console.mount import mount_console

__all__ = ["mount_console"]
