"""Scopes that providers document for their keys. Yandex Cloud: API key, available scopes (IAM documentation)."""

from __future__ import annotations

YANDEX = (
    "yc.ai.foundationModels.execute",
    "yc.ai.imageGeneration.execute",
    "yc.ai.languageModels.execute",
    "yc.ai.speechkitStt.execute",
    "yc.ai.speechkitTts.execute",
    "yc.ai.translate.execute",
    "yc.ai.vision.execute",
    "yc.monitoring.manage",
    "yc.monitoring.read",
    "yc.postbox.send",
    "yc.search-api.execute",
    "yc.serverless.containers.invoke",
    "yc.serverless.functions.invoke",
    "yc.ydb.tables.manage",
    "yc.ydb.topics.manage",
)
