-- Shards come and go: each number is given once per store, a closed shard has left its keys to its children.
ALTER TABLE stores ADD COLUMN next_shard BIGINT NOT NULL DEFAULT 0;
UPDATE stores SET next_shard = (SELECT COALESCE(MAX(number) + 1, 0) FROM shards WHERE shards.store_id = stores.id);
ALTER TABLE shards ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;
UPDATE shards SET created_at = (SELECT created_at FROM stores WHERE stores.id = shards.store_id);
ALTER TABLE shards ADD COLUMN closed_at BIGINT;
CREATE TABLE shard_parents (
    store_id BIGINT NOT NULL,
    child BIGINT NOT NULL,
    parent BIGINT NOT NULL,
    PRIMARY KEY (store_id, child, parent)
);

-- 0 and 1 for no and yes; attributes is a JSON object that the protocol in front of the store owns.
ALTER TABLE stores ADD COLUMN auto_split BIGINT NOT NULL DEFAULT 1;
ALTER TABLE stores ADD COLUMN shards_max BIGINT NOT NULL DEFAULT 64;
ALTER TABLE stores ADD COLUMN web_tracking BIGINT NOT NULL DEFAULT 0;
ALTER TABLE stores ADD COLUMN attributes TEXT NOT NULL DEFAULT '';
ALTER TABLE stores ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
UPDATE stores SET updated_at = created_at;

ALTER TABLE projects ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE projects ADD COLUMN attributes TEXT NOT NULL DEFAULT '';
ALTER TABLE projects ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
UPDATE projects SET updated_at = created_at;
