"""Yandex Cloud: API keys, static and authorized keys, IAM and OAuth tokens."""
