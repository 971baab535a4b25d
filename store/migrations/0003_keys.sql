-- Access keys. sealed_secret is AES-256-GCM under the key file of the data folder; grants is JSON.
CREATE TABLE access_keys (
    id TEXT NOT NULL PRIMARY KEY,
    sealed_secret TEXT NOT NULL,
    grants TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    is_disabled BIGINT NOT NULL
);
