CREATE table "SELECT"(id int primary key, "FROM" int, "$$" int, "quo""te" text, "back\slash" int, "new
line" int, "emoji😀x" int, "__x" int, "9_x" int, "9" int, "_" int, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" int);
CREATE table "ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt"(id int primary key, "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc" int unique);
CREATE index on "ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt"("cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc", id);
CREATE table "Case"(id int primary key);
CREATE table "case"(id int primary key);
CREATE table "a""b"(id int primary key references "Case"(id));
CREATE type "e""e" as enum ('it''s', '"q"');
