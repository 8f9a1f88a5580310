"""IBM Cloud: user and service-id API keys, service credentials, classic infrastructure keys."""
