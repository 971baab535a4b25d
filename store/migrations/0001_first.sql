-- Only BIGINT and TEXT, so that SQLite and PostgreSQL take the same statements.
CREATE TABLE next_id (name TEXT NOT NULL PRIMARY KEY, next BIGINT NOT NULL);
INSERT INTO next_id (name, next) VALUES ('id', 1);

CREATE TABLE projects (name TEXT NOT NULL PRIMARY KEY, created_at BIGINT NOT NULL);

CREATE TABLE stores (
    id BIGINT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    ttl_ns BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (project, name)
);

-- A shard owns the hash keys range_begin..=range_end, 32 hexadecimal digits each. Offsets below flushed_offset are in segments.
CREATE TABLE shards (
    id BIGINT NOT NULL PRIMARY KEY,
    store_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    range_begin TEXT NOT NULL,
    range_end TEXT NOT NULL,
    flushed_offset BIGINT NOT NULL,
    UNIQUE (store_id, number)
);

CREATE TABLE columns (
    store_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    PRIMARY KEY (store_id, name)
);

-- deleted_at is the tombstone: the file may still be read by a snapshot and goes when the last one is gone.
CREATE TABLE segments (
    id BIGINT NOT NULL PRIMARY KEY,
    shard_id BIGINT NOT NULL,
    path TEXT NOT NULL,
    first_offset BIGINT NOT NULL,
    last_offset BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    min_time BIGINT NOT NULL,
    max_time BIGINT NOT NULL,
    max_received BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX segments_by_shard ON segments (shard_id, first_offset);

CREATE TABLE series (
    store_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    labels TEXT NOT NULL,
    PRIMARY KEY (store_id, id)
);

CREATE TABLE documents (
    kind TEXT NOT NULL,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (kind, project, name)
);
