-- What PostgreSQL 16 to 18 brought.
CREATE SCHEMA app;
CREATE TABLE app.t (id int4range, during daterange, a int, v int GENERATED ALWAYS AS (a * 2) VIRTUAL,
  CONSTRAINT t_pkey PRIMARY KEY (id, during WITHOUT OVERLAPS));
CREATE TABLE app.r (id int4range, during daterange, x int,
  CONSTRAINT r_fkey FOREIGN KEY (id, PERIOD during) REFERENCES app.t (id, PERIOD during),
  CONSTRAINT unchecked CHECK (x > 0) NOT ENFORCED);
ALTER TABLE app.r ADD CONSTRAINT named NOT NULL x NOT VALID;
GRANT MAINTAIN ON app.t TO PUBLIC;
