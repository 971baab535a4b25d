-- How far each producer that numbers its writes has come; hash_key is 32 hexadecimal digits. Numbers whose rows stand in the log alone are there with them.
CREATE TABLE sequences (
    store_id BIGINT NOT NULL,
    hash_key TEXT NOT NULL,
    number BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (store_id, hash_key)
);
