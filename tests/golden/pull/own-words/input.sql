CREATE TABLE a (id int PRIMARY KEY, tags text[], j jsonb);
CREATE INDEX a_tags_idx ON a USING gin (tags);
CREATE INDEX a_j_idx ON a USING gin (j jsonb_path_ops);
CREATE TABLE b (id int PRIMARY KEY REFERENCES a ON DELETE CASCADE ON UPDATE CASCADE, a_id int NOT NULL REFERENCES a);
CREATE TABLE c (id int PRIMARY KEY, a_id int NOT NULL UNIQUE REFERENCES a ON DELETE RESTRICT ON UPDATE CASCADE);
CREATE TYPE size AS ENUM ('l', 'm', 'xl', 's');
CREATE TABLE d (id int PRIMARY KEY, size size NOT NULL DEFAULT 'm', span interval(3), at timestamp DEFAULT now());
CREATE TABLE e (id int PRIMARY KEY, code int NOT NULL, codes text[], uuid uuid NOT NULL, stamp int NOT NULL, stamps timestamp(3)[]);
