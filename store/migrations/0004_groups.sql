-- Readers of a store or a view, and how far each has come. `source` is "store:ID" or "view:PROJECT/NAME", so that a store that is made anew under an old
-- name begins without groups. `kind` is "group" (one reader a shard) or "fanout" (many). `position` is the next offset to be read.
CREATE TABLE consumer_groups (
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    timeout_s BIGINT NOT NULL,
    in_order BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (source, kind, name)
);

CREATE TABLE checkpoints (
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    group_name TEXT NOT NULL,
    shard BIGINT NOT NULL,
    position BIGINT NOT NULL,
    consumer TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (source, kind, group_name, shard)
);
